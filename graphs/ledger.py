"""The clues of a run, held once and named by id everywhere else."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from emer.agents.revision import WRITER
from emer.tools.types import Clue


def in_order(clues: Iterable[Clue]) -> tuple[Clue, ...]:
    """Return the clues by the time they begin, then modality, then id."""
    return tuple(sorted(clues, key=_when))


def _when(clue: Clue) -> tuple[float, str, str]:
    return (clue.span.start if clue.span else 0.0, clue.modality, clue.id)


class Ledger:
    """Every clue of the run by its id; adding is set union, in any order, from any thread."""

    def __init__(self) -> None:
        """Start empty."""
        self._clues: dict[str, Clue] = {}
        self._lock = threading.Lock()

    def add(self, clues: Iterable[Clue]) -> list[str]:
        """Take in clues and return their ids, sorted."""
        found = {clue.id: clue for clue in clues}
        with self._lock:
            self._clues.update(found)
        return sorted(found)

    def named(self, ids: Iterable[str]) -> tuple[Clue, ...]:
        """Return the clues of these ids as they are named; `KeyError` for an unknown id."""
        with self._lock:
            return tuple(self._clues[id] for id in ids)

    def clues(self, ids: Iterable[str]) -> tuple[Clue, ...]:
        """Return the clues of these ids in order; `KeyError` for an unknown id.

        Where a closer look repeats a sentence of the same tool, the better measured of
        the two stands for both.
        """
        with self._lock:
            known = [self._clues[id] for id in ids]
        told = {_told(clue): clue for clue in sorted(known, key=_merit)}
        return in_order(told.values())


def _told(clue: Clue) -> tuple[str, str | None, str]:
    """Return what makes two clues of a tool one; a person's clues stand for themselves."""
    return (clue.source.tool, clue.person, clue.id if clue.source == WRITER else clue.text)


def _merit(clue: Clue) -> tuple[float, str]:
    return (clue.quality.score, clue.id)
