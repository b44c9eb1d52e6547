"""A finding: one sentence about a face, with its time, its weight and its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from emer.tools.face.pose import Floats
from emer.tools.face.series import Mask, Stretch, length


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence's words after the person's name, its time, its weight and its numbers.

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
    """Share of the measurement's quality that is left for what shows it."""


def touches(one: Stretch, inside: Mask) -> bool:
    """Tell whether any frame of the stretch is inside the window."""
    return bool(inside[one.first : one.last + 1].any())


def when(start: float, end: float) -> str:
    """Return a time or a stretch of time in words: "at 2.1-2.8 s"."""
    a, b = f"{start:.1f}", f"{end:.1f}"
    return f"at {a} s" if a == b else f"at {a}-{b} s"


def when_each(found: Sequence[Stretch], times: Floats, most: int = 3) -> str:
    """Return the longest few stretches in words: "at 0.0-3.4 s and 5.1-7.8 s"."""
    longest = sorted(found, key=lambda s: (-length(s, times), s.first))[:most]
    parts = [f"{times[s.first]:.1f}-{times[s.last]:.1f} s" for s in sorted(longest)]
    return "at " + " and ".join([", ".join(parts[:-1])] * (len(parts) > 1) + parts[-1:])
