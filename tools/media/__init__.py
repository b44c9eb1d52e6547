"""Media: clips, their frames, samples, shots and subtitles."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emer.tools.media.clip import Clip
    from emer.tools.media.decoder import Frame, Rgb
    from emer.tools.media.sound import RATE, Samples, Sound
    from emer.tools.media.subtitles import SubtitleCue

__all__ = ["RATE", "Clip", "Frame", "Rgb", "Samples", "Sound", "SubtitleCue"]

_MODULES = {
    "Clip": "clip", "Frame": "decoder", "RATE": "sound", "Rgb": "decoder", "Samples": "sound",
    "Sound": "sound",
    "SubtitleCue": "subtitles",
}  # fmt: skip
"""Imported at first use: the processes that read a file import this package, too."""


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
