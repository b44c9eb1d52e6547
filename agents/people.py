"""Who is in the clip, as its clues tell people apart: by a local number, by their place."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

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
class Somebody:
    """A person as one tool tells them apart, and where that tool mostly sees them.

    Two tools may number the same people differently; what they share is the place.
    """

    tool: str
    name: str
    place: str | None

    def may_be(self, other: Somebody) -> bool:
        """Tell whether two tools may mean the same person: by place, else by name."""
        if self.place and other.place:
            return self.place == other.place
        return self.name == other.name


def people_in(clues: Iterable[Clue]) -> tuple[Somebody, ...]:
    """Return the people that the clues tell of, by tool and name."""
    places: dict[tuple[str, str], Counter[str]] = {}
    for clue in clues:
        name = person_of(clue)
        if name is not None:
            seen = places.setdefault((clue.source.tool, name), Counter())
            seen.update(filter(None, [place_of(clue)]))
    return tuple(
        Somebody(tool, name, min(seen, key=lambda p: (-seen[p], p)) if seen else None)
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


def tells_sexes(clues: Iterable[Clue]) -> bool:
    """Tell whether any clue calls somebody a woman or a man."""
    return any(_SEXED.search(c.text.casefold()) for c in clues if c.modality != "text")
