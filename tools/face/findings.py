"""A sentence about a face before it becomes a clue: words, time, weight, numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from emer.tools.text import listed
from emer.tools.timeseries import Floats, Mask, Stretch, length


@dataclass(frozen=True, slots=True)
class Finding:
    """Words after the person's name, with their time, weight and numbers.

    `half` is the part of the face it rests on: 0 the upper, 1 the lower; None for the
    head as a whole, whose pose needs neither in particular.
    """

    says: str
    start: float
    end: float
    weight: float
    data: dict[str, JsonValue]
    frames: Stretch
    half: int | None = None
    trust: float = 1.0
    """Share of the measurement's quality that is left for this sentence."""


def touches(stretch: Stretch, inside: Mask) -> bool:
    """Whether any frame of the stretch lies inside the window."""
    return bool(inside[stretch.first : stretch.last + 1].any())


def when_each(found: Sequence[Stretch], times: Floats, most: int = 3) -> str:
    """The longest stretches in words: "at 0.0-3.4 s and 5.1-7.8 s"."""
    longest = sorted(found, key=lambda s: (-length(s, times), s.first))[:most]
    parts = [f"{times[s.first]:.1f}-{times[s.last]:.1f} s" for s in sorted(longest)]
    return f"at {listed(parts)}"
