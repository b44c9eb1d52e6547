"""Statistics over clips, and their paired bootstrap intervals.

A statistic is computed `at` some draws: how often each clip was drawn, in each of many
resamples. Every clip once is the score itself. Clips are drawn with replacement, the same ones
for all systems; intervals are percentile intervals (Efron & Tibshirani 1993). 10,000 draws and
the seed are chosen by us.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Key = TypeVar("Key", bound=Hashable)


class Draws:
    """Counts of each clip in each resample: shape (resamples, clips).

    A sum is remembered, since precision, recall and F of many systems share them.
    """

    def __init__(self, counts: Floats) -> None:
        self._counts = counts
        self._totals: dict[bytes, Floats] = {}

    def __len__(self) -> int:
        return len(self._counts)

    def total(self, values: ArrayLike) -> Floats:
        """Sum of one value per clip over each resample: shape (resamples,)."""
        vector = np.ascontiguousarray(values, dtype=np.float64)
        key = vector.tobytes()
        if key not in self._totals:
            self._totals[key] = self._counts @ vector
        return self._totals[key]


class Statistic(Protocol):
    """A score over clips."""

    def at(self, draws: Draws) -> Floats:
        """Score of each resample: shape (resamples,)."""
        ...


@dataclass(frozen=True)
class Ratio:
    """A share of counts summed over clips ("cited clues that exist : cited clues")."""

    parts: Floats
    wholes: Floats

    def at(self, draws: Draws) -> Floats:
        return divide(draws.total(self.parts), draws.total(self.wholes))


@dataclass(frozen=True)
class Harmonic:
    """Harmonic mean of precision and recall, 0 where both are 0."""

    precision: Statistic
    recall: Statistic

    def at(self, draws: Draws) -> Floats:
        p, r = self.precision.at(draws), self.recall.at(draws)
        return np.where(p + r == 0, 0.0, divide(2 * p * r, p + r))


@dataclass(frozen=True)
class Average:
    """Mean of several statistics (of the five wheels), without undefined ones."""

    parts: Sequence[Statistic]

    def at(self, draws: Draws) -> Floats:
        values = np.array([part.at(draws) for part in self.parts])
        defined = np.isfinite(values)
        return divide(np.where(defined, values, 0.0).sum(axis=0), defined.sum(axis=0))


@dataclass(frozen=True)
class Difference:
    """One statistic minus another on the same clips."""

    left: Statistic
    right: Statistic

    def at(self, draws: Draws) -> Floats:
        return self.left.at(draws) - self.right.at(draws)


def mean(values: ArrayLike) -> Ratio:
    """Mean of one value per clip; a clip with None or NaN does not take part."""
    floats = np.asarray(values, dtype=np.float64)
    part = np.isfinite(floats)
    return ratio(np.where(part, floats, 0.0), part)


def ratio(parts: ArrayLike, wholes: ArrayLike) -> Ratio:
    return Ratio(np.asarray(parts, dtype=np.float64), np.asarray(wholes, dtype=np.float64))


def value(statistic: Statistic, clips: int) -> float:
    """Score on all clips, each once."""
    return float(statistic.at(Draws(np.ones((1, clips))))[0])


def divide(part: Floats, whole: Floats) -> Floats:
    """Quotient, NaN where `whole` is zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(whole == 0, np.nan, part / whole))


TIMES = 10_000
SEED = 2306_15401
COVERAGE = 0.95
CELLS = 4_000_000
"""Cells of one block of draws, so that 100,000 clips fit the memory."""


class Estimate(NamedTuple):
    """A score with its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def resolved(self) -> bool:
        """Whether the interval of a difference leaves out zero."""
        return self.low > 0 or self.high < 0


def estimate(
    statistics: Mapping[Key, Statistic], clips: int, times: int = TIMES, seed: int = SEED
) -> dict[Key, Estimate]:
    """Each statistic's value and interval, all on the same draws of clips."""
    if clips == 0:
        return {key: Estimate(np.nan, np.nan, np.nan) for key in statistics}
    values: dict[Key, list[Floats]] = {key: [] for key in statistics}
    for draws in _draws(clips, times, seed):
        for key, statistic in statistics.items():
            values[key].append(statistic.at(draws))
    return {
        key: _interval(value(statistics[key], clips), np.concatenate(blocks))
        for key, blocks in values.items()
    }


def proportion(part: int, whole: int) -> Estimate:
    """A share of independent cases with its Wilson score interval; NaN of none.

    For counts near none or all, where resampling gives an interval without width.
    """
    if whole == 0:
        return Estimate(np.nan, np.nan, np.nan)
    share, z2 = part / whole, NormalDist().inv_cdf((1 + COVERAGE) / 2) ** 2
    centre = share + z2 / (2 * whole)
    width = math.sqrt(z2 * (share * (1 - share) + z2 / (4 * whole)) / whole)
    low, high = ((centre + side * width) / (1 + z2 / whole) for side in (-1, 1))
    return Estimate(share, max(0.0, low), min(1.0, high))


def _draws(clips: int, times: int, seed: int) -> Iterator[Draws]:
    rng = np.random.default_rng(seed)
    block = max(1, min(times, CELLS // clips))
    for start in range(0, times, block):
        rows = min(block, times - start)
        counts = rng.multinomial(clips, np.full(clips, 1 / clips), size=rows)
        yield Draws(counts.astype(np.float64))


def _interval(score: float, resampled: Floats) -> Estimate:
    defined = resampled[np.isfinite(resampled)]
    if not defined.size:
        return Estimate(score, np.nan, np.nan)
    tail = 100 * (1 - COVERAGE) / 2
    low, high = np.percentile(defined, [tail, 100 - tail])
    return Estimate(score, float(low), float(high))
