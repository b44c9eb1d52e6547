"""The clues as a model is given them: short ids, one line each, nothing twice.

An id is the modality's letter and the clue's place among that modality's clues in order of
arrival ("f1", "a2"), so it follows from the trace and stays when new clues arrive.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import cached_property

from emer.agents.lexicon.cue_parser import UNRELIABLE, read
from emer.tools.types import Clue

MOST_CLUES = 60
"""Clues that a model is given: more than ten seconds of one person have (chosen by us)."""
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")


class ClueList:
    """A run's clues under short ids, and those that are sent."""

    def __init__(self, clues: Sequence[Clue]) -> None:
        """Take all clues, in order of arrival."""
        self._clues = tuple(clues)

    @cached_property
    def short(self) -> dict[str, str]:
        """Short id of each clue, by its own id."""
        counts: dict[str, int] = {}
        named: dict[str, str] = {}
        for clue in self._clues:
            letter = clue.modality[0]
            counts[letter] = counts.get(letter, 0) + 1
            named[clue.id] = f"{letter}{counts[letter]}"
        return named

    @cached_property
    def ids(self) -> dict[str, str]:
        """Each clue's own id, by its short id and by itself."""
        return {short: id for id, short in self.short.items()} | {c.id: c.id for c in self._clues}

    @cached_property
    def sent(self) -> tuple[Clue, ...]:
        """At most `MOST_CLUES`, those that state a cue before the others, in their order."""
        distinct = tuple(_distinct(self._clues))
        cues = {reading.clue.id: bool(reading.mentions) for reading in read(distinct)}
        best = sorted(distinct, key=lambda c: (not cues.get(c.id), -c.quality.score))
        kept = {clue.id for clue in best[:MOST_CLUES]}
        return tuple(clue for clue in distinct if clue.id in kept)

    @property
    def names(self) -> list[str]:
        """The short ids of the clues that are sent."""
        return [self.short[clue.id] for clue in self.sent]

    def lines(self) -> str:
        """The clues that are sent, one a line."""
        return "\n".join(self._line(clue) for clue in self.sent)

    def cited(self, ids: Iterable[str]) -> str:
        """Short ids, separated by commas; what is no clue stays as it is."""
        return ", ".join(self.short.get(id, id) for id in ids) or "-"

    def _line(self, clue: Clue) -> str:
        """Id, seconds, person, and the sentence in JSON, in which nothing can be a tag."""
        parts = [self.short[clue.id]]
        if clue.span is not None:
            parts.append(f"{clue.span.start:g}-{clue.span.end:g} s")
        if clue.person is not None:
            parts.append(quoted(clue.person))
        if clue.quality.score < UNRELIABLE:
            parts.append("weak")
        return " | ".join([*parts, quoted(clue.text)])


def _distinct(clues: Sequence[Clue]) -> Iterable[Clue]:
    """The clues without those whose words another says of a span around theirs."""
    for clue in clues:
        others = (other for other in clues if other is not clue and _same_words(clue, other))
        if not any(_encloses(other, clue) for other in others):
            yield clue


def _same_words(one: Clue, two: Clue) -> bool:
    return (
        one.modality == two.modality
        and one.person == two.person
        and _NUMBER.sub("#", one.text) == _NUMBER.sub("#", two.text)
    )


def _encloses(outer: Clue, inner: Clue) -> bool:
    """True if the outer span is around the inner; of equal ones, for the smaller id."""
    if outer.span is None or inner.span is None:
        return outer.span is None and (inner.span is not None or outer.id < inner.id)
    if outer.span == inner.span:
        return outer.id < inner.id
    return outer.span.start <= inner.span.start and inner.span.end <= outer.span.end


def quoted(text: str) -> str:
    """A stranger's words in JSON, without what may be taken for a tag or a line."""
    return json.dumps(text, ensure_ascii=False).replace("<", "\\u003c").replace(">", "\\u003e")
