"""The person a question is about, among the people that the clues distinguish.

Without a name in the question it is the person about whom the clues state most.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from emer.agents.clue_edits import REVIEWER
from emer.agents.lexicon.cue_parser import Reading, read
from emer.agents.questions.question import Topic
from emer.tools.types import Clue

_NAMED = re.compile(r"\b(?:person|voice) \d+\b")
_PLACED = re.compile(
    r"^(?:in the (?:video|scene|clip), )?(?:the |a )?(?:\w+ )?"
    r"(?:person|man|woman|girl|boy|lady|child|character)(?: \d+)? "
    r"\(?(on the left|on the right|in the middle|(?:\w+) from the (?:left|right))\b"
)
_PLACED_ZH = re.compile(r"^(左|右|中)(?:边|侧|间)的?(?:那?[个位名])?(?:人|女|男)")
_ZH = {"左": "on the left", "右": "on the right", "中": "in the middle"}
_SEXED = re.compile(r"\b(?:wo)?man\b|\b(?:girl|boy|lady|female|male)s?\b|女|男")


@dataclass(frozen=True, slots=True)
class Person:
    """A person as one tool numbers them, and where that tool mostly sees them.

    Two tools may number the same people differently; what they share is the place.
    """

    tool: str
    name: str
    place: str | None

    def may_be(self, other: Person) -> bool:
        """True if two tools may mean the same person: by place, else by name."""
        if self.place and other.place:
            return self.place == other.place
        return self.name == other.name


def people_in(clues: Iterable[Clue]) -> tuple[Person, ...]:
    """The people of the clues, by tool and name."""
    places: dict[tuple[str, str], Counter[str]] = {}
    for clue in clues:
        name = person_of(clue)
        if name is not None:
            seen = places.setdefault((clue.source.tool, name), Counter())
            seen.update(filter(None, [place_of(clue)]))
    return tuple(
        Person(tool, name, min(seen, key=lambda p: (-seen[p], p)) if seen else None)
        for (tool, name), seen in sorted(places.items())
    )


def person_of(clue: Clue) -> str | None:
    """Name of the clue's person local to the clip, in lower case."""
    if clue.person:
        return clue.person.casefold()
    if clue.modality == "text":
        return None
    named = _NAMED.search(clue.text.casefold())
    if named:
        return named.group()
    place = place_of(clue)
    return f"the person {place}" if place else None


def place_of(clue: Clue) -> str | None:
    """Where the clue's sentence places its person."""
    if clue.modality in ("text", "audio"):
        return None
    plain = " ".join(clue.text.casefold().split())
    if match := _PLACED.search(plain):
        return match.group(1)
    chinese = _PLACED_ZH.search(plain)
    return _ZH[chinese.group(1)] if chinese else None


def states_sexes(clues: Iterable[Clue]) -> bool:
    """True if any clue calls a person a woman or a man."""
    return any(_SEXED.search(c.text.casefold()) for c in clues if c.modality != "text")


def focus(readings: Sequence[Reading], topic: Topic) -> tuple[Reading, ...]:
    """Readings about the topic's person, and about no one in particular.

    A conclusion rests on one person's clues.
    """
    target = target_people([r.clue for r in readings], topic)
    if not target:
        return tuple(readings)
    return tuple(r for r in readings if is_about(r.clue, target) is not False)


def by_person(readings: Sequence[Reading]) -> dict[frozenset[str], tuple[Reading, ...]]:
    """The readings about each person with those about no one in particular.

    By the ids of the clues about that person; without any person there is one entry, of none.
    """
    groups: list[list[Person]] = []
    for person in people_in(reading.clue for reading in readings):
        tools = (
            g for g in groups if person.may_be(g[0]) and person.tool not in {p.tool for p in g}
        )
        group = next(tools, None)
        if group is None:
            groups.append([person])
        else:
            group.append(person)
    parts = {}
    for group in groups or [[]]:
        about = {r.clue.id: is_about(r.clue, group) for r in readings}
        own = frozenset(id for id, is_own in about.items() if is_own)
        parts[own] = tuple(r for r in readings if about[r.clue.id] is not False)
    return parts


def target_people(clues: Sequence[Clue], topic: Topic) -> frozenset[Person]:
    """The person that a topic is about, once for each tool; empty if not in the clues."""
    people = people_in(clues)
    if topic.place is not None:
        return frozenset(p for p in people if p.place == topic.place)
    by_name = {(p.tool, p.name): p for p in people}
    counts: Counter[Person] = Counter()  # cues that are stated about each
    for reading in read(clues):
        person = by_name.get((reading.clue.source.tool, person_of(reading.clue) or ""))
        if person is not None:
            counts[person] += len(reading.mentions) or 1
    rank = {p: sum(counts[other] for other in people if other.may_be(p)) for p in people}
    if topic.person is not None:  # as numbered by the tool that states most
        rank = {p: counts[p] for p in people if p.name == topic.person}
    main = min(rank, key=lambda p: (-rank[p], p.name, p.tool), default=None)
    return frozenset(p for p in people if main is not None and p.may_be(main) != topic.other)


def target_clues(clues: Sequence[Clue], topic: Topic) -> list[Clue]:
    """Clues about the target person, plus those about no one in particular."""
    if not topic.has_subject:
        return list(clues)
    target = target_people(clues, topic)
    return [clue for clue in clues if is_about(clue, target) is not False]


def is_about(clue: Clue, target: Iterable[Person]) -> bool | None:
    """True for a clue about one of these people; None for one that names no person."""
    name = person_of(clue)
    if name is None:
        return None
    tool = clue.source.tool
    return any(name == p.name and tool in (p.tool, REVIEWER.tool) for p in target)
