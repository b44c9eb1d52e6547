"""Overlap scores of EMER v1-v3 (arXiv 2306.15401), and an offline judge.

Scores run from 1 to 10.

The paper's judge is retired. Any judge may stand in, under its name: a score without its
judge's name means nothing, and two judges' scores are never put side by side unmarked.

The offline judge needs no model. Clues: F of the cues that both texts name
(`emer.evals.metrics.cue_overlap`). Labels: F of the emotion words, where words of one group
("happy", "pleased") match by half. Both from 1 for nothing in common to 10 for everything. A
paraphrase that its lists lack does not count.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from emer.evals.metrics.bootstrap import Ratio, mean
from emer.evals.metrics.cue_overlap import agree
from emer.evals.metrics.emotion_words import label_groups, labels_in
from emer.tools.errors import EmerError

LOWEST, HIGHEST = 1.0, 10.0


class JudgeFailed(EmerError):
    """A judge gave no usable score; the pair counts as not judged."""


class Judge(Protocol):
    """Rates agreement with a human explanation from 1 to 10, or raises `JudgeFailed`."""

    @property
    def name(self) -> str:
        """Names everything that a score depends on: model, version, prompts."""
        ...

    def clues(self, gold: str, predicted: str) -> float: ...

    def labels(self, gold: str, predicted: str) -> float: ...


@dataclass(frozen=True)
class Overlaps:
    """Both scores over clips; clips without a rating take no part."""

    clues: Ratio
    labels: Ratio
    failed: tuple[str, ...] = ()
    """Errors of the pairs without a rating."""


def judge_all(judge: Judge, golds: Sequence[str], predicted: Sequence[str]) -> Overlaps:
    """Mean clue and label overlap; an empty explanation has the lowest score."""
    failed: list[str] = []

    def rate(method: Callable[[str, str], float], gold: str, text: str) -> float:
        if not text:
            return LOWEST
        try:
            return method(gold, text)
        except JudgeFailed as error:
            failed.append(str(error))
            return float(np.nan)

    pairs = list(zip(golds, predicted, strict=True))
    return Overlaps(
        clues=mean([rate(judge.clues, gold, text) for gold, text in pairs]),
        labels=mean([rate(judge.labels, gold, text) for gold, text in pairs]),
        failed=tuple(failed),
    )


SAME_GROUP = 0.5
"""Score of a word of the same group (chosen by us)."""


@dataclass(frozen=True)
class OfflineJudge:
    """Judge by word lists."""

    name: str = "offline-1"

    def clues(self, gold: str, predicted: str) -> float:
        matched, missed, invented = map(len, agree(gold, predicted))
        cues = 2 * matched + missed + invented
        return _score(2 * matched / cues if cues else 0.0)

    def labels(self, gold: str, predicted: str) -> float:
        human, ours = labels_in(gold), labels_in(predicted)
        precision = sum(_nearest(word, human) for word in ours)
        recall = sum(_nearest(word, ours) for word in human)
        p = precision / len(ours) if ours else 0.0
        r = recall / len(human) if human else 0.0
        return _score(2 * p * r / (p + r) if p + r else 0.0)


def _nearest(word: str, others: Collection[str]) -> float:
    groups = label_groups()
    kin = groups[word] in {groups[other] for other in others}
    return 1.0 if word in others else SAME_GROUP * kin


def _score(share: float) -> float:
    return round(LOWEST + share * (HIGHEST - LOWEST), 4)
