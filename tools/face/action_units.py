"""Action units over time: events with onset, apex, offset and intensity.

Hysteresis finds the movement where its unit's signal reaches a threshold; onset and offset are
where the signal leaves 10 % of its height and comes back to it (Facial Action Coding System
practice). It counts where its plateau passes the unit's test, graded A (trace) to E (maximum).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emer.tools.face import action_unit_signals as s
from emer.tools.face.baseline import Changes
from emer.tools.face.geometry import Measures
from emer.tools.timeseries import (
    Floats,
    Stretch,
    at_least,
    frame_time,
    hysteresis,
    join_close,
    noise,
    ramp,
    split_at_holes,
    stretches,
)

FOOT: Final = 0.1
"""Share of the height at which a movement begins and ends."""
LEAST_HEIGHT: Final = 0.25
"""The same at most, in small movements that hardly exceed noise (chosen by us)."""
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
    """Largest ratio of the signal to its threshold."""
    letter: str
    side: str | None
    frames: Stretch
    by: str
    """The method: the landmarks' geometry, blendshapes, or both."""
    trust: float
    absolute: bool = False
    """Whether it is measured against a neutral face, since this one does not rest in the clip."""

    @property
    def half(self) -> int | None:
        """Half of the face whose landmarks it rests on; None for blendshapes alone."""
        return None if self.by == "blendshapes" else half_of(self.units)


def _plateau(signal: Floats, run: Stretch, share: float) -> NDArray[np.intp]:
    inside = signal[run.part]
    return np.asarray(run.first + np.flatnonzero(inside >= share * inside.max()))


def _widened(signal: Floats, run: Stretch, reach: int, room: Stretch, unrest: float) -> Stretch:
    """The run from where it leaves 10 % of its height to where it is back there.

    At most `reach` frames away, in the `room` between other events, and above the noise `unrest`.
    """
    start, end = max(room.first, run.first - reach), min(room.last, run.last + reach)
    onset = start + _rise(signal[start : run.last + 1], run.first - start, unrest)
    offset = end - _rise(signal[run.first : end + 1][::-1], end - run.last, unrest)
    return Stretch(min(onset, run.last), max(offset, run.first))


def _rise(signal: Floats, noticed: int, unrest: float) -> int:
    """Index where the movement at `noticed` leaves the lowest value before, its foot."""
    peak = float(signal[noticed:].max())
    base = max(float(signal[:noticed].min()), 0.0) if noticed else 0.0
    height = peak - base
    foot = base + max(FOOT * height, min(unrest, LEAST_HEIGHT * height))
    half = noticed + int(np.argmax(signal[noticed:] >= 0.5 * peak))
    low = np.flatnonzero(signal[: half + 1] <= foot)
    return int(low[-1]) + 1 if len(low) else 0


HALF: Final = 0.5
"""Share of the height from which the test of a movement counts."""
ON_Z: Final = 2.5
REACH_S: Final = 0.6
"""Largest distance of onset and offset from the detected stretch."""
OFF_SHARE: Final = 0.5
"""Off at about 1.2 of 2.5 noise deviations."""
LIP_UNITS: Final = frozenset({10, 12, 14, 15, 16, 17, 18, 20, 22, 23, 24, 26, 28, 29, 30, 34})
UPPER_UNITS: Final = frozenset({1, 2, 4, 5, 6, 7})
WHILE_SPEAKING: Final = 1.8
"""How much more the mouth must move to count while it speaks (chosen by us)."""


@dataclass(frozen=True, slots=True)
class Unit:
    """How one action unit, or several that geometry cannot part, is measured."""

    name: str
    units: tuple[int, ...]
    signal: s.Signal
    trace: float
    """Least displacement in IOD."""
    full: float
    """Displacement in IOD at intensity E."""
    pose: float = 0.0
    """Displacement that a turn of the head by one degree can feign."""
    test: s.Test | None = None
    """A condition on the plateau."""
    side: str | None = None
    shortest: float = 0.2
    """Shortest event in seconds."""
    lids: float = 0.0
    """Displacement that shutting the eyes can feign, beyond `baseline.LIDS_FEIGN`."""
    trust: float = 1.0
    """Share of the measurement's quality that is left for this method."""
    shapes: tuple[str, ...] = ()
    """The blendshapes that its signal needs, without Left and Right; else geometry."""


def half_of(units: tuple[int, ...]) -> int:
    """0 for units of the upper face, 1 for those of the lower."""
    return int(units[0] not in UPPER_UNITS)


def _one_corner(side: int, name: str) -> Unit:
    signal, test = partial(s.one_corner, side=side), partial(s.one_sided, side=side)
    return Unit("one_corner", (12,), signal, 0.04, 0.12, 0.002, test, name, 0.35, lids=0.02)


def _jaw_aside(sign: int, name: str) -> Unit:
    signal = partial(s.jaw_aside, sign=sign)
    return Unit("jaw_aside", (30,), signal, 0.025, 0.10, 0.0025, side=name, shortest=0.3)


