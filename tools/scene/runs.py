"""Stretches of time: runs of moments at which something holds, and rises and falls."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple


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


def smooth(values: Sequence[float]) -> list[float]:
    """Return medians of three neighbours; the ends keep their own values."""
    inner = [sorted(values[i - 1 : i + 2])[1] for i in range(1, len(values) - 1)]
    return [*values[:1], *inner, *values[-1:]] if len(values) > 1 else list(values)
