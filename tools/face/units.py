"""Action units over time: from changes against rest to events with onset, apex, offset.

Each unit is one signal in IOD that rises with the movement and is held at zero where
something else explains the change. An event starts where the signal reaches its
threshold, ends where it falls under half of it, and is graded A (trace) to E (maximum).
Only what geometry can carry is claimed: no nose wrinkle, upper-lip raise or dimple.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from emer.tools.face.changes import Changes, changes
from emer.tools.face.measures import Measures
from emer.tools.face.pose import Floats
from emer.tools.face.rest import Rest
from emer.tools.face.series import (
    Mask,
    Stretch,
    frame_time,
    hysteresis,
    joined,
    lasting,
    noise,
    stretches,
    unbroken,
)

ON_Z: Final = 2.5
OFF_SHARE: Final = 0.5
"""Off at about 1.2 of 2.5 noise deviations."""
SHORTEST_S: Final = 0.2
LIP_UNITS: Final = frozenset({12, 15, 17, 18, 20, 23})
WHILE_SPEAKING: Final = 1.8
"""How much more the mouth must move to count while it speaks (chosen by us)."""
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
    letter: str
    side: str | None
    frames: Stretch


@dataclass(frozen=True, slots=True)
class Unit:
    """How one action unit, or several that geometry cannot part, is read."""

    name: str
    units: tuple[int, ...]
    signal: Callable[[Changes], Floats]
    trace: float
    """Displacement in IOD from which it is seen at all."""
    full: float
    """Displacement in IOD at intensity E."""
    pose: float = 0.0
    """Displacement that a turn of the head by one degree can feign."""
    side: str | None = None
    shortest: float = SHORTEST_S
    """Shortest event in seconds."""


NOT_A_SMILE: Final = -0.20
"""A mouth of this shape or below does not smile, however far it has come (average at
rest: -0.29)."""
PURSED: Final = 0.06
"""A pucker takes the corners this far from the eyes; beyond it they are pulled down."""
STRETCHED: Final = -0.12


def smile(c: Changes) -> Floats:
    """AU12: the mouth widens and its corners come nearer to the eyes."""
    nearer = -c["corner_eye"]
    signal = np.minimum(c["mouth_width"] + nearer, 4 * np.maximum(nearer, 0))
    return np.where(c.shape > NOT_A_SMILE, signal, np.minimum(signal, 0))


def _one_corner(side: int) -> Callable[[Changes], Floats]:
    def signal(c: Changes) -> Floats:
        nearer = -c.sides("corner_eye")
        own, other = nearer[:, side], nearer[:, 1 - side]
        return np.where((other < 0.4 * own) & (c.turned < 12), own - np.maximum(other, 0), 0.0)

    return signal


def _corners_down(c: Changes) -> Floats:
    further = c["corner_eye"]
    lower = np.maximum(np.minimum(further, -c["corner_rise"]), further - PURSED)
    return np.where(c.gap < 0.05, lower, 0.0)


def _brow_raise(c: Changes) -> Floats:
    inner, outer = c["brow_inner"], c["brow_outer"]
    both = np.minimum(inner, outer) > 0.35 * np.maximum(inner, outer)
    return np.where(both, (inner + outer) / 2, 0.0)


def _inner_brow_raise(c: Changes) -> Floats:
    return np.where(c["brow_inner"] > 0.02, c["brow_inner"] - np.maximum(c["brow_outer"], 0), 0.0)


def _outer_brow_raise(c: Changes) -> Floats:
    return np.where(c["brow_outer"] > 0.02, c["brow_outer"] - np.maximum(c["brow_inner"], 0), 0.0)


def _frown(c: Changes) -> Floats:
    closer, lower = -c["brow_gap"], -c["brow_inner"]
    return np.where((closer > 0.006) & (lower > -0.01), closer + 0.5 * np.maximum(lower, 0), 0.0)


def _drawn_up(c: Changes) -> Floats:
    closer, inner = -c["brow_gap"], c["brow_inner"]
    return np.where((closer > 0.01) & (inner > 0.02), closer + 0.5 * inner, 0.0)


def _wide_eyes(c: Changes) -> Floats:
    lids = c.sides("upper_lid").min(axis=1)
    return np.where((lids > 0.008) & (c.turned < 20), c.sides("eye_opening").min(axis=1), 0.0)


def _pressed_lips(c: Changes) -> Floats:
    return np.where((c.gap < 0.03) & (smile(c) < 0.05), -c["lip_red"], 0.0)


def _pucker(c: Changes) -> Floats:
    shape = (c.gap < 0.15) & (c["lip_forward"] > -0.01)
    return np.where(shape, -c["mouth_width"], 0.0)


def _stretched_lips(c: Changes) -> Floats:
    level = (c["corner_eye"] > -0.012) & (c["corner_rise"] < 0.01) & (c.shape < STRETCHED)
    return np.where(level, c["mouth_width"], 0.0)


def _chin_raise(c: Changes) -> Floats:
    return np.where((c.gap < 0.04) & (smile(c) < 0.05), -c["chin_lip"], 0.0)


UNITS: Final = (
    Unit("smile", (12,), smile, 0.06, 0.38, 0.0015, shortest=0.35),
    Unit("one_corner", (12,), _one_corner(0), 0.04, 0.12, 0.002, "right", 0.35),
    Unit("one_corner", (12,), _one_corner(1), 0.04, 0.12, 0.002, "left", 0.35),
    Unit("corners_down", (15,), _corners_down, 0.028, 0.10, 0.001),
    Unit("brow_raise", (1, 2), _brow_raise, 0.025, 0.10, 0.0015),
    Unit("inner_brow_raise", (1,), _inner_brow_raise, 0.022, 0.07, 0.001),
    Unit("outer_brow_raise", (2,), _outer_brow_raise, 0.028, 0.07, 0.0015),
    Unit("frown", (4,), _frown, 0.022, 0.08, 0.002),
    Unit("drawn_up", (1, 4), _drawn_up, 0.025, 0.08, 0.002),
    Unit("wide_eyes", (5,), _wide_eyes, 0.06, 0.22, 0.002),
    Unit("pressed_lips", (23, 24, 28), _pressed_lips, 0.03, 0.10, 0.001, shortest=0.3),
    Unit("pucker", (18, 22), _pucker, 0.06, 0.20, 0.002, shortest=0.4),
    Unit("stretched_lips", (20,), _stretched_lips, 0.07, 0.20, 0.002, shortest=0.4),
    Unit("chin_raise", (17,), _chin_raise, 0.045, 0.13, 0.001),
)
"""`trace` and `full` were chosen by us: `full` is about the largest displacement seen in
posed pictures, and py-feat's action-unit-to-mesh regression gives the rough sizes."""


