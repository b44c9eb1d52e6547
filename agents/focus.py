"""Whom the question is about: the person it means, else the one seen most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from emer.agents.cues import Reading, read
from emer.agents.people import Somebody, people_in, person_of
from emer.agents.revision import WRITER
from emer.agents.topic import Topic
from emer.tools.types import Clue

BYSTANDER = 0.3
"""What another person's face still says about this one's expression (chosen by us)."""


def focus(readings: Sequence[Reading], topic: Topic) -> tuple[Reading, ...]:
    """Return the readings with other people's clues turned down.

    Where the question says whom it means, other people's clues are left out.
    """
    meant = whom([r.clue for r in readings], topic)
    if not meant:
        return tuple(readings)
    theirs = [(r, is_about(r.clue, meant) is not False) for r in readings]
    if topic.has_subject:
        return tuple(r for r, own in theirs if own)
    return tuple(
        r if own else replace(r, reliability=r.reliability * BYSTANDER) for r, own in theirs
    )


def whom(clues: Sequence[Clue], topic: Topic) -> frozenset[Somebody]:
    """Return the people meant, one for each tool that sees them; none if no clue tells of any.

    A person who is asked for and is not there leaves the set empty, too.
    """
    there = people_in(clues)
    if topic.place is not None:
        return frozenset(p for p in there if p.place == topic.place)
    own = _stated(clues, there)
    whole = {p: sum(own[other] for other in there if other.may_be(p)) for p in there}
    rank = whole
    if topic.person is not None:  # whoever bears the number with the tool that tells most
        rank = {p: own[p] for p in there if p.name == topic.person}
    main = min(rank, key=lambda p: (-rank[p], p.name, p.tool), default=None)
    return frozenset(p for p in there if main is not None and p.may_be(main) != topic.other)


def theirs(clues: Sequence[Clue], topic: Topic) -> list[Clue]:
    """Return the clues that bear on the question: all, or those of whom it names and of nobody."""
    if not topic.has_subject:
        return list(clues)
    meant = whom(clues, topic)
    return [clue for clue in clues if is_about(clue, meant) is not False]


def is_about(clue: Clue, meant: Iterable[Somebody]) -> bool | None:
    """Tell whether a clue is about the people meant; None for one that names nobody."""
    name = person_of(clue)
    if name is None:
        return None
    tool = clue.source.tool
    return any(name == p.name and tool in (p.tool, WRITER.tool) for p in meant)


def _stated(clues: Sequence[Clue], there: Sequence[Somebody]) -> Counter[Somebody]:
    """Return how much is stated about each person."""
    who = {(p.tool, p.name): p for p in there}
    counts: Counter[Somebody] = Counter()
    for reading in read(clues):
        person = who.get((reading.clue.source.tool, person_of(reading.clue) or ""))
        if person is not None:
            counts[person] += len(reading.mentions) or 1
    return counts
