"""Words and pieces of words as a vector of fixed length; a denied word points the other way.

Of a word its beginnings are taken and not its inner letters, since what turns an English
word round stands in front (un-happy) and what only bends it stands behind (happi-ness).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from emer.agents.cues import is_negated
from emer.agents.memory.common import common

SIZE = 1024
"""Length of the vector: with a few hundred features seldom two fall together (by us)."""
BEGINNINGS = (4, 6)
"""Characters of the beginnings of words."""
WORD, PIECE, PAIR = 1.0, 0.5, 0.5

_TOKEN = re.compile(r"[a-z][a-z']{2,}|[\u4e00-\u9fff]+")
_LESS = re.compile(r"(?<=[a-z]{3})less$")
_CLAUSE = re.compile(r"[,;:.!?，；：。！？]")  # noqa: RUF001


def hashed(text: str) -> NDArray[np.float64]:
    """Return the text's features, shape (SIZE,), not scaled."""
    found = np.zeros(SIZE)
    for feature, weight in _features(" ".join(text.casefold().split())):
        code = zlib.crc32(feature.encode())
        found[code % SIZE] += weight if code >> 31 else -weight
    return found


def _features(plain: str) -> Iterator[tuple[str, float]]:
    last = ""
    for match in _TOKEN.finditer(plain):
        token = match.group()
        sign = -1.0 if is_negated(_CLAUSE.split(plain[: match.start()])[-1]) else 1.0
        if not token.isascii():
            yield from ((f"z:{pair}", sign * WORD) for pair in _pairs(token))
        elif token not in common():
            bare = _LESS.sub("", token)
            sign = sign if bare == token else -sign
            yield f"w:{bare}", sign * WORD
            yield from ((f"p:{bare[:n]}", sign * PIECE) for n in BEGINNINGS if len(bare) >= n)
            yield f"b:{last} {bare}", sign * PAIR
            last = bare


def _pairs(characters: str) -> Iterator[str]:
    return (characters[i : i + 2] for i in range(max(1, len(characters) - 1)))
