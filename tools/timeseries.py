"""Intervals, smoothing, hysteresis and turning points of sampled series."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


class Stretch(NamedTuple):
    """Samples `first` to `last`, both included."""

    first: int
    last: int

    @property
    def part(self) -> slice:
        """The samples as an index of an array."""
        return slice(self.first, self.last + 1)


def frame_time(times: Floats) -> float:
    """The usual time between two samples in seconds; 0.04 where there is only one."""
    return float(np.median(np.diff(times))) if len(times) > 1 else 0.04


def smooth(values: Floats, times: Floats, seconds: float) -> Floats:
    """The running median over about `seconds`; shape as given, (n,) or (n, k)."""
    reach = min(round(seconds / frame_time(times) / 2), (len(times) - 1) // 2)
    if reach < 1:
        return values
    padding = [(reach, reach)] + [(0, 0)] * (values.ndim - 1)
    padded = np.pad(values, padding, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0)
    return np.asarray(np.median(windows, axis=-1))


def median_of_three(values: Sequence[float]) -> list[float]:
    """Medians of three neighbours; the ends keep their own values."""
    inner = [sorted(values[i - 1 : i + 2])[1] for i in range(1, len(values) - 1)]
    return [*values[:1], *inner, *values[-1:]] if len(values) > 1 else list(values)


def interpolate(values: Floats, hidden: Mask) -> Floats:
    """The values with the hidden samples filled in linearly from those around them."""
    if not hidden.any() or hidden.all():
        return values
    samples, known = np.arange(len(values)), np.flatnonzero(~hidden)
    columns = values.reshape(len(values), -1).T
    filled = [np.interp(samples, known, column[known]) for column in columns]
    return np.stack(filled, axis=1).reshape(values.shape)


def ramp(values: Floats, none: float, full: float) -> Floats:
    """0 at `none` and beyond, 1 at `full` and beyond, linear between them."""
    return np.asarray(np.clip((values - none) / (full - none), 0.0, 1.0))


def noise(values: Floats, times: Floats) -> float:
    """The noise of a measurement as a standard deviation.

    What a movement adds is above 0, so the values below show the noise (1.4826 times the
    median absolute deviation). The opposite movement is there, too, but it is slow: the
    noise is no larger than what a fifth of a second usually changes.
    """
    below = -values[values <= 0]
    step = max(1, round(0.2 / frame_time(times)))
    if len(below) < 5 or len(values) <= step:
        return 0.0
    changed = np.abs(values[step:] - values[:-step])
    return float(1.4826 * min(np.median(below), np.median(changed)))


def hysteresis(values: Floats, on: Floats, off: Floats) -> Mask:
    """True from where `values` reach `on` until they fall below `off`."""
    mask = np.zeros(len(values), dtype=bool)
    for one in stretches(values >= off):
        mask[one.part] = bool((values[one.part] >= on[one.part]).any())
    return mask


def stretches(mask: Mask) -> list[Stretch]:
    """The stretches of True, in order."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]])))
    return [Stretch(int(first), int(end) - 1) for first, end in edges.reshape(-1, 2)]


def mask_of(parts: Iterable[Stretch], count: int) -> Mask:
    """True inside the stretches, for `count` samples."""
    mask = np.zeros(count, dtype=bool)
    for one in parts:
        mask[one.part] = True
    return mask


def join_close(parts: list[Stretch], times: Floats, gap: float) -> list[Stretch]:
    """The stretches with those joined that are less than `gap` seconds apart."""
    result: list[Stretch] = []
    for one in parts:
        if result and times[one.first] - times[result[-1].last] < gap:
            result[-1] = Stretch(result[-1].first, one.last)
        else:
            result.append(one)
    return result


def split_at_holes(parts: list[Stretch], times: Floats, gap: float = 0.5) -> list[Stretch]:
    """The stretches, split where two samples are `gap` seconds or more apart."""
    holes = np.flatnonzero(np.diff(times) >= gap)
    result = []
    for one in parts:
        first = one.first
        for hole in holes[(holes >= one.first) & (holes < one.last)]:
            result.append(Stretch(first, int(hole)))
            first = int(hole) + 1
        result.append(Stretch(first, one.last))
    return result


def length(one: Stretch, times: Floats) -> float:
    """Duration in seconds, the last sample's own time included."""
    return float(times[one.last] - times[one.first]) + frame_time(times)


def at_least(parts: list[Stretch], times: Floats, seconds: float) -> list[Stretch]:
    """The stretches whose `length` is at least `seconds`."""
    return [s for s in parts if length(s, times) >= seconds - 1e-6]


def sparse_stretches(
    times: Sequence[float], holds: Sequence[bool], gap: float, least: float
) -> list[Stretch]:
    """Stretches of samples that hold, for series of a few samples per second.

    Gaps of up to `gap` seconds are bridged. A stretch has at least two samples and at least
    `least` seconds from the first to the last of them.
    """
    at, over = np.asarray(times, np.float64), gap + 1e-6
    parts = stretches(np.asarray(holds, np.bool_))
    parts = split_at_holes(join_close(parts, at, over), at, over)
    return [s for s in parts if s.last > s.first and at[s.last] - at[s.first] >= least - 1e-6]


def turning_points(values: Floats | Sequence[float], least: float) -> list[int]:
    """The samples where `values` turn between swings of at least `least` (zigzag).

    The ends count when the swing from or to them is large enough.
    """
    low = high = rising = 0
    points: list[int] = []
    for i in range(1, len(values)):
        if values[i] > values[high]:
            high = i
        if values[i] < values[low]:
            low = i
        if rising <= 0 and values[i] - values[low] >= least:
            points.append(low)
            rising, high = 1, i
        elif rising >= 0 and values[high] - values[i] >= least:
            points.append(high)
            rising, low = -1, i
    if rising:
        points.append(high if rising > 0 else low)
    return points


class Leg(NamedTuple):
    """A rise or fall of a series: its middle 80 % in seconds, its change."""

    start: float
    end: float
    change: float


def legs(times: Sequence[float], values: Sequence[float], least: float) -> list[Leg]:
    """The rises and falls of at least `least` between the turning points of a series."""
    return [
        Leg(*change_interval(times[a : b + 1], values[a : b + 1]), values[b] - values[a])
        for a, b in pairwise(turning_points(values, least))
    ]


def change_interval(times: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
    """When the middle 80 % of the change happens: no rest before or after it counts."""
    change = values[-1] - values[0]
    done = [(value - values[0]) / change for value in values]
    first = max(i for i in range(len(done)) if done[i] <= 0.1 + 1e-9)
    last = next((i for i in range(first, len(done)) if done[i] >= 0.9 - 1e-9), len(done) - 1)
    return times[first], times[last]
