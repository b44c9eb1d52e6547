"""A sentence about a face before it becomes a clue: words, time, weight, numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from emer.tools.text import listed
from emer.tools.timeseries import Floats, Mask, Stretch, length


@dataclass(frozen=True, slots=True)
class Finding:
    """Words after the person's name, with their time, weight and numbers."""

    text: str
    start: float
    end: float
    weight: float
    data: dict[str, JsonValue]
    frames: Stretch
    half: int | None = None
    """The half of the face it rests on: 0 upper, 1 lower; None for the head's pose."""
    trust: float = 1.0
    """Share of the measurement's quality that is left for this sentence."""


def overlaps(stretch: Stretch, inside: Mask) -> bool:
    """Whether any frame of the stretch is inside."""
    return bool(inside[stretch.part].any())


def when_each(parts: Sequence[Stretch], times: Floats, most: int = 3) -> str:
    """The longest stretches in words: "at 0.0-3.4 s and 5.1-7.8 s"."""
    longest = sorted(parts, key=lambda s: (-length(s, times), s.first))[:most]
    return "at " + listed([f"{times[s.first]:.1f}-{times[s.last]:.1f} s" for s in sorted(longest)])
