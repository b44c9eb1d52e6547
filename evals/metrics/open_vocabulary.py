"""Open-vocabulary scores: how the predicted label sets overlap the human ones.

Per clip precision |G∩P|/|P| and recall |G∩P|/|G|; over clips their means, and F of the
means. A clip whose human set is empty is left out, an empty prediction scores 0 and 0: so
does the official scorer (see `emer.evals.metrics.wheel`).

Set level (EMER v4-v6, MER2024): per clip the labels of both sides are grouped by synonym, each
label stands for the first of its group, and the sets are compared. A grouper is named: scores
of two groupers do not compare.

Confusion: a clip with k human classes gives each the weight 1/k. A human class that is among the
predicted ones is a hit; one that is not is spread evenly over the predicted classes, or goes to
"none" when there are none. Rows sum to one.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np

from emer.evals.metrics.bootstrap import Average, Floats, Harmonic, Statistic, mean
from emer.evals.metrics.wheel import LEVELS, Lexicon, Wheel, plain

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
    """m1, m2, level1_wheel1 and so on, and the means level1 and level2 over wheels."""
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


Groups = Sequence[Sequence[str]]


class Grouper(Protocol):
    """Groups a clip's labels by meaning."""

    @property
    def name(self) -> str: ...

    def groups(self, clip: str, labels: Sequence[str]) -> Groups:
        """Groups of synonyms; a label in no group is alone."""
        ...


@dataclass(frozen=True)
class ByWheel:
    """Labels with the same M2 wheel word mean the same; offline and deterministic."""

    lexicon: Lexicon

    @property
    def name(self) -> str:
        return f"wheel synonyms {self.lexicon.edition}"

    def groups(self, clip: str, labels: Sequence[str]) -> Groups:
        groups: dict[str, list[str]] = {}
        for label in labels:
            groups.setdefault(self.lexicon.m2(label) or f"={label}", []).append(label)
        return list(groups.values())


@dataclass(frozen=True)
class StoredGroups:
    """Groups of each clip that people or a language model made before."""

    name: str
    by_clip: Mapping[str, Groups]

    def groups(self, clip: str, labels: Sequence[str]) -> Groups:
        return self.by_clip.get(clip, ())


NO_GROUPS = StoredGroups("no grouping", {})


def set_level(
    clips: Sequence[str], gold: Sequence[Labels], predicted: Sequence[Labels], grouper: Grouper
) -> Overlap:
    """Set-level precision (the papers' accuracy), recall and F."""
    human: list[list[str]] = []
    ours: list[list[str]] = []
    for clip, g, p in zip(clips, gold, predicted, strict=True):
        labels = dict.fromkeys(map(plain, [*g, *p]))
        stands_for: dict[str, str] = {}
        for group in grouper.groups(clip, list(labels)):
            for member in group:
                stands_for.setdefault(plain(member), plain(group[0]))
        human.append([stands_for.get(plain(x), plain(x)) for x in g])
        ours.append([stands_for.get(plain(x), plain(x)) for x in p])
    return overlap(human, ours)


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
