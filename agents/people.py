"""One numbering of people for the clues of all tools.

Each tool numbers the people that it sees by itself. Where a face is at the same place at the
same time it is the same person, and gets the number that the face tool gave. A voice has a
number of its own unless a mouth moves with it (`voices`); a clue of a voice among several
people is else of no one in particular, and says so.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

from emer.agents.voices import Hearing, hearing
from emer.tools.types import FACE_BOX, Clue, Span

NEAR = 0.75
"""Face heights between two middles of one face: detectors box it differently (by us)."""
FAR = 1.5
"""Face heights from which two middles are those of two faces (chosen by us)."""
MEANWHILE = 0.5
"""Seconds between two observations of a face that may be compared (chosen by us)."""

_PLACE = r"(?: \([^()]*\)| (?:on the left|on the right|in the middle|\w+ from the left)\b)?"
_SUBJECT = re.compile(rf"\b(?:([Tt])he person|([Pp])erson \d+)\b{_PLACE}")
_ANYONE = re.compile(r"\b([Tt])he person\b(?! on the | in the middle| \w+ from the left)")

Owner = tuple[str, str]
"""A tool, and its name of a person."""


class Sight(NamedTuple):
    """Where a tool saw a face: its span, middle and height in picture heights."""

    span: Span
    x: float
    y: float
    height: float

    def apart(self, other: Sight) -> float:
        """Distance of the middles in face heights; infinite at another time."""
        if not self.span.overlaps(other.span, MEANWHILE):
            return math.inf
        gap = math.dist((self.x, self.y), (other.x, other.y))
        return gap / max(self.height, other.height, 1e-6)


@dataclass(frozen=True, slots=True)
class Numbering:
    """The people of a clip, as all clues name them.

    Args:
        names: The common name of each tool's person whose own name is another.
        places: Where each person is, by common name, if it is said.
        people: The most people that are distinguished, or counted at once.
        sights: Faces of the tool whose numbers are kept, by name.
        voices: The voices that are heard, and whose they are.
    """

    names: Mapping[Owner, str]
    places: Mapping[str, str]
    people: int
    sights: Mapping[str, Sequence[Sight]]
    voices: Hearing

    def apply(self, clue: Clue) -> Clue:
        """The clue with the common name of its person, in the sentence as well."""
        if clue.kind == "reviewed":
            return clue
        if clue.modality == "audio":
            clue = self._with_voice(clue)
        person, sight = clue.person, sight_of(clue)
        if person is not None:
            person = self.names.get((clue.source.tool, person), person)
        elif sight is not None:
            person = nearest(sight, self.sights)
        if self.people < 2:
            return clue if person == clue.person else _changed(clue, person=person)
        if person is None:
            return _unattributed(clue)
        if sight is None:  # a tool that does not say where: its own words stand
            return clue
        place = self.places.get(person, clue.place)
        return _changed(clue, person=person, place=place, text=_named(clue.text, person, place))

    def _with_voice(self, clue: Clue) -> Clue:
        """The clue of the sound with the person or the voice that it is about."""
        owner = self.voices.owner(clue)
        return _changed(clue, person=owner, text=self.voices.text(clue, owner))


def numbering(clues: Iterable[Clue]) -> Numbering:
    """The common numbering of the people in the clues of all tools."""
    ordered = sorted((clue for clue in clues if clue.kind != "reviewed"), key=lambda c: c.id)
    seen: dict[str, dict[str, list[Sight]]] = defaultdict(lambda: defaultdict(list))
    places: dict[Owner, Counter[str]] = defaultdict(Counter)
    for clue in ordered:
        if clue.person is not None and (sight := sight_of(clue)) is not None:
            seen[clue.source.tool][clue.person].append(sight)
            places[clue.source.tool, clue.person].update([clue.place] if clue.place else [])
    faces = {clue.source.tool for clue in ordered if clue.modality == "face"}
    tools = sorted(seen, key=lambda tool: (tool not in faces, -len(seen[tool]), tool))
    known: dict[str, Sequence[Sight]] = dict(seen[tools[0]]) if tools else {}
    names: dict[Owner, str] = {(tools[0], name): name for name in known}
    for tool in tools[1:]:
        for person, name in _matched(seen[tool], known).items():
            names[tool, person] = name
            known.setdefault(name, seen[tool][person])
    said: dict[str, str] = {}
    for owner, name in names.items():  # the words of the first tool hold
        for place, _ in places[owner].most_common(1):
            said.setdefault(name, place)
    voices = hearing(ordered, names)
    others = (c.person for c in ordered if c.person is not None and sight_of(c) is None)
    elsewhere = {name for name in others if name not in voices.turns}
    people = max(len({*known, *elsewhere}), len(voices.turns), *map(_count, ordered), 0)
    return Numbering(names, said, people, known, voices)


def _count(clue: Clue) -> int:
    """The number of people that a clue counts; 0 where it counts none."""
    counts = any(mention.cue == "people_count" for mention in clue.cues)
    number = clue.data.get("people") if counts else 0
    return number if isinstance(number, int) else 0


def sight_of(clue: Clue) -> Sight | None:
    """Where the clue's person is seen; None for a clue that does not measure it."""
    box = [clue.quality.factors.get(name) for name in FACE_BOX]
    if clue.span is None or None in box:
        return None
    return Sight(clue.span, *(value for value in box if value is not None))


