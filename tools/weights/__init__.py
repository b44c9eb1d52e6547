"""Model weights: the catalogue, their location on this machine, download and verification."""

from emer.tools.weights.catalogue import Weights, named, of_tool
from emer.tools.weights.download import DownloadFailed, Verdict, pull, verify
from emer.tools.weights.locate import Need, find, locate

__all__ = [
    "DownloadFailed",
    "Need",
    "Verdict",
    "Weights",
    "find",
    "locate",
    "named",
    "of_tool",
    "pull",
    "verify",
]