UNITS: Final = (
    Unit("smile", (12,), s.smile, 0.06, 0.38, 0.0015, s.smiling, shortest=0.35, lids=0.03),
    _one_corner(0, "right"),
    _one_corner(1, "left"),
    Unit("corners_down", (15,), s.corners_down, 0.028, 0.10, 0.001),
    Unit("brow_raise", (1, 2), s.brows_up, 0.028, 0.12, 0.0015, s.whole_brow, lids=0.02),
    Unit("inner_brow_raise", (1,), s.brows_up, 0.028, 0.09, 0.0015, s.inner_brow, lids=0.02),
    Unit("outer_brow_raise", (2,), s.brows_up, 0.028, 0.09, 0.0015, s.outer_brow, lids=0.02),
    Unit("frown", (4,), s.brows_together, 0.022, 0.08, 0.0015, s.furrowed),
    Unit("drawn_up", (1, 4), s.brows_together, 0.025, 0.08, 0.0015, s.drawn_up),
    Unit("wide_eyes", (5,), s.wide_eyes, 0.06, 0.22, 0.002, lambda c: c.turned < 20),
    Unit("pressed_lips", (23, 24, 28), s.pressed_lips, 0.03, 0.10, 0.001, shortest=0.3),
    Unit("pucker", (18, 22), s.pucker, 0.06, 0.20, 0.002, shortest=0.4),
    Unit("stretched_lips", (20,), s.stretched_lips, 0.07, 0.20, 0.002, shortest=0.4),
    Unit("chin_raise", (17,), s.chin_raise, 0.045, 0.13, 0.001),
    Unit("jaw_drop", (26,), s.jaw_drop, 0.06, 0.20, 0.002, shortest=0.4),
    _jaw_aside(-1, "right"),
    _jaw_aside(+1, "left"),
)
"""`trace` and `full` were chosen by us: `full` is about the largest displacement
seen in posed pictures, and py-feat's action-unit-to-mesh regression gives the rough sizes. Units
that share a signal share its threshold, so that one movement gets one name."""


def find_events(units: Iterable[Unit], measures: Measures, moved: Changes) -> list[Event]:
    """The events of these units, by onset."""
    events = [event for unit in units for event in _events(unit, measures, moved)]
    return sorted(events, key=lambda e: (e.onset, e.name))


def _events(unit: Unit, measures: Measures, moved: Changes) -> Iterator[Event]:
    half = None if unit.shapes else half_of(unit.units)
    signal, times = seen_well(measures, half) * unit.signal(moved), measures.times
    unrest = float(np.clip(noise(signal, times), unit.trace / ON_Z, 1.6 * unit.trace / ON_Z))
    on = ON_Z * unrest + unit.pose * np.maximum(moved.turned - 5.0, 0.0)
    on = on + unit.lids * moved.shut.mean(axis=1)
    if unit.units[0] in LIP_UNITS:
        on = on * np.where(moved.speaking, WHILE_SPEAKING, 1.0)
    mask = hysteresis(signal, on, OFF_SHARE * on)
    runs = split_at_holes(join_close(stretches(mask), times, MERGE_S), times)
    reach = round(REACH_S / frame_time(times))
    lasts, firsts = [-1, *(run.last for run in runs)], [*(run.first for run in runs), len(times)]
    for run, before, after in zip(runs, lasts[:-1], firsts[1:], strict=True):
        if not at_least([run], times, unit.shortest):
            continue
        if unit.test and not unit.test(moved.medians(_plateau(signal, run, HALF))).all():
            continue
        whole = _widened(signal, run, reach, Stretch(before + 1, after - 1), unrest)
        top = _plateau(signal, run, TOP)
        peak = float(signal[top].max())
        yield Event(
            name=unit.name,
            units=unit.units,
            onset=float(times[whole.first]),
            apex=float(times[top[len(top) // 2]]),
            offset=float(times[whole.last]),
            peak=peak,
            z=peak / unrest,
            margin=float((signal / on)[run.part].max()),
            letter=letter(peak, unit),
            side=unit.side,
            frames=run,
            by="blendshapes" if unit.shapes else "geometry",
            trust=unit.trust,
        )


def seen_well(measures: Measures, half: int | None) -> Floats:
    """Visibility of one half of the face, 1 to 0: covered, or turned by 40 degrees.

    Without a half only the turn counts: blendshapes carry their own doubt (see `agreed`).
    """
    turn = np.maximum(np.abs(measures.yaw), np.abs(measures.pitch))
    facing = ramp(turn, 40.0, 32.0)
    return facing if half is None else facing * measures.sure[:, half]


def letter(peak: float, unit: Unit) -> str:
    """The FACS intensity A-E, linear from no displacement to the unit's maximum."""
    return "ABCDE"[int(np.clip(5 * peak / unit.full, 0, 4))]
