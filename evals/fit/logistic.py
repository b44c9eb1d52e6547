"""Logistic regression for each family, held to the literature's weights.

The log-odds of a family are its offset plus the stated cues times their weights. Weights
are drawn towards those that ship by a Gaussian prior of strength `hold` (MAP estimate): a
cue that the data say little of keeps what the literature says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emer.evals.fit.features import Examples, Shipped
from emer.evals.metrics.bootstrap import Floats

FEWEST = 5
"""Clips that must display a family before its weights are learnt (chosen by us)."""
OFFSET_HOLD = 0.01
"""How weakly offsets are drawn towards the share of clips that display the family."""


@dataclass(frozen=True)
class Weights:
    """Learnt log-odds (cues, families), offsets (families), and which families were learnt."""

    log_odds: Floats
    offsets: Floats
    learnt: tuple[bool, ...]

    def scores(self, stated: Floats) -> Floats:
        """Log-odds of each clip and family: shape (clips, families)."""
        return np.asarray(self.offsets + stated @ self.log_odds)


def fit(of: Examples, prior: Shipped, hold: float) -> Weights:
    """Weights that fit the examples; families that are too rare keep the prior's."""
    log_odds, offsets = prior.weights.copy(), _base(of)
    shown = of.displayed.astype(np.float64)
    learnt = shown.sum(axis=0) >= FEWEST
    for place in np.flatnonzero(learnt):
        found = _fit_one(of.stated, shown[:, place], prior.weights[:, place],
                         float(offsets[place]), hold)  # fmt: skip
        log_odds[:, place], offsets[place] = found[:-1], found[-1]
    return Weights(log_odds, offsets, tuple(learnt.tolist()))


def as_shipped(of: Examples, prior: Shipped) -> Weights:
    """Shipped weights with offsets learnt for them: the line to beat."""
    offsets = _base(of)
    fixed, shown = of.stated @ prior.weights, of.displayed.astype(np.float64)
    for place in range(len(of.families)):
        offsets[place] = _fit_offset(fixed[:, place], shown[:, place], offsets[place])
    return Weights(prior.weights, offsets, (False,) * len(of.families))


def _base(of: Examples) -> Floats:
    """Log-odds of each family's share of clips, one clip added on each side."""
    count = of.displayed.sum(axis=0)
    return np.asarray(np.log((count + 1) / (len(of.names) - count + 1)))


def _fit_one(stated: Floats, displayed: Floats, prior: Floats, base: float, hold: float) -> Floats:
    from scipy.optimize import minimize

    start = np.append(prior, base)
    design = np.hstack([stated, np.ones((len(stated), 1))])
    strength = np.append(np.full(len(prior), hold), OFFSET_HOLD)

    def loss(x: Floats) -> tuple[float, Floats]:
        z = design @ x
        p = 1 / (1 + np.exp(-np.clip(z, -30, 30)))
        away = x - start
        value = np.logaddexp(0, z).sum() - z @ displayed + 0.5 * (strength * away) @ away
        return float(value), design.T @ (p - displayed) + strength * away

    found = minimize(
        loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 100, "ftol": 1e-8}
    )
    return np.asarray(found.x)


def _fit_offset(fixed: Floats, displayed: Floats, base: float) -> float:
    found = _fit_one(np.zeros((len(fixed), 0)), displayed, np.zeros(0), base, 0.0)
    low, high = float(found[0]) - 6.0, float(found[0]) + 6.0
    for _ in range(60):  # the gradient is monotone in the offset
        middle = (low + high) / 2
        excess = (1 / (1 + np.exp(-(fixed + middle)))).sum() - displayed.sum()
        low, high = (low, middle) if excess > 0 else (middle, high)
    return (low + high) / 2
