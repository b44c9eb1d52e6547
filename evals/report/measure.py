"""Systems of a report, measured, rated by a judge and probed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import get_args

import numpy as np

from emer.agents.reasoner import Reasoner, Reporting
from emer.evals.data.locations import DataFolder
from emer.evals.data.types import Dataset, Gold, Sample
from emer.evals.judges.judge import Judge, OfflineJudge, judge_all
from emer.evals.metrics.bootstrap import Statistic, mean
from emer.evals.metrics.faithfulness import Evidence, Kind, corrupt, delete
from emer.evals.report.scorecard import Ruler, Scorecard, text_of
from emer.evals.runs.runner import answers
from emer.evals.systems.baselines import floors, read_stored
from emer.evals.systems.oracle import DURATION, OnHumanClues
from emer.evals.systems.system import Prediction, System
from emer.graphs.settings import DEFAULT


def rated(
    entries: Iterable[Scorecard], golds: Sequence[Gold], judge: Judge
) -> tuple[list[Scorecard], list[str]]:
    """Scorecards with the judge's overlaps, and notes on what it could not rate."""
    human = [gold.explanations.get("en", "") for gold in golds]
    scorecards: list[Scorecard] = []
    notes: list[str] = []
    for entry in entries:
        texts = [text_of(prediction) for prediction in entry.predictions]
        if "clue_overlap" in entry.statistics or not (any(human) and any(texts)):
            scorecards.append(entry)
            continue
        overlaps = judge_all(judge, human, texts)
        scores = {"clue_overlap": overlaps.clues, "label_overlap": overlaps.labels}
        scorecards.append(entry.with_scores(scores))
        if overlaps.failed:
            notes.append(f"{entry.card.name}: {judge.name} could not rate {len(overlaps.failed)} "
                         f"of {2 * len(texts)} pairs ({overlaps.failed[:1]})")  # fmt: skip
    return scorecards, notes


NAMES = ("deletion", "deletion_fall", "others_fall", *get_args(Kind))


def probe(reasoner: Reasoner, predictions: Sequence[Prediction]) -> dict[str, Statistic]:
    """Probes of each clip's first label; NaN where one cannot be made.

    deletion: share of labels that lose probability without the clues they cite;
    deletion_fall, others_fall: how much they lose without those, and without as many other
    clues; drop, flip, shift: share of corruptions that move the label the right way.
    """
    probes = [dict(_probes_of(reasoner, prediction)) for prediction in predictions]
    values = {name: [each.get(name, np.nan) for each in probes] for name in NAMES}
    return {name: mean(each) for name, each in values.items() if np.isfinite(each).any()}


def _probes_of(reasoner: Reasoner, prediction: Prediction) -> Iterator[tuple[str, float]]:
    if prediction.explanation is None or not prediction.explanation.labels:
        return
    label = prediction.explanation.labels[0]
    evidence = Evidence(reasoner, DEFAULT, prediction.clues, prediction.duration or DURATION)
    deletion = delete(evidence, label)
    yield "deletion", float(deletion.after < deletion.before)
    yield "deletion_fall", deletion.before - deletion.after
    if deletion.others is not None:
        yield "others_fall", deletion.before - deletion.others
    for corruption in corrupt(evidence, label):
        yield corruption.kind, float(corruption.fits)


@dataclass(frozen=True)
class Job:
    """A system to be measured."""

    system: System
    probes: bool = False
    """Whether its evidence is also deleted and corrupted."""
    cache: Path | None = None
    """A folder of answers from earlier reports."""
    offline: bool = True
    """Whether the offline judge, which works in any process, rates it too."""


def other_jobs(dataset: Dataset, folder: DataFolder) -> list[Job]:
    """The floors, and the systems with stored answers on any of these clips."""
    labelled = {s.name: dataset.gold(s) for s in dataset.labelled}
    stored = [read_stored(path) for path in folder.tables("predictions")]
    matching = [each for each in stored if each.predictions.places.keys() & labelled.keys()]
    systems: list[System] = [*floors(labelled), *matching]
    return [Job(system) for system in systems]


def reasoner_jobs(dataset: Dataset, oracle: OnHumanClues, cache: Path | None = None) -> list[Job]:
    """A reasoner in every form of oracle perception that the dataset has."""
    full = replace(oracle, masked=False)
    probed = [oracle, full, replace(full, language="zh")]
    others = [
        replace(oracle, language="zh"),
        replace(oracle, parts=("visual",)),
        replace(oracle, parts=("acoustic",)),
        replace(oracle, parts=("visual", "acoustic")),
        replace(oracle, stepwise=True),
        replace(full, parts=("subtitle",)),
    ]
    forms = [form for form in (*probed, *others) if _can_answer(form, dataset.samples[0])]
    return [Job(form, probes=form in probed, cache=cache) for form in forms]


def pairs(reasoner: Reasoner) -> list[tuple[str, str]]:
    """Pairs of systems whose differences the report has."""
    r = reasoner.name
    return [
        (f"{r}/full", f"{r}/masked"),
        (f"{r}/full/zh", f"{r}/full"),
        (f"{r}/masked", f"{r}/masked/visual"),
        (f"{r}/masked", f"{r}/masked/acoustic"),
        (f"{r}/masked", f"{r}/masked/visual+acoustic"),
        (f"{r}/masked/stepwise", f"{r}/masked"),
        (f"{r}/masked", f"{r}/text only"),
        ("affectgpt_ck30", "chat-univi_merge"),
    ]


def measure(
    ruler: Ruler,
    jobs: Sequence[Job],
    workers: int = 1,
    done: Callable[[str], None] = lambda _: None,
) -> list[Scorecard]:
    """Each system's scorecard, in the order of the jobs.

    A system that calls a language model stays in this process: its connection cannot be sent
    to another.

    Args:
        ruler: Human labels of the clips.
        jobs: Systems.
        workers: Processes.
        done: Called with the name of each measured system.

    """

    def finished(entry: Scorecard) -> Scorecard:
        done(entry.card.name)
        return entry

    if workers <= 1 or len(jobs) < 2:
        return [finished(measure_one(ruler, job)) for job in jobs]
    here = {place: job for place, job in enumerate(jobs) if isinstance(job.system, OnHumanClues)
            and isinstance(job.system.reasoner, Reporting)}  # fmt: skip
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    try:
        others = {place: job for place, job in enumerate(jobs) if place not in here}
        pending = {pool.submit(measure_one, ruler, job): p for p, job in others.items()}
        entries = {p: finished(measure_one(ruler, job)) for p, job in here.items()}
        entries |= {pending[each]: finished(each.result()) for each in as_completed(pending)}
    except BaseException:
        for process in active_children():
            process.terminate()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown()
    return [entries[place] for place in range(len(jobs))]


def measure_one(ruler: Ruler, job: Job) -> Scorecard:
    """Answer every clip and measure the answers."""
    predictions = answers(job.system, ruler.dataset.name, ruler.samples, job.cache)
    entry = ruler.measure(job.system.card, predictions)
    if job.probes and isinstance(job.system, OnHumanClues):
        entry = entry.with_scores(probe(job.system.reasoner, predictions))
    return rated([entry], ruler.golds, OfflineJudge())[0][0] if job.offline else entry


def _can_answer(system: OnHumanClues, sample: Sample) -> bool:
    if system.parts == ("subtitle",):
        return bool(sample.subtitle or sample.described)
    return sample.description(system.language, system.masked) is not None
