"""Open-vocabulary scores: how the predicted label sets overlap the human ones.

Per clip precision |G∩P|/|P| and recall |G∩P|/|G|; over clips their means, and F of the
means. A clip whose human set is empty is left out, an empty prediction scores 0 and 0: so
does the official scorer (see `emer.evals.metrics.wheel`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from emer.evals.metrics.bootstrap import Average, Harmonic, Statistic, mean
from emer.evals.metrics.wheel import LEVELS, Lexicon, plain

Labels = Sequence[str]
Mapper = Callable[[str], str | None]


@dataclass(frozen=True)
class Overlap:
    """Precision, recall and F of sets."""

    precision: Statistic
    recall: Statistic
    f: Statistic


def overlap(gold: Sequence[Iterable[Hashable]], predicted: Sequence[Iterable[Hashable]]) -> Overlap:
    """Overlap of two sequences of sets, one pair per clip."""
    pairs = [(set(g), set(p)) for g, p in zip(gold, predicted, strict=True)]
    precision = mean([_share(g & p, p) if g else np.nan for g, p in pairs])
    recall = mean([_share(g & p, g) if g else np.nan for g, p in pairs])
    return Overlap(precision, recall, Harmonic(precision, recall))


def exact(gold: Sequence[Labels], predicted: Sequence[Labels]) -> Overlap:
    """Overlap of the labels as they are, in lower case."""
    return mapped(gold, predicted, plain)


def mapped(gold: Sequence[Labels], predicted: Sequence[Labels], mapper: Mapper) -> Overlap:
    """Overlap of what the labels map to; unmapped labels are dropped."""
    known: dict[str, str | None] = {}

    def sets(lists: Sequence[Labels]) -> list[set[str]]:
        for labels in lists:
            known.update({label: mapper(label) for label in labels if label not in known})
        return [{m for label in labels if (m := known[label])} for labels in lists]

    return overlap(sets(gold), sets(predicted))


def wheel_overlaps(
    lexicon: Lexicon, gold: Sequence[Labels], predicted: Sequence[Labels]
) -> dict[str, Overlap]:
    """M1, m2, level1_wheel1 and so on for each wheel, and their means level1 and level2."""
    overlaps = {
        "m1": mapped(gold, predicted, lexicon.m1),
        "m2": mapped(gold, predicted, lexicon.m2),
    }
    for level in LEVELS:
        each = {
            f"level{level}_{wheel.name}": mapped(
                gold, predicted, partial(lexicon.m3, wheel=wheel, level=level)
            )
            for wheel in lexicon.wheels
        }
        parts = each.values()
        overlaps[f"level{level}"] = Overlap(
            precision=Average([part.precision for part in parts]),
            recall=Average([part.recall for part in parts]),
            f=Average([part.f for part in parts]),
        )
        overlaps |= each
    return overlaps


def m_average(overlaps: dict[str, Overlap]) -> Statistic:
    """OV-MER's M-avg: the mean of the F of M1, M2 and every wheel at both levels."""
    single = [o.f for name, o in overlaps.items() if name not in ("level1", "level2")]
    return Average(single)


def _share(part: set[Hashable], whole: set[Hashable]) -> float:
    return len(part) / len(whole) if whole else 0.0
