"""The clues of a run, stored once and referred to by id."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable

from emer.agents.clue_edits import REVIEWER
from emer.agents.near_duplicates import (
    SAME,
    merit,
    overlap,
    without_near_duplicates,
    without_repeated_facts,
)
from emer.agents.people import numbering
from emer.agents.same_words import Matching, match_words
from emer.tools.errors import ConfigError
from emer.tools.types import Clue

_MEASURED = re.compile(r"\([^()]*\)|\d+(?:\.\d+)?(?:-\d+(?:\.\d+)?)?(?= s\b)")
"""Brackets and times, in which observations of one event may differ a little."""


def by_time(clues: Iterable[Clue]) -> tuple[Clue, ...]:
    """The clues in order of their start, then modality, then id."""
    return tuple(sorted(clues, key=lambda c: (c.span.start if c.span else 0.0, c.modality, c.id)))


def without_repeats(clues: Iterable[Clue]) -> tuple[Clue, ...]:
    """The clues in order of time; repeated observations are left out.

    Where a closer look of the same tool repeats a clue, the longer one stays, or of two about
    as long that of better quality; a caption that only repeats another is left out.
    """
    distinct: dict[tuple[str, str | None, str], list[Clue]] = {}
    for clue in sorted(without_near_duplicates(clues), key=merit, reverse=True):
        similar = distinct.setdefault(_similarity_key(clue), [])
        if not any(
            clue.text == other.text or overlap(clue.span, other.span) >= SAME for other in similar
        ):
            similar.append(clue)
    return by_time(without_repeated_facts(c for similar in distinct.values() for c in similar))


class ClueLedger:
    """Every clue of a run by its id; clues are added in any order, by any thread.

    Tools number people each for itself: their own clues are added, and read with one numbering
    for all. Both are known here, by their ids.
    """

    def __init__(self) -> None:
        self._clues: dict[str, Clue] = {}
        self._numbered: dict[str, Clue] = {}
        """The tool's own clue by the id that it has with the common numbering."""
        self._lock = threading.Lock()

    def add(self, clues: Iterable[Clue]) -> list[str]:
        """Add clues and return their ids, sorted."""
        by_id = {clue.id: clue for clue in clues}
        with self._lock:
            self._clues.update(by_id)
        return sorted(by_id)

    def named(self, ids: Iterable[str]) -> tuple[Clue, ...]:
        """The clues of these ids, in their order; `ConfigError` for an unknown id."""
        wanted = tuple(ids)
        with self._lock:
            if not all(id in self._clues for id in wanted):
                self._number()
            if unknown := [id for id in wanted if id not in self._clues]:
                raise ConfigError(f"this run has no clue {unknown[0]!r}")
            return tuple(self._clues[id] for id in wanted)

    def as_observed(self, ids: Iterable[str]) -> tuple[Clue, ...]:
        """The clues of these ids as their tools gave them."""
        return tuple(self._numbered.get(clue.id, clue) for clue in self.named(ids))

    def observed_ids(self, ids: Iterable[str]) -> list[str]:
        """The ids that the tools' own clues have; those of unknown clues are left out."""
        with self._lock:
            self._number()
            known = [id for id in ids if id in self._clues]
        return [clue.id for clue in self.as_observed(known)]

    def clues(self, ids: Iterable[str]) -> tuple[Clue, ...]:
        """The clues of these ids in one numbering of people, without repeats.

        `ConfigError` for an unknown id.
        """
        observed = self.as_observed(ids)
        with self._lock:
            numbered, matching = self._number()
        return without_repeats(matching.apply(numbered[clue.id] for clue in observed))

    def _number(self) -> tuple[dict[str, Clue], Matching]:
        """Add the clues in the common numbering, and those that have each other's words.

        Returns the numbered clues by the tools' own ids, and which of them have the same words.
        """
        own = [clue for id, clue in self._clues.items() if id not in self._numbered]
        common = numbering(own)
        numbered = {clue.id: common.apply(clue) for clue in own}
        matching = match_words(numbered.values())
        for clue in own:
            one = numbered[clue.id]
            for new in filter(None, (one, matching.merged.get(one.id))):
                if new.id != clue.id:
                    self._clues[new.id], self._numbered[new.id] = new, clue
        return numbered, matching


def _similarity_key(clue: Clue) -> tuple[str, str | None, str]:
    """Tool, person and words without measurements; a person's clue equals no other."""
    words = clue.id if clue.source == REVIEWER else _MEASURED.sub("#", clue.text)
    return (clue.source.tool, clue.person, words)
