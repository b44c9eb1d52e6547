"""Word errors of a transcript against the words that were said.

The error rate is the least number of words (of Chinese and Japanese, characters) that must be
replaced, inserted or deleted, over the number said (Levenshtein 1966; NIST's word error rate).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

UNSPACED = frozenset(("zh", "ja", "yue", "th"))
"""Languages without spaces between words, scored by character."""


@dataclass(frozen=True, slots=True)
class WordErrors:
    """Counts of one transcript, in words or characters."""

    wrong: int
    """Replaced, inserted and deleted ones."""
    said: int
    heard: int
    right: int
    """Heard ones that were said, in order."""


def units(text: str, language: str) -> list[str]:
    """Words of a text in lower case without marks; characters where nothing is spaced."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    if language in UNSPACED:
        return [mark for mark in plain if mark.isalnum()]
    words = ("".join(filter(str.isalnum, word)) for word in plain.split())
    return [word for word in words if word]


def word_errors(said: Sequence[str], heard: Sequence[str]) -> WordErrors:
    """Errors of what was heard against what was said."""
    pairs = matches(said, heard)
    return WordErrors(_distance(said, heard), len(said), len(heard), len(pairs))


def matches(said: Sequence[str], heard: Sequence[str]) -> list[tuple[int, int]]:
    """Index pairs of the same units in both, as many as there can be in order."""
    best = np.zeros((len(said) + 1, len(heard) + 1), dtype=int)
    for i, one in reversed(list(enumerate(said))):
        for j, other in reversed(list(enumerate(heard))):
            same = best[i + 1, j + 1] + 1 if one == other else 0
            best[i, j] = max(same, best[i + 1, j], best[i, j + 1])
    pairs, i, j = [], 0, 0
    while i < len(said) and j < len(heard):
        if said[i] == heard[j] and best[i, j] == best[i + 1, j + 1] + 1:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i + 1, j] >= best[i, j + 1]:
            i += 1
        else:
            j += 1
    return pairs


def _distance(said: Sequence[str], heard: Sequence[str]) -> int:
    row = list(range(len(heard) + 1))
    for count, one in enumerate(said, 1):
        diagonal, row[0] = row[0], count
        for place, other in enumerate(heard, 1):
            cost = min(row[place] + 1, row[place - 1] + 1, diagonal + (one != other))
            diagonal, row[place] = row[place], cost
    return row[-1]
