"""All scores of a system, and the columns of their tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from emer.agents.verification.verifier import verify
from emer.evals.data.types import Dataset, Gold, Sample
from emer.evals.metrics.bootstrap import Estimate, Statistic, mean, ratio
from emer.evals.metrics.calibration import Judged, judge_first
from emer.evals.metrics.cue_overlap import agree, completeness, cue_scores
from emer.evals.metrics.faithfulness import Count, citations, consistency
from emer.evals.metrics.open_vocabulary import (
    NO_GROUPS,
    ByWheel,
    Grouper,
    Overlap,
    exact,
    m_average,
    set_level,
    wheel_overlaps,
)
from emer.evals.metrics.single_label import class_f1, hit_rate, sentiment_f1
from emer.evals.metrics.wheel import Lexicon
from emer.evals.systems.oracle import DURATION, judged
from emer.evals.systems.system import Card, Prediction

CUT = 3
"""Labels of each list that count when many labels must not pay (chosen by us)."""


@dataclass(frozen=True)
class Scorecard:
    """A system's answers, their statistics over the labelled clips, and plain counts."""

    card: Card
    predictions: Sequence[Prediction]
    statistics: Mapping[str, Statistic]
    counts: Mapping[str, int]
    judged: Judged

    def with_scores(self, scores: Mapping[str, Statistic]) -> Scorecard:
        """Scorecard with further scores."""
        return replace(self, statistics={**self.statistics, **scores})


@dataclass(frozen=True)
class Ruler:
    """Labelled clips of a dataset, and the comparison of labels with theirs."""

    dataset: Dataset
    lexicon: Lexicon | None
    """None where the wheel files are missing: their scores are left out."""
    grouping: Grouper | None = None
    """Grouping of labels at set level; by default by the wheels."""

    @property
    def grouper(self) -> Grouper:
        by_default = NO_GROUPS if self.lexicon is None else ByWheel(self.lexicon)
        return self.grouping or by_default

    @cached_property
    def samples(self) -> tuple[Sample, ...]:
        return self.dataset.labelled

    @cached_property
    def golds(self) -> list[Gold]:
        return [self.dataset.gold(sample) for sample in self.samples]

    @property
    def main(self) -> str:
        """The key of the score that systems are ranked by."""
        return "exact" if self.lexicon is None else "level1"

    @property
    def edition(self) -> str:
        """The edition of the wheel lexicon, "none" without one."""
        return "none" if self.lexicon is None else self.lexicon.edition

    @property
    def human_labels(self) -> float:
        """Labels that people gave a clip, on average."""
        return float(np.mean([len(gold.labels) for gold in self.golds]))

    @property
    def labels(self) -> list[tuple[str, ...]]:
        return [gold.labels for gold in self.golds]

    def measure(self, card: Card, predictions: Sequence[Prediction]) -> Scorecard:
        """System's scorecard from its predictions, one for each clip in order."""
        answers = [prediction.labels for prediction in predictions]
        names = [sample.name for sample in self.samples]
        nothing = np.full(len(predictions), np.nan)
        judged = Judged(nothing, nothing)
        if self.lexicon is not None:
            judged = judge_first(self.lexicon, self.labels, [p.first for p in predictions])
        statistics = {
            **_parts("exact", exact(self.labels, answers)),
            **_parts("set", set_level(names, self.labels, answers, self.grouper)),
            "labels": mean([len(labels) for labels in answers]),
            **_calibration(judged),
            **_explanations(self, predictions),
            **_faith(predictions),
            **_costs(predictions),
        }
        if self.lexicon is not None:
            statistics |= {
                **_wheel_scores(self.lexicon, self.labels, answers),
                **_closed_sets(self.lexicon, self.golds, answers),
            }
        counts = {
            "empty": sum(not labels for labels in answers),
            "failed": sum(p.failed is not None for p in predictions),
        }
        return Scorecard(card, predictions, statistics, counts, judged)


def text_of(prediction: Prediction) -> str:
    """Text of an explanation without citations."""
    if prediction.explanation is None:
        return prediction.text
    return " ".join(sentence.text for sentence in prediction.explanation.sentences)


