"""The demo's script: which part of the face moves when, and how far.

It is written first and the clip is drawn from it, so it is the truth that the tools'
findings are held against.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import acos, cos, pi

LENGTH = 8.4
"""Seconds of the clip."""

SPEECH_START = 1.2
"""When the voice sets in, in seconds."""

WORDS = "Oh, I can't believe it! This is wonderful news!"
"""What the voice in assets/speech.flac says."""


@dataclass(frozen=True, slots=True)
class Action:
    """A scripted movement: grows from `onset`, holds from `apex` to `release`, gone at `offset`.

    `name` is a movement of `warp.MOVES`, `units` the action units it shows, `strength` the
    share of the movement's full size. Times are in seconds.
    """

    name: str
    units: tuple[int, ...]
    onset: float
    apex: float
    release: float
    offset: float
    strength: float = 1.0

    def level(self, time: float) -> float:
        """Return how far the movement is at `time`, from 0 to `strength`."""
        grown = _ease((time - self.onset) / (self.apex - self.onset))
        gone = _ease((time - self.release) / (self.offset - self.release))
        return self.strength * (grown - gone)

    def visible(self) -> tuple[float, float]:
        """Return when the movement passes a tenth of its size, growing and going.

        Coders of faces put a movement's onset and offset there (FACS practice); the first
        hundredths of an eased movement are invisible.
        """
        tenth = acos(0.8) / pi
        grown = self.onset + tenth * (self.apex - self.onset)
        return grown, self.offset - tenth * (self.offset - self.release)


SCRIPT: tuple[Action, ...] = (
    Action("blink", (45,), 0.44, 0.54, 0.66, 0.80),
    Action("brows up", (1, 2), 1.30, 1.55, 3.00, 3.16),
    Action("smile", (6, 12), 5.05, 5.50, 6.70, 7.15),
    Action("blink", (45,), 7.60, 7.70, 7.82, 7.96),
)


def levels(time: float, script: tuple[Action, ...] = SCRIPT) -> dict[str, float]:
    """Return how far each movement is at `time` seconds."""
    found: dict[str, float] = {}
    for action in script:
        found[action.name] = found.get(action.name, 0.0) + action.level(time)
    return found


def _ease(share: float) -> float:
    """Return a raised cosine from 0 to 1 over the unit interval."""
    return (1 - cos(pi * min(max(share, 0.0), 1.0))) / 2
