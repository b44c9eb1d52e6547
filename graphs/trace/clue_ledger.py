"""The clues of a run, held once and named by id everywhere else."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable

from emer.agents.clue_edits import REVIEWER
from emer.agents.near_duplicates import without_near_duplicates
from emer.tools.types import Clue, Span

SAME = 0.8
"""Share of their whole time that two tellings of one thing have in common (chosen by us)."""

Told = tuple[str, str | None, str]

_MEASURED = re.compile(r"\([^()]*\)|\d+(?:\.\d+)?(?:-\d+(?:\.\d+)?)?(?= s\b)")
"""What is in brackets, and times: where two looks at one thing may differ a little."""


def in_order(clues: Iterable[Clue]) -> tuple[Clue, ...]:
    """Return the clues by the time they begin, then modality, then id."""
    return tuple(sorted(clues, key=_when))


def once(clues: Iterable[Clue]) -> tuple[Clue, ...]:
    """Return the clues in order, each once.

    Where a closer look of the same tool tells again of what is known, the better measured
    of the two stands for both; what a model only says again of a picture is left out.
    """
    kept: dict[Told, list[Clue]] = {}
    for clue in sorted(without_near_duplicates(clues), key=_merit, reverse=True):
        alike = kept.setdefault(_told(clue), [])
        if not any(_is_one(clue, other) for other in alike):
            alike.append(clue)
    return in_order(clue for alike in kept.values() for clue in alike)


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
        """Return the clues of these ids as `once` has them; `KeyError` for an unknown id."""
        with self._lock:
            known = [self._clues[id] for id in ids]
        return once(known)


def _told(clue: Clue) -> Told:
    """Return what two clues have in common that can be one: their tool, person and words.

    Their measurements may differ a little where one counted fewer frames. A person's clues
    stand for themselves.
    """
    words = clue.id if clue.source == REVIEWER else _MEASURED.sub("#", clue.text)
    return (clue.source.tool, clue.person, words)


def _is_one(one: Clue, other: Clue) -> bool:
    """Tell whether two clues with the same words say the same of the same time."""
    return one.text == other.text or _at_one_time(one.span, other.span)


def _at_one_time(one: Span | None, other: Span | None) -> bool:
    if one is None or other is None:
        return one == other
    shared = min(one.end, other.end) - max(one.start, other.start)
    together = max(one.end, other.end) - min(one.start, other.start)
    return shared >= SAME * together


def _merit(clue: Clue) -> tuple[float, float, str]:
    return (clue.quality.score, clue.span.length if clue.span else 0.0, clue.id)
