"""A judge that needs no model: deterministic, and coarse.

Clues: F of the cues that both texts name (`emer.evals.metrics.cue_overlap`). Labels: F of the
emotion words, where words of one group ("happy", "pleased") match by half. Both from 1 for
nothing in common to 10 for everything. A paraphrase that its lists lack does not count.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from emer.evals.judges.judge import HIGHEST, LOWEST, Rating
from emer.evals.metrics.cue_overlap import agree
from emer.evals.metrics.emotion_words import label_groups, labels_in

SAME_GROUP = 0.5
"""Score of a word of the same group (chosen by us)."""


@dataclass(frozen=True)
class OfflineJudge:
    """Judge by word lists."""

    name: str = "offline-1"

    def clues(self, gold: str, predicted: str) -> Rating:
        matched, missed, invented = agree(gold, predicted).of(None)
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
    if word in others:
        return 1.0
    return (
        SAME_GROUP if label_groups()[word] in {label_groups()[other] for other in others} else 0.0
    )


def _rating(share: float, reason: str) -> Rating:
    return Rating(score=round(LOWEST + share * (HIGHEST - LOWEST), 4), reason=reason)
