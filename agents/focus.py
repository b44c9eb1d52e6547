"""Whom the question is about: the person named in it, else the one seen most."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from emer.agents.cues import Reading
from emer.tools.types import Clue

BYSTANDER = 0.3
"""What another person's face still says about this one's expression (chosen by us)."""

_NAMED = re.compile(r"\bperson (\d+)\b")


def focus(readings: Sequence[Reading], question: str) -> tuple[Reading, ...]:
    """Return the readings with other people's clues turned down."""
    main = main_person(readings, question)
    if main is None:
        return tuple(readings)
    return tuple(
        r
        if person_of(r.clue) in (None, main)
        else replace(r, reliability=r.reliability * BYSTANDER)
        for r in readings
    )


def main_person(readings: Sequence[Reading], question: str) -> str | None:
    """Return the person to explain, or None if no clue names any."""
    counts = Counter(
        person for r in readings if (person := person_of(r.clue)) for _ in r.mentions or (0,)
    )
    named = _NAMED.search(question.casefold())
    if named and f"person {named.group(1)}" in counts:
        return f"person {named.group(1)}"
    return min(counts, key=lambda name: (-counts[name], name), default=None)


def person_of(clue: Clue) -> str | None:
    """Return the clip-local name of the clue's person, in lower case."""
    if clue.person:
        return clue.person.casefold()
    named = _NAMED.search(clue.text.casefold()) if clue.modality != "text" else None
    return f"person {named.group(1)}" if named else None
