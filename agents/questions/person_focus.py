"""Whom it means.

Who is in the clip, as its clues tell people apart: by a local number, by their place.

Whom the question is about: the person it means, else the one seen most.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from emer.agents.clue_edits import REVIEWER
from emer.agents.lexicon.cue_parser import Reading, read
from emer.agents.questions.question import Topic
from emer.tools.types import Clue

_NAMED = re.compile(r"\bperson (\d+)\b")
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
    """A person as one tool tells them apart, and where that tool mostly sees them.

    Two tools may number the same people differently; what they share is the place.
    """

    tool: str
    name: str
    place: str | None

    def may_be(self, other: Person) -> bool:
        """Tell whether two tools may mean the same person: by place, else by name."""
        if self.place and other.place:
            return self.place == other.place
        return self.name == other.name


def people_in(clues: Iterable[Clue]) -> tuple[Person, ...]:
    """Return the people that the clues tell of, by tool and name."""
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
    """Return the clip-local name of the clue's person, in lower case; None if it names none."""
    if clue.person:
        return clue.person.casefold()
    if clue.modality == "text":
        return None
    named = _NAMED.search(clue.text.casefold())
    if named:
        return f"person {named.group(1)}"
    place = place_of(clue)
    return f"the person {place}" if place else None


def place_of(clue: Clue) -> str | None:
    """Return where the clue says that its person is, None if it does not say."""
    if clue.modality in ("text", "audio"):
        return None
    plain = " ".join(clue.text.casefold().split())
    found = _PLACED.search(plain)
    if found:
        return found.group(1)
    chinese = _PLACED_ZH.search(plain)
    return _ZH[chinese.group(1)] if chinese else None


def states_sexes(clues: Iterable[Clue]) -> bool:
    """Tell whether any clue calls somebody a woman or a man."""
    return any(_SEXED.search(c.text.casefold()) for c in clues if c.modality != "text")


BYSTANDER = 0.3
"""What another person's face still says about this one's expression (chosen by us)."""


def focus(readings: Sequence[Reading], topic: Topic) -> tuple[Reading, ...]:
    """Return the readings with other people's clues turned down.

    Where the question says whom it means, other people's clues are left out.
    """
    meant = target_people([r.clue for r in readings], topic)
    if not meant:
        return tuple(readings)
    target_clues = [(r, is_about(r.clue, meant) is not False) for r in readings]
    if topic.has_subject:
        return tuple(r for r, own in target_clues if own)
    return tuple(
        r if own else replace(r, reliability=r.reliability * BYSTANDER) for r, own in target_clues
    )


def target_people(clues: Sequence[Clue], topic: Topic) -> frozenset[Person]:
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


def target_clues(clues: Sequence[Clue], topic: Topic) -> list[Clue]:
    """Return the clues that bear on the question: all, or those of whom it names and of nobody."""
    if not topic.has_subject:
        return list(clues)
    meant = target_people(clues, topic)
    return [clue for clue in clues if is_about(clue, meant) is not False]


def is_about(clue: Clue, meant: Iterable[Person]) -> bool | None:
    """Tell whether a clue is about the people meant; None for one that names nobody."""
    name = person_of(clue)
    if name is None:
        return None
    tool = clue.source.tool
    return any(name == p.name and tool in (p.tool, REVIEWER.tool) for p in meant)


def _stated(clues: Sequence[Clue], there: Sequence[Person]) -> Counter[Person]:
    """Return how much is stated about each person."""
    who = {(p.tool, p.name): p for p in there}
    counts: Counter[Person] = Counter()
    for reading in read(clues):
        person = who.get((reading.clue.source.tool, person_of(reading.clue) or ""))
        if person is not None:
            counts[person] += len(reading.mentions) or 1
    return counts
