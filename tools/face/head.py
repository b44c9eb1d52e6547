"""The head: nods, shakes, turns, tilts, lowering and raising."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from emer.tools.face.measures import Measures
from emer.tools.face.pose import Floats
from emer.tools.face.series import (
    Stretch,
    hysteresis,
    joined,
    lasting,
    smooth,
    stretches,
    turning_points,
    unbroken,
)

NOD_DEG: Final = 4.0
SHAKE_DEG: Final = 5.0
DOMINANCE: Final = 1.8
"""How much more the one axis must swing than the other."""
LEAST_SWINGS: Final = 3
SLOWEST_SWING_S: Final = 0.7
EVEN: Final = 0.4
"""Least ratio of the smallest to the largest swing: a turn of the head to somewhere else
is one large swing, and no shake. Chosen by us."""


class Swing(NamedTuple):
    """A rhythmic movement of the head."""

    name: str
    frames: Stretch
    half_swings: int
    """How many half swings."""
    degrees: float
    """Peak to peak."""


class HeadMove(NamedTuple):
    """A held position of the head away from where it rests."""

    name: str
    frames: Stretch
    degrees: float


def find_swings(measures: Measures) -> list[Swing]:
    """Return nods (pitch) and shakes (yaw): three or more even swings, 0.7-5 Hz apart."""
    nods = _swinging("nod", measures, measures.pitch, measures.yaw)
    shakes = _swinging("shake", measures, measures.yaw, measures.pitch)
    return sorted(nods + shakes, key=lambda s: (s.frames, s.name))


def _swinging(name: str, measures: Measures, own: Floats, other: Floats) -> list[Swing]:
    times = measures.times
    angle, cross = smooth(own, times, 0.12), smooth(other, times, 0.12)
    turns = turning_points(angle, NOD_DEG if name == "nod" else SHAKE_DEG)
    found = []
    for first, last in _even_runs(turns, angle, times):
        part = slice(first, last + 1)
        if angle[part].std() > DOMINANCE * cross[part].std():
            count = sum(first <= t <= last for t in turns) - 1
            found.append(Swing(name, Stretch(first, last), count, float(np.ptp(angle[part]))))
    return found


def _even_runs(turns: list[int], angle: Floats, times: Floats) -> list[tuple[int, int]]:
    """Return runs of at least three swings alike in size, each of 0.1-0.7 s."""
    runs: list[tuple[int, int]] = []
    start = 0
    for end in range(1, len(turns) + 1):
        if end < len(turns) and _is_even(turns[start : end + 1], angle, times):
            continue
        if end - 1 - start >= LEAST_SWINGS:
            runs.append((turns[start], turns[end - 1]))
        start = max(start + 1, end - 1)
    return runs


def _is_even(turns: list[int], angle: Floats, times: Floats) -> bool:
    sizes = np.abs(np.diff(angle[turns]))
    lengths = np.diff(times[turns])
    quick = bool(((lengths >= 0.08) & (lengths <= SLOWEST_SWING_S)).all())
    return quick and bool(sizes.min() >= EVEN * sizes.max())


def find_moves(measures: Measures) -> list[HeadMove]:
    """Return when the head is held away from its rest for 0.5 s or more."""
    pitch = measures.pitch - np.median(measures.pitch)
    roll = measures.roll - np.median(measures.roll)
    away = np.abs(measures.yaw)
    found = [
        *_held("lowers", -pitch, 10.0, measures.times),
        *_held("raises", pitch, 10.0, measures.times),
        *_held("tilts_right", roll, 12.0, measures.times),
        *_held("tilts_left", -roll, 12.0, measures.times),
        *_held("turns_left", np.where(measures.yaw > 0, away, 0.0), 25.0, measures.times),
        *_held("turns_right", np.where(measures.yaw < 0, away, 0.0), 25.0, measures.times),
    ]
    return sorted(found, key=lambda m: (m.frames, m.name))


def _held(name: str, angle: Floats, least: float, times: Floats) -> list[HeadMove]:
    level = np.full(len(times), least)
    mask = hysteresis(smooth(angle, times, 0.3), level, 0.6 * level)
    runs = unbroken(joined(stretches(mask), times, 0.3), times)
    return [
        HeadMove(name, run, float(angle[run.first : run.last + 1].max()))
        for run in lasting(runs, times, 0.5)
    ]
