"""From a signal to events: where a movement starts, is strongest, and ends.

Hysteresis finds the movement; its onset and offset are where the signal leaves 10 % of
its height and comes back to it (Facial Action Coding System practice), not where the
detector happened to notice it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emer.tools.face.pose import Floats
from emer.tools.face.series import (
    Mask,
    Stretch,
    hysteresis,
    joined,
    stretches,
    unbroken,
)

FOOT: Final = 0.1
"""Share of the height at which a movement begins and ends."""
LEAST_HEIGHT: Final = 0.25
"""The same at most, in small movements that hardly exceed the unrest (chosen by us)."""
TOP: Final = 0.9
"""Share of the height from which the plateau counts."""
MERGE_S: Final = 0.3


@dataclass(frozen=True, slots=True)
class Event:
    """One movement of the face."""

    name: str
    units: tuple[int, ...]
    onset: float
    apex: float
    offset: float
    peak: float
    """Largest displacement in IOD."""
    z: float
    """The same in units of the measurement's own noise."""
    margin: float
    """Largest ratio of the signal to the threshold it had to reach."""
    letter: str
    side: str | None
    frames: Stretch
    by: str = "geometry"
    """What shows it: the landmarks' geometry, blendshapes, or both."""
    trust: float = 1.0
    """Share of the measurement's quality that is left for what shows it."""


def find_runs(signal: Floats, on: Floats, off: Floats, times: Floats) -> list[Stretch]:
    """Return the stretches of movement: from `on`, until below `off`, short gaps closed."""
    mask: Mask = hysteresis(signal, on, off)
    return unbroken(joined(stretches(mask), times, MERGE_S), times)


def plateau(signal: Floats, run: Stretch, share: float) -> NDArray[np.intp]:
    """Return the frames of the run in which the signal has this share of its largest value."""
    inside = signal[run.first : run.last + 1]
    return np.asarray(run.first + np.flatnonzero(inside >= share * inside.max()))


def widened(signal: Floats, run: Stretch, reach: int, room: Stretch, unrest: float) -> Stretch:
    """Return the run from where it leaves 10 % of its height to where it is back there.

    Both ends are looked for `reach` frames away, within `room`: the frames that no other
    event takes. What is less than the measurement's own `unrest` cannot be told from it.
    """
    start, end = max(room.first, run.first - reach), min(room.last, run.last + reach)
    onset = start + _rise(signal[start : run.last + 1], run.first - start, unrest)
    offset = end - _rise(signal[run.first : end + 1][::-1], end - run.last, unrest)
    return Stretch(min(onset, run.last), max(offset, run.first))


def _rise(signal: Floats, noticed: int, unrest: float) -> int:
    """Return where the movement noticed at an index leaves its foot.

    The foot is the lowest value before: a slow drift is not part of the movement.
    """
    peak = float(signal[noticed:].max())
    base = max(float(signal[:noticed].min()), 0.0) if noticed else 0.0
    height = peak - base
    foot = base + max(FOOT * height, min(unrest, LEAST_HEIGHT * height))
    half = noticed + int(np.argmax(signal[noticed:] >= 0.5 * peak))
    low = np.flatnonzero(signal[: half + 1] <= foot)
    return int(low[-1]) + 1 if len(low) else 0
