"""Set-level accuracy, recall and F with labels grouped by synonym (EMER v4-v6, MER2024).

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
    """Says which labels of a clip mean the same."""

    @property
    def name(self) -> str:
        """The name that its scores carry."""
        ...

    def groups(self, clip: str, labels: Sequence[str]) -> Groups:
        """Return groups of synonyms; a label in no group is alone."""
        ...


@dataclass(frozen=True)
class Apart:
    """Every label means only itself."""

    name: str = "no grouping"

    def groups(self, clip: str, labels: Sequence[str]) -> Groups:
        """Return each label alone."""
        return [[label] for label in labels]


@dataclass(frozen=True)
class ByWheel:
    """Labels with the same M2 wheel word mean the same; offline and deterministic."""

    lexicon: Lexicon

    @property
    def name(self) -> str:
        """The name, with the lexicon's edition."""
        return f"wheel synonyms {self.lexicon.edition}"

    def groups(self, clip: str, labels: Sequence[str]) -> Groups:
        """Return the labels by their wheel word; unknown ones are alone."""
        found: dict[str, list[str]] = {}
        for label in labels:
            found.setdefault(self.lexicon.m2(label) or f"={label}", []).append(label)
        return list(found.values())


@dataclass(frozen=True)
class Stored:
    """Groups that somebody, or a language model, made before, by clip."""

    name: str
    by_clip: Mapping[str, Groups]

    def groups(self, clip: str, labels: Sequence[str]) -> Groups:
        """Return the clip's stored groups."""
        return self.by_clip.get(clip, ())


def set_level(
    clips: Sequence[str], gold: Sequence[Labels], predicted: Sequence[Labels], grouper: Grouper
) -> Overlap:
    """Return set-level precision (the papers' accuracy), recall and F."""
    pairs = [
        _grouped(clip, [plain(x) for x in g], [plain(x) for x in p], grouper)
        for clip, g, p in zip(clips, gold, predicted, strict=True)
    ]
    return overlap([g for g, _ in pairs], [p for _, p in pairs])


def _grouped(
    clip: str, gold: list[str], predicted: list[str], grouper: Grouper
) -> tuple[set[str], set[str]]:
    both = list(dict.fromkeys([*gold, *predicted]))
    stands_for: dict[str, str] = {}
    for group in grouper.groups(clip, both):
        members = [plain(member) for member in group]
        for member in members:
            stands_for.setdefault(member, members[0])
    return {stands_for.get(x, x) for x in gold}, {stands_for.get(x, x) for x in predicted}
