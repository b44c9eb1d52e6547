"""Cross-validation of cue weights, and calibration of their log-odds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emer.evals.fit.features import Examples, shipped
from emer.evals.fit.logistic import Weights, as_shipped, fit
from emer.evals.metrics.bootstrap import Difference, Estimate, Floats, Statistic, estimate, mean
from emer.evals.metrics.calibration import Judged

HOLDS = (0.1, 0.3, 1.0, 3.0, 10.0)
"""Strengths of the prior, one of which is chosen within each training part."""
INNER = 3


@dataclass(frozen=True)
class Calibration:
    """Scale and offset of log-odds before the logistic function (Platt 1999)."""

    scale: float
    offset: float

    def probability(self, scores: Floats) -> Floats:
        return np.asarray(1 / (1 + np.exp(-(self.scale * scores + self.offset))))


@dataclass(frozen=True)
class Held:
    """Out-of-fold log-odds of every clip and family, and each fold's prior strength."""

    scores: Floats
    probabilities: Floats
    holds: tuple[float, ...]


def folds(clips: int, count: int, seed: int) -> NDArray[np.int64]:
    """Fold of each clip, of even sizes, by a seed."""
    return np.random.default_rng(seed).permutation(np.arange(clips) % count)


def cross_validate(
    of: Examples, count: int, seed: int, done: Callable[[str], None] = lambda _: None
) -> tuple[Held, Held]:
    """Out-of-fold scores of the learnt and of the shipped weights."""
    place = folds(len(of.names), count, seed)
    holds: list[float] = []

    def learn(part: Examples) -> Weights:
        holds.append(choose_hold(part, seed))
        weights = fit(part, shipped(part), holds[-1])
        done(f"fold {len(holds)}")
        return weights

    fitted = _out_of_fold(of, place, learn)
    baseline = _out_of_fold(of, place, lambda part: as_shipped(part, shipped(part)))
    return Held(*fitted, tuple(holds)), Held(*baseline, ())


def choose_hold(of: Examples, seed: int) -> float:
    """Prior strength with the least log loss in an inner cross-validation."""
    place = folds(len(of.names), INNER, seed + 1)
    prior = shipped(of)

    def loss_at(hold: float) -> float:
        scores = np.zeros(of.displayed.shape)
        for train, test in _splits(place):
            scores[test] = fit(of.rows(train), prior, hold).scores(of.stated[test])
        return float(log_loss(scores, of.displayed).mean())

    return min(HOLDS, key=loss_at)


def calibrate(scores: Floats, displayed: NDArray[np.bool_]) -> Calibration:
    """Line that calibrates the log-odds of all families on what is displayed."""
    from scipy.optimize import minimize

    z, y = scores.ravel(), displayed.ravel().astype(np.float64)

    def loss(x: Floats) -> tuple[float, Floats]:
        line = x[0] * z + x[1]
        off = 1 / (1 + np.exp(-np.clip(line, -30, 30))) - y
        return float(np.logaddexp(0, line).sum() - line @ y), np.array([off @ z, off.sum()])

    scale, offset = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B").x
    return Calibration(float(scale), float(offset))


def log_loss(scores: Floats, displayed: NDArray[np.bool_]) -> Floats:
    """Each clip's log loss, mean over families, in nats."""
    return np.asarray((np.logaddexp(0, scores) - scores * displayed).mean(axis=1))


def compare(of: Examples, fitted: Held, baseline: Held) -> dict[str, Estimate]:
    """Out-of-fold scores of both and their differences, with paired intervals."""
    statistics: dict[str, Statistic] = {}
    for name, held in (("fitted", fitted), ("shipped", baseline)):
        judged = judge_top(of, held.probabilities)
        clipped = np.clip(held.probabilities, 1e-9, 1 - 1e-9)
        log_odds = np.asarray(np.log(clipped / (1 - clipped)))
        statistics |= {
            f"{name}_log_loss": mean(log_loss(log_odds, of.displayed)),
            f"{name}_first_right": judged.accuracy,
            f"{name}_brier": judged.brier,
            f"{name}_ece": judged.ece,
        }
    for key in ("log_loss", "first_right", "brier", "ece"):
        difference = Difference(statistics[f"fitted_{key}"], statistics[f"shipped_{key}"])
        statistics[f"difference_{key}"] = difference
    return estimate(statistics, len(of.names))


def judge_top(of: Examples, probabilities: Floats) -> Judged:
    """Whether each clip's most probable family is among the displayed ones."""
    top = probabilities.argmax(axis=1)
    rows = np.arange(len(top))
    right = np.where(of.displayed.any(axis=1), of.displayed[rows, top], np.nan)
    stated = np.where(np.isfinite(right), probabilities[rows, top], np.nan)
    return Judged(stated, right)


def _out_of_fold(
    of: Examples, place: NDArray[np.int64], learn: Callable[[Examples], Weights]
) -> tuple[Floats, Floats]:
    """Scores, and probabilities calibrated on the training clips' own left-out scores."""
    scores = np.zeros(of.displayed.shape)
    for train, test in _splits(place):
        scores[test] = learn(of.rows(train)).scores(of.stated[test])
    probabilities = np.zeros(of.displayed.shape)
    for train, test in _splits(place):
        line = calibrate(scores[train], of.displayed[train])
        probabilities[test] = line.probability(scores[test])
    return scores, probabilities


def _splits(place: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    for fold in range(int(place.max()) + 1):
        yield place != fold, place == fold
