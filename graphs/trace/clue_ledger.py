"""The clues of a run, stored once and referred to by id."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable

from emer.agents.clue_edits import REVIEWER
from emer.agents.near_duplicates import without_near_duplicates
from emer.tools.errors import ConfigError
from emer.tools.types import Clue, Span

SAME = 0.8
"""Overlap over union of two spans of one event (chosen by us)."""

_MEASURED = re.compile(r"\([^()]*\)|\d+(?:\.\d+)?(?:-\d+(?:\.\d+)?)?(?= s\b)")
"""Brackets and times, in which observations of one event may differ a little."""


def by_time(clues: Iterable[Clue]) -> tuple[Clue, ...]:
    """The clues in order of their start, then modality, then id."""
    return tuple(sorted(clues, key=lambda c: (c.span.start if c.span else 0.0, c.modality, c.id)))


def without_repeats(clues: Iterable[Clue]) -> tuple[Clue, ...]:
    """The clues in order of time; repeated observations are left out.

    Where a closer look of the same tool repeats a clue, the one of better quality stays; a
    caption that only repeats another is left out.
    """
    distinct: dict[tuple[str, str | None, str], list[Clue]] = {}
    for clue in sorted(without_near_duplicates(clues), key=_merit, reverse=True):
        similar = distinct.setdefault(_similarity_key(clue), [])
        if not any(clue.text == other.text or _overlap(clue.span, other.span) for other in similar):
            similar.append(clue)
    return by_time(clue for similar in distinct.values() for clue in similar)


class ClueLedger:
    """Every clue of a run by its id; clues are added in any order, by any thread."""

    def __init__(self) -> None:
        self._clues: dict[str, Clue] = {}
        self._lock = threading.Lock()

    def add(self, clues: Iterable[Clue]) -> list[str]:
        """Add clues and return their ids, sorted."""
        by_id = {clue.id: clue for clue in clues}
        with self._lock:
            self._clues.update(by_id)
        return sorted(by_id)

    def named(self, ids: Iterable[str]) -> tuple[Clue, ...]:
        """The clues of these ids, in their order; `ConfigError` for an unknown id."""
        with self._lock:
            wanted = tuple(ids)
            if unknown := [id for id in wanted if id not in self._clues]:
                raise ConfigError(f"this run has no clue {unknown[0]!r}")
            return tuple(self._clues[id] for id in wanted)

    def clues(self, ids: Iterable[str]) -> tuple[Clue, ...]:
        """The clues of these ids without repeats; `ConfigError` for an unknown id."""
        return without_repeats(self.named(ids))


def _similarity_key(clue: Clue) -> tuple[str, str | None, str]:
    """Tool, person and words without measurements; a person's clue equals no other."""
    words = clue.id if clue.source == REVIEWER else _MEASURED.sub("#", clue.text)
    return (clue.source.tool, clue.person, words)


def _overlap(one: Span | None, other: Span | None) -> bool:
    if one is None or other is None:
        return one == other
    shared = min(one.end, other.end) - max(one.start, other.start)
    union = max(one.end, other.end) - min(one.start, other.start)
    return shared >= SAME * union


def _merit(clue: Clue) -> tuple[float, float, str]:
    return (clue.quality.score, clue.span.length if clue.span else 0.0, clue.id)