def nearest(sight: Sight, people: Mapping[str, Sequence[Sight]]) -> str | None:
    """The person whose face is at that place at that time, if any is."""
    gaps = [(sight.apart(one), name) for name, sights in people.items() for one in sights]
    gap, name = min(gaps, default=(math.inf, ""))
    return name if gap <= NEAR else None


def _matched(
    people: Mapping[str, Sequence[Sight]], known: Mapping[str, Sequence[Sight]]
) -> dict[str, str]:
    """The common name of each of a tool's people; each known one once.

    By place and time; where that does not tell, by the tool's own name, unless that person is
    seen somewhere else meanwhile; or the first number that is free.
    """
    votes = Counter(
        (person, name)
        for person, sights in people.items()
        for sight in sights
        if (name := nearest(sight, known)) is not None
    )
    found: dict[str, str] = {}
    for (person, name), _ in sorted(votes.items(), key=lambda vote: (-vote[1], vote[0])):
        if person not in found and name not in found.values():
            found[person] = name
    for person in sorted(people.keys() - found.keys()):
        taken = {*known, *found.values()}
        same = person not in found.values() and not _is_far(people[person], known.get(person, ()))
        numbers = (f"person {number}" for number in count(1))
        found[person] = person if same else next(name for name in numbers if name not in taken)
    return found


def _is_far(sights: Sequence[Sight], others: Sequence[Sight]) -> bool:
    """True if the two are seen at the same time and never near each other."""
    gaps = [gap for one in sights for other in others if (gap := one.apart(other)) < math.inf]
    return bool(gaps) and min(gaps) > FAR


def _named(text: str, person: str, place: str | None) -> str:
    """The sentence about this person by number and place."""
    match = _SUBJECT.search(text)
    if match is None:
        return text
    owned = text[match.end() :].startswith("'s")
    words = person if owned or not place else f"{person} ({place})"
    first = (match[1] or match[2]).isupper()
    words = words[0].upper() + words[1:] if first else words
    return text[: match.start()] + words + text[match.end() :]


def _unattributed(clue: Clue) -> Clue:
    """A clue that does not know whose it is says "someone"."""
    if clue.modality not in ("audio", "text") and sight_of(clue) is None:
        return clue
    if not clue.cues and clue.kind == "measured":  # of a strange tool, or an older trace
        return clue
    before, quote, after = clue.text.partition('"')
    before = _ANYONE.sub(lambda m: "Someone" if m[1] == "T" else "someone", before, count=1)
    return _changed(clue, text=before + quote + after)


def _changed(clue: Clue, **fields: object) -> Clue:
    """The clue with other fields, and the id that fits them."""
    if all(getattr(clue, name) == value for name, value in fields.items()):
        return clue
    rest = {name: value for name, value in clue if name != "id"}
    return Clue.model_validate({**rest, **fields})
