"""Overlap scores of EMER v1-v3 (arXiv 2306.15401), from 1 to 10.

The paper's judge is retired. Any judge may stand in, under its name: a score without its
judge's name means nothing, and two judges' scores are never put side by side unmarked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from pydantic import Field

from emer.evals.metrics.bootstrap import Mean, mean
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
    clues: Mean
    labels: Mean
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
