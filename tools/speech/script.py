"""The script of transcripts: Chinese in simplified characters, whichever a model writes.

Whisper writes the one or the other of the same Mandarin sounds, from clip to clip; subtitles and
the lexicon are in simplified characters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from typing import Any

from emer.tools.runtime.native import importing
from emer.tools.speech.transcript import TimedWord

CHINESE = "zh"


def converts() -> bool:
    """Whether OpenCC is installed; without it characters stay as they were written."""
    return find_spec("opencc") is not None


def simplified(text: str) -> str:
    """The text in simplified characters."""
    return str(_converter().convert(text)) if converts() else text


def simplified_words(words: Sequence[TimedWord], language: str | None) -> tuple[TimedWord, ...]:
    """The words of a transcript, those of Mandarin in simplified characters."""
    if language != CHINESE or not converts():
        return tuple(words)
    return tuple(replace(word, text=simplified(word.text)) for word in words)


@cache
def _converter() -> Any:
    with importing():
        from opencc import OpenCC
    return OpenCC("t2s")
