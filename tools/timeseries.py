"""Intervals, smoothing, hysteresis, turning points.

Small operations on series of measurements: smoothing, hysteresis, stretches of time.

Stretches of time: runs of moments at which something holds, and rises and falls.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emer.tools.face.head_pose import Floats

Mask = NDArray[np.bool_]


class Stretch(NamedTuple):
    """Frames `first` to `last`, both included."""

    first: int
    last: int


def frame_time(times: Floats) -> float:
    """Return the usual time between two frames in seconds; 0.04 where there is but one."""
    return float(np.median(np.diff(times))) if len(times) > 1 else 0.04


def smooth(values: Floats, times: Floats, seconds: float) -> Floats:
    """Return the running median over about `seconds`; shape as given, (n,) or (n, k)."""
    reach = min(round(seconds / frame_time(times) / 2), (len(times) - 1) // 2)
    if reach < 1:
        return values
    padding = [(reach, reach)] + [(0, 0)] * (values.ndim - 1)
    padded = np.pad(values, padding, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0)
    return np.asarray(np.median(windows, axis=-1))


def bridged(values: Floats, hidden: Mask) -> Floats:
    """Return values with the hidden frames filled in from the frames around them."""
    if not hidden.any() or hidden.all():
        return values
    frames, known = np.arange(len(values)), np.flatnonzero(~hidden)
    columns = values.reshape(len(values), -1).T
    filled = [np.interp(frames, known, column[known]) for column in columns]
    return np.stack(filled, axis=1).reshape(values.shape)


def ramp(values: Floats, none: float, full: float) -> Floats:
    """Return 0 at `none` and beyond, 1 at `full` and beyond, and a straight line between."""
    return np.asarray(np.clip((values - none) / (full - none), 0.0, 1.0))


def stretches(mask: Mask) -> list[Stretch]:
    """Return the runs of True, in order."""
    edges = np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8))
    firsts, lasts = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    return [Stretch(int(a), int(b)) for a, b in zip(firsts, lasts, strict=True)]


def joined(found: list[Stretch], times: Floats, gap: float) -> list[Stretch]:
    """Join stretches that are less than `gap` seconds apart."""
    result: list[Stretch] = []
    for one in found:
        if result and times[one.first] - times[result[-1].last] < gap:
            result[-1] = Stretch(result[-1].first, one.last)
        else:
            result.append(one)
    return result


def lasting(found: list[Stretch], times: Floats, seconds: float) -> list[Stretch]:
    """Keep the stretches that last at least `seconds`, the last frame's own time included."""
    return [s for s in found if length(s, times) >= seconds - 1e-6]


def length(one: Stretch, times: Floats) -> float:
    """Return how long the stretch lasts in seconds, the last frame's own time included."""
    return float(times[one.last] - times[one.first]) + frame_time(times)


def hysteresis(values: Floats, on: Floats, off: Floats) -> Mask:
    """Return True from where `values` reach `on` until they fall below `off`."""
    above = values >= off
    mask = np.zeros(len(values), dtype=bool)
    for one in stretches(above):
        inside = slice(one.first, one.last + 1)
        mask[inside] = bool((values[inside] >= on[inside]).any())
    return mask


def unbroken(found: list[Stretch], times: Floats, gap: float = 0.5) -> list[Stretch]:
    """Split stretches where the face was out of sight for `gap` seconds or more."""
    holes = np.flatnonzero(np.diff(times) >= gap)
    result = []
    for one in found:
        first = one.first
        for hole in holes[(holes >= one.first) & (holes < one.last)]:
            result.append(Stretch(first, int(hole)))
            first = int(hole) + 1
        result.append(Stretch(first, one.last))
    return result


def noise(values: Floats, times: Floats) -> float:
    """Return the measurement's own unrest as a standard deviation.

    What a movement adds lies above 0, so the values below show the unrest (1.4826 times
    the median absolute deviation); but the opposite movement lies there, too. It is slow,
    so the unrest is no larger than what a fifth of a second usually changes.
    """
    below = -values[values <= 0]
    step = max(1, round(0.2 / frame_time(times)))
    if len(below) < 5 or len(values) <= step:
        return 0.0
    changed = np.abs(values[step:] - values[:-step])
    return float(1.4826 * min(np.median(below), np.median(changed)))


