"""EMER-v1: the first paper's six baselines, by their explanations in Chinese."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emer.evals.data.locations import DataFolder
from emer.evals.data.types import Dataset, Sample
from emer.evals.judges.judge import Judge, judge_all
from emer.evals.metrics.bootstrap import Statistic, estimate, mean
from emer.evals.metrics.cue_overlap import agree, completeness, cue_scores
from emer.evals.report.scorecard import Column
from emer.evals.report.tables import Group, Table
from emer.evals.systems.baselines import AnotherAnswer, ConstantAnswer, read_stored
from emer.evals.systems.system import Card, Prediction, System

COLUMNS = (
    Column("clue_overlap", "clue overlap", "number", 2),
    Column("label_overlap", "label overlap", "number", 2),
    Column("cues", "cues F"),
    Column("completeness", "modalities present"),
)


@dataclass(frozen=True)
class SameInEnglish:
    """English translation of the human answer: a ceiling of the judge."""

    dataset: Dataset

    @property
    def card(self) -> Card:
        return Card(name="the human answer in English", input="clip", what="a ceiling of the judge")

    def answer(self, sample: Sample) -> Prediction:
        text = self.dataset.gold(sample).explanations.get("en", "")
        return Prediction(name=sample.name, text=text)


def version1_table(dataset: Dataset, folder: DataFolder, judge: Judge) -> Table:
    """Table of the six baselines with a floor and a ceiling."""
    samples = dataset.samples
    stored = [read_stored(path, text_only=True) for path in folder.tables("v1_baselines")]
    floors: list[System] = [ConstantAnswer(dataset.golds, "zh"), AnotherAnswer(dataset.golds, "zh")]
    systems: list[System] = [*floors, *stored, SameInEnglish(dataset)]
    human = [dataset.gold(sample).explanations.get("zh", "") for sample in samples]
    statistics: dict[str, Statistic] = {}
    for system in systems:
        texts = [system.answer(sample).text for sample in samples]
        overlaps = judge_all(judge, human, texts)
        cues = cue_scores([agree(gold, text) for gold, text in zip(human, texts, strict=True)])
        values: Sequence[Statistic] = (
            overlaps.clues,
            overlaps.labels,
            cues.f,
            mean([completeness(t) for t in texts]),
        )
        for column, value in zip(COLUMNS, values, strict=True):
            statistics[f"{system.card.name}\0{column.key}"] = value
    estimates = estimate(statistics, len(samples))
    rows = [
        [name, *(column.cell(estimates[f"{name}\0{column.key}"]) for column in COLUMNS)]
        for name in (system.card.name for system in systems)
    ]
    return Table(
        title="EMER-v1: explanations of the first paper's baselines",
        lead=f"Overlaps run from 1 to 10 and are those of judge={judge.name} alone: the paper's "
        "own scores are another judge's and do not compare.",
        columns=["system", *(column.title for column in COLUMNS)],
        groups=[Group("", rows)],
        notes=(f"n = {len(samples)} clips of EMER-v1; the explanations are Chinese.",),
    )
