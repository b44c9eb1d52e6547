"""How pleasant and how stirred the emotion words of a text are; a denied word is turned round."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from emer.agents.cues import is_negated
from emer.agents.vocabulary import lexicon

TABLE = Path(__file__).parent / "polarity.csv"
"""Words beside those of the lexicon, ours: 1 pleasant, -1 unpleasant."""

_PRIVATIVE = re.compile(r"^(?:un|dis|non-?)(?=[a-z]{4})|(?<=[a-z]{3})less(?:ly|ness)?$")
_WORD = re.compile(r"[a-z][a-z'-]+|[\u4e00-\u9fff]{2,4}")
_CLAUSE = re.compile(r"[,;:.!?，；：。！？]|\b(?:but|and|while|then)\b|但|而|却")  # noqa: RUF001


class Affect(NamedTuple):
    """Valence and arousal, each in [-1, 1]."""

    valence: float
    arousal: float

    @property
    def turned(self) -> Affect:
        """What denying it says: the opposite, as far as anything."""
        return Affect(-self.valence, -self.arousal)


def affects(text: str) -> Iterator[Affect]:
    """Yield the affect of each word of the text that has one."""
    plain = " ".join(text.casefold().replace("’", "'").split())  # noqa: RUF001
    for word, start in _words(plain):
        found = of_word(word)
        if found is not None:
            before = _CLAUSE.split(plain[:start])[-1]
            yield found.turned if is_negated(before) else found


def of_word(word: str) -> Affect | None:
    """Return the affect of a word, None where neither it nor what it denies is known."""
    known = _known()
    if word in known:
        return known[word]
    bare = _PRIVATIVE.sub("", word)
    for stem in (bare, f"{bare}ful") if bare != word else ():
        if stem in known:
            return known[stem].turned
    return None


def _words(plain: str) -> Iterator[tuple[str, int]]:
    """Yield words with their places; of Chinese, every known run of characters."""
    for match in _WORD.finditer(plain):
        if match.group().isascii():
            yield match.group(), match.start()
    for word in _known_chinese():
        for match in re.finditer(word, plain):
            yield word, match.start()


@lru_cache(maxsize=1)
def _known() -> Mapping[str, Affect]:
    with TABLE.open(newline="", encoding="utf-8") as file:
        ours = {row["word"]: Affect(float(row["valence"]), 0.0) for row in csv.DictReader(file)}
    labels = {
        form: Affect(label.valence, label.arousal)
        for label in reversed(lexicon().labels)
        for form in (*label.words, *label.words_zh, label.name)
    }
    return ours | labels


@lru_cache(maxsize=1)
def _known_chinese() -> tuple[str, ...]:
    return tuple(sorted(word for word in _known() if not word.isascii() and len(word) > 1))
