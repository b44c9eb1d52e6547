"""Clue and label overlap by a judge, for every system that gives explanations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from emer.evals.data.records import Gold
from emer.evals.judges.judge import Judge, judge_all
from emer.evals.metrics.emotion_words import Language
from emer.evals.report.board import Entry
from emer.evals.report.scorecard import said


def judged(
    entry: Entry, golds: Sequence[Gold], judge: Judge, language: Language = "en"
) -> tuple[Entry, tuple[str, ...]]:
    """Return the entry with the judge's overlaps, and a note on what it could not rate."""
    human = [gold.explanations.get(language, "") for gold in golds]
    texts = [said(prediction) for prediction in entry.predictions]
    if not any(human) or not any(texts):
        return entry, ()
    overlaps = judge_all(judge, human, texts)
    statistics = {
        **entry.scorecard.statistics,
        "clue_overlap": overlaps.clues,
        "label_overlap": overlaps.labels,
    }
    note = (
        f"{entry.card.name}: {judge.name} could not rate {len(overlaps.failed)} of "
        f"{2 * len(texts)} pairs ({overlaps.failed[:1]})"
    )
    scorecard = replace(entry.scorecard, statistics=statistics)
    return replace(entry, scorecard=scorecard), (note,) if overlaps.failed else ()
