"""Calibration of stated probabilities: ECE, Brier score, risk against coverage.

Only the first label of each answered clip counts: it is right when its level-1 class on wheel 1
is among the classes of the human labels. Clips without an answer or a human class do not take
part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emer.evals.metrics.bootstrap import Draws, Floats, Ratio, divide, mean
from emer.evals.metrics.open_vocabulary import Labels
from emer.evals.metrics.wheel import Lexicon

BINS = 10
"""Equal-width bins (Guo et al. 2017)."""


@dataclass(frozen=True)
class Judged:
    """Stated probability and correctness of each clip's first label.

    NaN in both where a clip does not take part, and as probability where none is stated.
    """

    stated: Floats
    right: Floats

    @property
    def n(self) -> int:
        """Clips with a stated probability."""
        return int(np.isfinite(self.stated).sum())

    @property
    def accuracy(self) -> Ratio:
        return mean(self.right)

    @property
    def brier(self) -> Ratio:
        return mean((self.stated - self.right) ** 2)

    @property
    def ece(self) -> ExpectedError:
        return ExpectedError(self)

    def bins(self) -> list[tuple[float, float, int]]:
        """Mean stated probability, share right and clips of each bin that has any."""
        place = _bin(self.stated)
        pairs = [(self.stated[place == b], self.right[place == b]) for b in range(BINS)]
        return [(float(p.mean()), float(r.mean()), len(p)) for p, r in pairs if len(p)]

    def risk_coverage(self) -> list[tuple[float, float]]:
        """Pairs (coverage, share right) of the most confident answers."""
        part = np.isfinite(self.stated)
        order = np.argsort(-self.stated[part], kind="stable")
        right = self.right[part][order]
        shares = np.cumsum(right) / np.arange(1, len(right) + 1)
        return [((k + 1) / len(self.stated), float(share)) for k, share in enumerate(shares)]


@dataclass(frozen=True)
class ExpectedError:
    """Sum over bins of share of clips x |share right - mean probability|."""

    judged: Judged

    def at(self, draws: Draws) -> Floats:
        place = _bin(self.judged.stated)
        gap = np.nan_to_num(self.judged.right - self.judged.stated)
        total = np.zeros(len(draws))
        for b in range(BINS):
            total += np.abs(draws.total(np.where(place == b, gap, 0.0)))
        return divide(total, draws.total(place >= 0))


def judge_first(
    lexicon: Lexicon,
    gold: Sequence[Labels],
    first: Sequence[tuple[str, float | None] | None],
) -> Judged:
    """Whether each clip's first label, stated with a probability, is right."""
    wheel = lexicon.wheels[0]
    stated, right = np.full(len(gold), np.nan), np.full(len(gold), np.nan)
    for i, (labels, answer) in enumerate(zip(gold, first, strict=True)):
        classes = {lexicon.m3(label, wheel, 1) for label in labels} - {None}
        if answer is not None and classes:
            stated[i] = np.nan if answer[1] is None else answer[1]
            right[i] = lexicon.m3(answer[0], wheel, 1) in classes
    return Judged(stated, right)


def _bin(stated: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Each probability's bin, -1 for NaN."""
    filled = np.nan_to_num(stated, nan=0.0)
    place = np.minimum((filled * BINS).astype(np.int64), BINS - 1)
    return np.where(np.isfinite(stated), place, -1)
