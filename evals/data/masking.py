"""Emotion words taken out of a description, so that it cannot give the label away.

The words are the forms of the 2026 wheel lexicon (English), and those of our own list of
emotion words (Chinese, which no official lexicon covers).
"""

from __future__ import annotations

import re
from collections.abc import Collection

_WORD = re.compile(r"[A-Za-z]+(?:['\u2019-][A-Za-z]+)*")


def mask_english(text: str, words: Collection[str]) -> str:
    """Return the text without the words (lower case) that are in `words`."""
    kept = _WORD.sub(lambda m: " " if m.group().lower() in words else m.group(), text)
    return " ".join(kept.split())


def mask_chinese(text: str, words: Collection[str]) -> str:
    """Return the text without the words, the longer ones first."""
    longest = sorted(words, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest)), "", text) if longest else text