def _parts(name: str, one: Overlap) -> dict[str, Statistic]:
    return {name: one.f, f"{name}_p": one.precision, f"{name}_r": one.recall}


def _wheel_scores(
    lexicon: Lexicon, gold: list[tuple[str, ...]], labels: list[tuple[str, ...]]
) -> dict[str, Statistic]:
    overlaps = wheel_overlaps(lexicon, gold, labels)
    cut = wheel_overlaps(lexicon, gold, [answer[:CUT] for answer in labels])
    dropped = [sum(lexicon.m1(label) is None for label in answer) for answer in labels]
    scores: dict[str, Statistic] = {
        f"level1_first{CUT}": cut["level1"].f,
        "m_avg": m_average(overlaps),
        "dropped": ratio(dropped, [len(answer) for answer in labels]),
    }
    for name, one in overlaps.items():
        scores |= _parts(name, one)
    return scores


def _closed_sets(
    lexicon: Lexicon, golds: Sequence[Gold], labels: list[tuple[str, ...]]
) -> dict[str, Statistic]:
    basic, valence = [gold.basic for gold in golds], [gold.valence for gold in golds]
    scores: dict[str, Statistic] = {}
    if any(basic):
        rate = hit_rate(lexicon, basic, labels)
        scores |= {"hit": rate.hits, "sharpness": rate.sharpness}
        scores["class_f1"] = class_f1(lexicon, basic, labels)
    if any(valence):
        scores["sentiment_f1"] = sentiment_f1(lexicon, valence, labels)
    return scores


def _calibration(judged: Judged) -> dict[str, Statistic]:
    if not np.isfinite(judged.right).any():
        return {}
    if not judged.n:
        return {"top1": judged.accuracy}
    return {"top1": judged.accuracy, "ece": judged.ece, "brier": judged.brier}


def _explanations(ruler: Ruler, predictions: Sequence[Prediction]) -> dict[str, Statistic]:
    texts = [text_of(prediction) for prediction in predictions]
    if not any(texts):
        return {}
    whole = [completeness(p.explanation or t) for p, t in zip(predictions, texts, strict=True)]
    scores: dict[str, Statistic] = {"completeness": mean(whole)}
    human = [gold.explanations.get("en", "") for gold in ruler.golds]
    if any(human):
        agreements = [agree(theirs, ours) for theirs, ours in zip(human, texts, strict=True)]
        scores |= _parts("cues", cue_scores(agreements))
    if (lexicon := ruler.lexicon) is not None:
        pairs = zip(predictions, texts, strict=True)
        scores["consistency"] = _share([consistency(p.labels, t, lexicon) for p, t in pairs])
    return scores


def _faith(predictions: Sequence[Prediction]) -> dict[str, Statistic]:
    pairs = [(p, p.explanation) for p in predictions if p.explanation is not None]
    if len(pairs) < len(predictions):
        return {}
    drafts = [
        p.draft or judged(verify(explanation, p.clues, p.duration or DURATION))
        for p, explanation in pairs
    ]
    parts = [draft.parts for draft in drafts]
    return {
        "citations": _share([citations(explanation, p.clues) for p, explanation in pairs]),
        "contradicted": ratio([d.contradicted for d in drafts], parts),
        "struck": ratio([d.unsupported + d.contradicted for d in drafts], parts),
    }


def _share(counts: Sequence[Count]) -> Statistic:
    return ratio([c.part for c in counts], [c.whole for c in counts])


def _costs(predictions: Sequence[Prediction]) -> dict[str, Statistic]:
    fields = ("seconds", "tool_calls", "rounds", "requests", "tokens", "money")
    values = {key: [getattr(p.cost, key) for p in predictions] for key in fields}
    return {
        key: mean([np.nan if value is None else value for value in each])
        for key, each in values.items()
        if any(value is not None for value in each)
    }