def find_events(measures: Measures, rest: Rest, speaking: Mask) -> list[Event]:
    """Return all events of all units, by onset."""
    moved = changes(measures, rest, speaking)
    found = [event for unit in UNITS for event in _events_of(unit, moved, measures, speaking)]
    return sorted(found, key=lambda e: (e.onset, e.name))


def _events_of(unit: Unit, moved: Changes, measures: Measures, speaking: Mask) -> list[Event]:
    signal = np.where(seen_well(measures), unit.signal(moved), 0.0)
    unrest = float(np.clip(noise(signal), unit.trace / ON_Z, 1.6 * unit.trace / ON_Z))
    turned = np.maximum(moved.turned - 5.0, 0.0)
    on = ON_Z * unrest + unit.pose * turned
    if unit.units[0] in LIP_UNITS:
        on = on * np.where(speaking, WHILE_SPEAKING, 1.0)
    mask = hysteresis(signal, on, OFF_SHARE * on)
    times = measures.times
    runs = joined(stretches(mask), times, MERGE_S)
    runs = lasting(unbroken(runs, times), times, unit.shortest)
    return [_event(unit, signal, unrest, run, times) for run in runs]


def seen_well(measures: Measures) -> Mask:
    """Return the frames whose geometry may be read: head turned less than 35 degrees."""
    return np.asarray((np.abs(measures.yaw) < 35) & (np.abs(measures.pitch) < 35))


def _event(unit: Unit, signal: Floats, unrest: float, run: Stretch, times: Floats) -> Event:
    inside = signal[run.first : run.last + 1]
    peak = float(inside.max())
    plateau = np.flatnonzero(inside >= 0.9 * peak)
    apex = run.first + int(plateau[len(plateau) // 2])
    first, last = _widened(signal, run, 0.1 * peak, times)
    return Event(
        name=unit.name,
        units=unit.units,
        onset=float(times[first]),
        apex=float(times[apex]),
        offset=float(times[last]),
        peak=peak,
        z=peak / unrest,
        letter=letter(peak, unit),
        side=unit.side,
        frames=run,
    )


def _widened(signal: Floats, run: Stretch, floor: float, times: Floats) -> Stretch:
    """Return the run from where it leaves 10 % of its peak to where it is back there.

    Looks no further than half a second beyond either end.
    """
    reach = round(0.5 / frame_time(times))
    first, last = run
    while first > max(0, run.first - reach) and floor < signal[first - 1] < signal[first]:
        first -= 1
    end = min(len(signal) - 1, run.last + reach)
    while last < end and floor < signal[last + 1] < signal[last]:
        last += 1
    return Stretch(first, last)


def letter(peak: float, unit: Unit) -> str:
    """Return the FACS intensity A-E, linear from no displacement to the unit's maximum."""
    return "ABCDE"[int(np.clip(np.floor(5 * peak / unit.full), 0, 4))]
