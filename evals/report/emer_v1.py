"""EMER-v1: the first paper's six baselines, by their explanations in Chinese."""

from __future__ import annotations

from emer.evals.data.locations import DataFolder
from emer.evals.data.types import Dataset
from emer.evals.judges.judge import Judge, judge_all
from emer.evals.metrics.bootstrap import Statistic, estimate, mean
from emer.evals.metrics.cue_overlap import agree, completeness, cue_scores
from emer.evals.report.scorecard import OVERLAPS, Column
from emer.evals.report.tables import Group, Table
from emer.evals.systems.baselines import another_answer, constant_answer, read_stored
from emer.evals.systems.system import System

COLUMNS = (*OVERLAPS, Column("cues", "cues F"), Column("completeness", "modalities present"))


def version1_table(dataset: Dataset, folder: DataFolder, judge: Judge) -> Table:
    """Table of the six baselines with two floors, and with a ceiling of the judge.

    The ceiling is the English translation of the human answer.
    """
    stored = [read_stored(path, text_only=True) for path in folder.tables("v1_baselines")]
    floors = [constant_answer(dataset.golds, "zh"), another_answer(dataset.golds, "zh")]
    systems: list[System] = [*floors, *stored]
    texts = {s.card.name: [s.answer(sample).text for sample in dataset.samples] for s in systems}
    golds = [dataset.gold(sample).explanations for sample in dataset.samples]
    human = [gold.get("zh", "") for gold in golds]
    texts["the human answer in English"] = [gold.get("en", "") for gold in golds]
    statistics: dict[tuple[str, str], Statistic] = {}
    for name, written in texts.items():
        overlaps = judge_all(judge, human, written)
        cues = cue_scores([agree(gold, text) for gold, text in zip(human, written, strict=True)])
        statistics[name, "clue_overlap"] = overlaps.clues
        statistics[name, "label_overlap"] = overlaps.labels
        statistics[name, "cues"] = cues.f
        statistics[name, "completeness"] = mean([completeness(text) for text in written])
    estimates = estimate(statistics, len(golds))
    rows = [[name, *(c.cell(estimates[name, c.key]) for c in COLUMNS)] for name in texts]
    return Table(
        title="EMER-v1: explanations of the first paper's baselines",
        lead=f"Overlaps run from 1 to 10 and are those of judge={judge.name} alone: the paper's "
        "own scores are another judge's and do not compare.",
        columns=["system", *(column.title for column in COLUMNS)],
        groups=[Group("", rows)],
        notes=(f"n = {len(golds)} clips of EMER-v1; the explanations are Chinese.",),
    )