@dataclass(frozen=True, slots=True)
class Column:
    """Column of a table: the key of a score, its title, and its unit."""

    key: str
    title: str
    unit: Literal["percent", "number"] = "percent"
    digits: int = 1
    interval: bool = True
    """Whether cells have the interval too."""

    def number(self, value: float) -> str:
        """Value in the unit, an en dash where there is none."""
        if not math.isfinite(value):
            return "–"  # noqa: RUF001  (an en dash is how tables say "none")
        return f"{100 * value if self.unit == 'percent' else value:.{self.digits}f}"

    def cell(self, estimate: Estimate | None, signed: bool = False) -> str:
        """Score with its interval: "56.1 (50.2 to 61.7)"."""
        if estimate is None or not math.isfinite(estimate.value):
            return "–"  # noqa: RUF001
        text = self.number(estimate.value)
        text = f"+{text}" if signed and estimate.value > 0 else text
        if not (self.interval and math.isfinite(estimate.low)):
            return text
        return f"{text} ({self.number(estimate.low)} to {self.number(estimate.high)})"


@dataclass(frozen=True, slots=True)
class Section:
    """A table of scores: its title, a sentence on its reading, and its columns."""

    title: str
    lead: str
    columns: tuple[Column, ...]


HEADLINE = (
    Column("exact", "exact F"),
    Column("m1", "M1 F"),
    Column("level1", "level 1 F"),
    Column("level2", "level 2 F"),
)
LENGTH = (Column("labels", "labels per clip", "number", 2), Column("dropped", "dropped labels"))
SHORT = (*HEADLINE, *(replace(column, interval=False) for column in LENGTH))
"""Columns that fit a terminal."""

LABELS = (
    *HEADLINE,
    Column("level1_p", "level 1 P"),
    Column("level1_r", "level 1 R"),
    *LENGTH,
    Column("level1_first3", "level 1 F, first 3"),
    Column("m2", "M2 F"),
    Column("m_avg", "M-avg"),
    Column("set", "set-level F"),
    Column("set_p", "set-level accuracy"),
    Column("set_r", "set-level recall"),
)
CLOSED = Section(
    "One class per clip, and sentiment",
    "Hit: any label has the human label's level-1 class, mean over the wheels; a hit is "
    "cheap with many labels, which hits per class named shows. Weighted F1: one class a clip.",
    (
        Column("hit", "hit rate"),
        Column("sharpness", "hits per class named"),
        Column("class_f1", "weighted F1"),
        Column("sentiment_f1", "sentiment weighted F1"),
    ),
)
OVERLAPS = (
    Column("clue_overlap", "clue overlap", "number", 2),
    Column("label_overlap", "label overlap", "number", 2),
)
"""The judge's scores."""
EXPLANATIONS = Section(
    "Explanations",
    "Cues: the signs that an explanation names, against those of the human one; a cue that "
    "people did not write down counts as invented, though it may be in the clip. On human "
    "clues an explanation repeats what people wrote, so that cues say little there.",
    (
        *OVERLAPS,
        Column("cues", "cues F"),
        Column("cues_p", "cues P (rest invented)"),
        Column("cues_r", "cues R (rest missed)"),
        Column("completeness", "modalities present"),
        Column("consistency", "labels said in the text"),
        Column("citations", "citations that exist"),
        Column("contradicted", "contradicted"),
        Column("struck", "struck by the verifier"),
    ),
)
CONFIDENCE = Section(
    "Confidence, and evidence that is spoilt",
    "Right: the first label's level-1 class on wheel 1 is among the human ones. The probes "
    "spoil the evidence of the first label: its claim should move the way the title says.",
    (
        Column("top1", "first label right"),
        Column("ece", "ECE", "number", 3),
        Column("brier", "Brier", "number", 3),
        Column("deletion", "claim falls without its clues"),
        Column("deletion_fall", "fall", "number", 3),
        Column("others_fall", "fall without as many others", "number", 3),
        Column("drop", "falls without its main modality"),
        Column("flip", "falls when its clues are turned round"),
        Column("shift", "holds when a clue is moved"),
    ),
)
COSTS = Section(
    "Cost",
    "Per clip, on this machine.",
    (
        Column("seconds", "s per clip", "number", 3),
        Column("tool_calls", "tool calls", "number", 2),
        Column("rounds", "rounds", "number", 2),
        Column("requests", "requests", "number", 2),
        Column("tokens", "tokens", "number", 0),
        Column("money", "money", "number", 5),
    ),
)
