"""Confusion of label sets, class by class on an emotion wheel.

A clip with k human classes gives each the weight 1/k. A human class that is among the
predicted ones is a hit; one that is not is spread evenly over the predicted classes, or
goes to "none" when there are none. Rows sum to one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emer.evals.metrics.bootstrap import Floats
from emer.evals.metrics.open_vocabulary import Labels
from emer.evals.metrics.wheel import Lexicon, Wheel

NONE = "none"


@dataclass(frozen=True)
class Confusion:
    """Shares of predicted classes (columns, "none" last) for each human class (rows)."""

    classes: tuple[str, ...]
    shares: Floats
    weights: Floats
    """Number of clips of each human class."""


def confusion(
    lexicon: Lexicon, wheel: Wheel, gold: Sequence[Labels], predicted: Sequence[Labels]
) -> Confusion:
    """Confusion of level-1 classes on a wheel."""
    classes = tuple(wheel.rings)  # the level-1 words
    place = {name: index for index, name in enumerate((*classes, NONE))}
    table = np.zeros((len(classes), len(place)))
    for human, ours in zip(gold, predicted, strict=True):
        g = _classes(lexicon, wheel, human)
        p = _classes(lexicon, wheel, ours) or {NONE}
        for name in g:
            for other in {name} if name in p else p:
                share = 1.0 if name in p else 1 / len(p)
                table[place[name], place[other]] += share / len(g)
    weights = table.sum(axis=1)
    with np.errstate(invalid="ignore"):
        shares = np.nan_to_num(table / weights[:, None])
    return Confusion(classes, shares, weights)


def _classes(lexicon: Lexicon, wheel: Wheel, labels: Labels) -> set[str]:
    return {c for label in labels if (c := lexicon.m3(label, wheel, 1))}
