"""Scores on sets with one gold class per clip: hit rate and weighted F1.

Hit rate after AffectGPT (arXiv 2501.16566): a prediction hits when any of its labels has the
gold label's level-1 class, mean over clips and wheels; clips whose gold the wheel lacks
("neutral" on every wheel) are left out. It does not punish many labels: `sharpness` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emer.evals.metrics.bootstrap import Average, Draws, Floats, divide, mean
from emer.evals.metrics.open_vocabulary import Labels
from emer.evals.metrics.wheel import Lexicon, plain

NEGATIVE = ("mad", "disgusted", "sad", "scared")
POSITIVE = ("happy",)
"""Polarity of wheel 1's level-1 classes (ours; "surprised" is neither)."""


@dataclass(frozen=True)
class HitRate:
    """Hits per clip, and hits per predicted candidate class, over the wheels."""

    hits: Average
    sharpness: Average


@dataclass(frozen=True)
class WeightedF1:
    """F1 of each gold class, weighted by how often it is the gold class.

    -1 as gold: the clip takes no part; -1 as predicted: none of the classes.
    """

    gold: NDArray[np.int64]
    predicted: NDArray[np.int64]
    classes: int

    def at(self, draws: Draws) -> Floats:
        part = self.gold >= 0
        total = np.zeros(len(draws))
        for c in range(self.classes):
            is_gold, is_predicted = self.gold == c, part & (self.predicted == c)
            hits = draws.total(is_gold & is_predicted)
            support = draws.total(is_gold)
            size = support + draws.total(is_predicted)
            total += support * np.divide(2 * hits, size, out=np.zeros_like(hits), where=size > 0)
        return divide(total, draws.total(part))


def hit_rate(lexicon: Lexicon, gold: Sequence[str | None], predicted: Sequence[Labels]) -> HitRate:
    """Hit rate of label lists against one gold label per clip."""
    hits, sharp = [], []
    for wheel in lexicon.wheels:
        classes = [lexicon.m3(g, wheel, 1) if g else None for g in gold]
        candidates = {c for c in classes if c}
        reached = [{lexicon.m3(x, wheel, 1) for x in labels} & candidates for labels in predicted]
        pairs = list(zip(classes, reached, strict=True))
        hits.append(mean([float(c in r) if c else np.nan for c, r in pairs]))
        sharp.append(mean([((c in r) / len(r) if r else 0.0) if c else np.nan for c, r in pairs]))
    return HitRate(Average(hits), Average(sharp))


def class_f1(
    lexicon: Lexicon, gold: Sequence[str | None], predicted: Sequence[Labels]
) -> WeightedF1:
    """Weighted F1 over the gold's classes; a prediction counts as one class.

    It is the first class that a label reaches by its word form, then by its synonym, then
    by the level-1 class of wheel 1; no label at all counts as "neutral" (rules by us).
    """
    classes = sorted({plain(g) for g in gold if g})
    place = {name: index for index, name in enumerate(classes)}
    single = [place.get(_single(lexicon, labels, classes) or "", -1) for labels in predicted]
    human = [place[plain(g)] if g else -1 for g in gold]
    return WeightedF1(np.array(human), np.array(single), classes=len(classes))


def sentiment_f1(
    lexicon: Lexicon, valence: Sequence[float | None], predicted: Sequence[Labels]
) -> WeightedF1:
    """Weighted F1 of positive against not.

    Clips of valence zero or none take no part; a neutral prediction counts as negative, as
    in AffectGPT's scorer. Polarity is the majority of the labels' wheel-1 classes.
    """
    gold = np.array([int(v > 0) if v else -1 for v in valence])
    positive = np.array([int(polarity(lexicon, labels) > 0) for labels in predicted])
    return WeightedF1(gold, positive, classes=2)


def polarity(lexicon: Lexicon, labels: Labels) -> int:
    classes = [lexicon.m3(label, lexicon.wheels[0], 1) for label in labels]
    return sum(c in POSITIVE for c in classes) - sum(c in NEGATIVE for c in classes)


def _single(lexicon: Lexicon, labels: Labels, classes: Sequence[str]) -> str | None:
    wheel = lexicon.wheels[0]
    for mapper in (plain, lexicon.m1, lexicon.m2, lambda x: lexicon.m3(x, wheel, 1)):
        reached = {mapper(name): name for name in reversed(classes)}
        for label in labels:
            if mapper(label) is not None and mapper(label) in reached:
                return reached[mapper(label)]
    return "neutral" if not labels else None
