"""What was found, before it becomes a clue: a sentence, its time and its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class Finding:
    """One true sentence about the scene, with what it rests on."""

    text: str
    start: float
    end: float
    quality: float
    person: str | None = None
    factors: Mapping[str, float] = field(default_factory=dict)
    data: Mapping[str, JsonValue] = field(default_factory=dict)


def when(start: float, end: float) -> str:
    """Return the time as "2.1-2.8 s"; "2.1 s" when it is one moment."""
    first, last = f"{start:.1f}", f"{end:.1f}"
    return f"{first} s" if first == last else f"{first}-{last} s"


def amount(value: float, clear: float, strong: float) -> str:
    """Return "slightly", "clearly" or "strongly"."""
    if value >= strong:
        return "strongly"
    return "clearly" if value >= clear else "slightly"


def listed(items: list[str]) -> str:
    """Return "a", "a and b" or "a, b and c"."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)
