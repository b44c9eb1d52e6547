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
from pydantic import Field

from emer.evals.metrics.bootstrap import Ratio, mean
from emer.evals.metrics.cue_overlap import agree
from emer.evals.metrics.emotion_words import label_groups, labels_in
from emer.tools.errors import EmerError
from emer.tools.types import Record

LOWEST, HIGHEST = 1.0, 10.0


class JudgeFailed(EmerError):
    """A judge gave no usable score; the pair counts as not judged."""


class Rating(Record):
    """A judge's score of one pair, and its reason."""

    score: float = Field(ge=LOWEST, le=HIGHEST)
    reason: str = ""


class Judge(Protocol):
    """Rates how far an explanation agrees with a human one."""

    @property
    def name(self) -> str:
        """Names everything that a score depends on: model, version, prompts."""
        ...

    def clues(self, gold: str, predicted: str) -> Rating:
        """Rate how far the clues overlap."""
        ...

    def labels(self, gold: str, predicted: str) -> Rating:
        """Rate how far the emotional states overlap."""
        ...


@dataclass(frozen=True)
class Overlaps:
    """Both scores over clips, by one judge; clips without a rating take no part."""

    judge: str
    clues: Ratio
    labels: Ratio
    failed: tuple[str, ...] = ()
    """Errors of the pairs without a rating."""


def judge_all(judge: Judge, golds: Sequence[str], predicted: Sequence[str]) -> Overlaps:
    """Mean clue and label overlap; an empty explanation has the lowest score."""
    failed: list[str] = []

    def rate(method: Callable[[str, str], Rating], gold: str, text: str) -> float:
        if not text:
            return LOWEST
        try:
            return method(gold, text).score
        except JudgeFailed as error:
            failed.append(str(error))
            return float(np.nan)

    pairs = list(zip(golds, predicted, strict=True))
    return Overlaps(
        judge=judge.name,
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

    def clues(self, gold: str, predicted: str) -> Rating:
        matched, missed, invented = map(len, agree(gold, predicted))
        reason = f"{matched} found, {missed} missed, {invented} invented"
        precise, complete = matched + invented, matched + missed
        return _rating(2 * matched / (precise + complete) if precise + complete else 0.0, reason)

    def labels(self, gold: str, predicted: str) -> Rating:
        human, ours = labels_in(gold), labels_in(predicted)
        precision = sum(_nearest(word, human) for word in ours)
        recall = sum(_nearest(word, ours) for word in human)
        p = precision / len(ours) if ours else 0.0
        r = recall / len(human) if human else 0.0
        reason = f"{', '.join(human) or 'none'} and {', '.join(ours) or 'none'}"
        return _rating(2 * p * r / (p + r) if p + r else 0.0, reason)


def _nearest(word: str, others: Collection[str]) -> float:
    groups = label_groups()
    kin = groups[word] in {groups[other] for other in others}
    return 1.0 if word in others else SAME_GROUP * kin


def _rating(share: float, reason: str) -> Rating:
    return Rating(score=round(LOWEST + share * (HIGHEST - LOWEST), 4), reason=reason)
