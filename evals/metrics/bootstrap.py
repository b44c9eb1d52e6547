"""Paired bootstrap intervals: clips are drawn with replacement, for all systems the same ones.

Efron & Tibshirani 1993, percentile intervals. 10,000 draws and the seed are chosen by us.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from emer.evals.metrics.statistic import Draws, Floats, Statistic, value

TIMES = 10_000
SEED = 2306_15401
COVERAGE = 0.95
_CELLS = 4_000_000
"""Weights held at a time, so that a set of 100,000 clips fits the memory."""


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
    statistics: Mapping[str, Statistic], clips: int, times: int = TIMES, seed: int = SEED
) -> dict[str, Estimate]:
    """Return each statistic's value and interval, all on the same draws of clips."""
    if clips == 0:
        return {name: Estimate(np.nan, np.nan, np.nan) for name in statistics}
    drawn: dict[str, list[Floats]] = {name: [] for name in statistics}
    for draws in _draws(clips, times, seed):
        for name, statistic in statistics.items():
            drawn[name].append(statistic.at(draws))
    return {
        name: _interval(value(statistics[name], clips), np.concatenate(parts))
        for name, parts in drawn.items()
    }


def _draws(clips: int, times: int, seed: int) -> Iterator[Draws]:
    """Yield how often each clip was drawn, in blocks that fit the memory."""
    rng = np.random.default_rng(seed)
    block = max(1, min(times, _CELLS // clips))
    for start in range(0, times, block):
        rows = min(block, times - start)
        counts = rng.multinomial(clips, np.full(clips, 1 / clips), size=rows)
        yield Draws(counts.astype(np.float64))


def _interval(found: float, drawn: Floats) -> Estimate:
    """Return the percentile interval; draws in which the score is undefined are left out."""
    drawn = drawn[np.isfinite(drawn)]
    if not drawn.size:
        return Estimate(found, np.nan, np.nan)
    tail = 100 * (1 - COVERAGE) / 2
    low, high = np.percentile(drawn, [tail, 100 - tail])
    return Estimate(found, float(low), float(high))
