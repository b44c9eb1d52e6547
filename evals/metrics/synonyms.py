"""Set-level scores of labels grouped by synonym (EMER v4-v6, MER2024).

Per clip the labels of both sides are grouped, each label stands for the first of its group,
and the sets are compared. A grouper is named: scores of two groupers do not compare.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from emer.evals.metrics.open_vocabulary import Labels, Overlap, overlap
from emer.evals.metrics.wheel import Lexicon, plain

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
