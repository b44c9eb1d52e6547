"""Model weights: catalogue, location, download and verification."""

from emer.tools.weights.catalogue import Weights, named, of_tool
from emer.tools.weights.download import DownloadFailed, Verification, pull, verify
from emer.tools.weights.locate import Need, find, locate

__all__ = [
    "DownloadFailed",
    "Need",
    "Verification",
    "Weights",
    "find",
    "locate",
    "named",
    "of_tool",
    "pull",
    "verify",
]
