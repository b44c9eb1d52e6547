"""Logistic regression for each family, with a prior on the literature's weights.

The log-odds of a family are its offset plus the stated cues times their weights. A Gaussian
prior of strength `hold` has its mean at the shipped weights (MAP estimate): a cue with little
data keeps its weight from the literature.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emer.evals.fit.features import Examples
from emer.evals.metrics.bootstrap import Floats

FEWEST = 5
"""Clips that must display a family before its weights are learnt (chosen by us)."""
OFFSET_HOLD = 0.01
"""Prior strength of offsets; its mean is the share of clips with the family."""


@dataclass(frozen=True)
class Weights:
    """Log-odds (cues, families), offsets (families), and the fitted families."""

    log_odds: Floats
    offsets: Floats
    learnt: tuple[bool, ...]

    def scores(self, stated: Floats) -> Floats:
        """Log-odds of each clip and family: shape (clips, families)."""
        return np.asarray(self.offsets + stated @ self.log_odds)


def fit(of: Examples, prior: Floats, hold: float) -> Weights:
    """Weights that fit the examples; families that are too rare keep the prior's."""
    log_odds, offsets = prior.copy(), _base(of)
    displayed = of.displayed.astype(np.float64)
    learnt = displayed.sum(axis=0) >= FEWEST
    for place in np.flatnonzero(learnt):
        fitted = _fit_one(of.stated, displayed[:, place], prior[:, place], offsets[place], hold)
        log_odds[:, place], offsets[place] = fitted[:-1], fitted[-1]
    return Weights(log_odds, offsets, tuple(learnt.tolist()))


def as_shipped(of: Examples, prior: Floats) -> Weights:
    """Shipped weights with offsets learnt for them: the line to beat."""
    offsets = _base(of)
    fixed, displayed = of.stated @ prior, of.displayed.astype(np.float64)
    for place in range(len(of.families)):
        offsets[place] = _fit_offset(fixed[:, place], displayed[:, place], offsets[place])
    return Weights(prior, offsets, (False,) * len(of.families))


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

    options = {"maxiter": 100, "ftol": 1e-8}
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", options=options).x)


def _fit_offset(fixed: Floats, displayed: Floats, base: float) -> float:
    start = float(_fit_one(np.zeros((len(fixed), 0)), displayed, np.zeros(0), base, 0.0)[0])
    low, high = start - 6.0, start + 6.0
    for _ in range(60):  # the gradient is monotone in the offset
        middle = (low + high) / 2
        excess = (1 / (1 + np.exp(-(fixed + middle)))).sum() - displayed.sum()
        low, high = (low, middle) if excess > 0 else (middle, high)
    return (low + high) / 2