def turning_points(values: Floats, least: float) -> list[int]:
    """Return the frames where `values` turn between swings of at least `least`.

    The ends count when the swing from or to them is large enough.
    """
    low = high = 0
    found: list[int] = []
    rising = 0
    for frame in range(1, len(values)):
        if values[frame] > values[high]:
            high = frame
        if values[frame] < values[low]:
            low = frame
        if rising <= 0 and values[frame] - values[low] >= least:
            found.append(low)
            rising, high = 1, frame
        elif rising >= 0 and values[high] - values[frame] >= least:
            found.append(high)
            rising, low = -1, frame
    if rising:
        found.append(high if rising > 0 else low)
    return found


class Run(NamedTuple):
    """A stretch over which something held, from its first to its last moment."""

    start: float
    end: float
    indices: tuple[int, ...]
    """The moments at which it held."""

    @property
    def length(self) -> float:
        """Seconds from the first to the last moment."""
        return self.end - self.start


def runs(
    times: Sequence[float], holds: Sequence[bool], max_gap: float, min_length: float
) -> list[Run]:
    """Return the runs of moments that hold, bridging gaps of up to `max_gap` seconds.

    A run has at least two moments and lasts at least `min_length` seconds.
    """
    grouped: list[list[int]] = []
    for i in (i for i, held in enumerate(holds) if held):
        if grouped and times[i] - times[grouped[-1][-1]] <= max_gap + 1e-6:
            grouped[-1].append(i)
        else:
            grouped.append([i])
    found = [Run(times[g[0]], times[g[-1]], tuple(g)) for g in grouped if len(g) > 1]
    return [run for run in found if run.length >= min_length - 1e-6]


class Leg(NamedTuple):
    """A rise or fall of a series between two turning points."""

    start: float
    end: float
    change: float


def legs(times: Sequence[float], values: Sequence[float], least: float) -> list[Leg]:
    """Return the rises and falls of at least `least`: a zigzag through the turning points.

    Each is trimmed to where its middle 80 % happens, so that a long rest before or after
    a move is not counted as part of it.
    """
    pivots = _pivots(values, least)
    found: list[Leg] = []
    for a, b in pairwise(pivots):
        start, end = core(times[a : b + 1], values[a : b + 1])
        found.append(Leg(start, end, values[b] - values[a]))
    return found


def core(times: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
    """Return when the middle 80 % of the change from the first to the last value happens."""
    change = values[-1] - values[0]
    done = [(value - values[0]) / change for value in values]
    first = max(i for i in range(len(done)) if done[i] <= 0.1 + 1e-9)
    last = next((i for i in range(first, len(done)) if done[i] >= 0.9 - 1e-9), len(done) - 1)
    return times[first], times[last]


def _pivots(values: Sequence[float], least: float) -> list[int]:
    """Return the turning points' indices; successive ones differ by `least` or more."""
    if not values:
        return []
    low = high = 0
    pivots: list[int] = []
    direction = 0
    for i, value in enumerate(values):
        low = i if value < values[low] else low
        high = i if value > values[high] else high
        if direction <= 0 and value - values[low] >= least:
            pivots.append(low)
            direction, high = 1, i
        elif direction >= 0 and values[high] - value >= least:
            pivots.append(high)
            direction, low = -1, i
        low = i if direction > 0 else low
        high = i if direction < 0 else high
    if direction:
        pivots.append(high if direction > 0 else low)
    return pivots


def median_of_three(values: Sequence[float]) -> list[float]:
    """Return medians of three neighbours; the ends keep their own values."""
    inner = [sorted(values[i - 1 : i + 2])[1] for i in range(1, len(values) - 1)]
    return [*values[:1], *inner, *values[-1:]] if len(values) > 1 else list(values)
