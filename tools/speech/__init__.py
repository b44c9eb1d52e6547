"""Speech tools: recognisers of words and translations, subtitles, voice activity."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emer.tools.speech.asr_tool import AsrTool
    from emer.tools.speech.faster_whisper import FasterWhisper
    from emer.tools.speech.openai_whisper import Whisper
    from emer.tools.speech.pocketsphinx import PocketSphinx
    from emer.tools.speech.subtitle import Subtitle
    from emer.tools.speech.transformers_asr import Asr

__all__ = ["Asr", "AsrTool", "FasterWhisper", "PocketSphinx", "Subtitle", "Whisper"]

_MODULES = {
    "Asr": "transformers_asr", "AsrTool": "asr_tool", "FasterWhisper": "faster_whisper",
    "PocketSphinx": "pocketsphinx", "Subtitle": "subtitle", "Whisper": "openai_whisper",
}  # fmt: skip
"""Imported at first use: pocketsphinx's process imports this package, too."""


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
