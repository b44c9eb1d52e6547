"""Numbers that know their clips, so that they can be computed again on any resample of them.

A statistic is asked for its value `at` weights: an array (resamples, clips) that says how
often each clip was drawn. All weights one is the score itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


class Statistic(Protocol):
    """A score over clips."""

    def at(self, weights: Floats) -> Floats:
        """Return the score for each row of weights (resamples, clips): shape (resamples,)."""
        ...


@dataclass(frozen=True)
class Mean:
    """The mean of one value per clip; NaN marks a clip that does not take part."""

    values: Floats

    def at(self, weights: Floats) -> Floats:
        """Return the weighted mean; NaN where no clip takes part."""
        part = np.isfinite(self.values)
        filled = np.where(part, self.values, 0.0)
        return _divide(weights @ filled, weights @ part.astype(np.float64))

    @property
    def n(self) -> int:
        """Clips that take part."""
        return int(np.isfinite(self.values).sum())


@dataclass(frozen=True)
class Ratio:
    """A share of counts summed over clips ("cited clues that exist : cited clues")."""

    parts: Floats
    wholes: Floats

    def at(self, weights: Floats) -> Floats:
        """Return sum of parts over sum of wholes; NaN where there is no whole."""
        return _divide(weights @ self.parts, weights @ self.wholes)


@dataclass(frozen=True)
class Harmonic:
    """F of two statistics: the harmonic mean of precision and recall, 0 where both are."""

    precision: Statistic
    recall: Statistic

    def at(self, weights: Floats) -> Floats:
        """Return 2PR/(P+R)."""
        p, r = self.precision.at(weights), self.recall.at(weights)
        total = p + r
        return np.where(total == 0, 0.0, _divide(2 * p * r, total))


@dataclass(frozen=True)
class Average:
    """The plain mean of several statistics ("over the five wheels"), without undefined ones."""

    parts: Sequence[Statistic]

    def at(self, weights: Floats) -> Floats:
        """Return the mean of the parts' values."""
        found = np.array([part.at(weights) for part in self.parts])
        defined = np.isfinite(found)
        return _divide(np.where(defined, found, 0.0).sum(axis=0), defined.sum(axis=0))


@dataclass(frozen=True)
class Difference:
    """One statistic minus another on the same clips."""

    left: Statistic
    right: Statistic

    def at(self, weights: Floats) -> Floats:
        """Return left minus right."""
        return self.left.at(weights) - self.right.at(weights)


def mean(values: ArrayLike) -> Mean:
    """Return the mean of one value per clip; None and NaN do not take part."""
    return Mean(np.asarray(values, dtype=np.float64))


def ratio(parts: ArrayLike, wholes: ArrayLike) -> Ratio:
    """Return the share of counts per clip."""
    return Ratio(np.asarray(parts, dtype=np.float64), np.asarray(wholes, dtype=np.float64))


def value(statistic: Statistic, clips: int) -> float:
    """Return the score on all clips, each once."""
    return float(statistic.at(np.ones((1, clips)))[0])


def _divide(left: Floats, right: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(right == 0, np.nan, left / right))
