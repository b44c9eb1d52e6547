"""Who takes part, and measuring them.

Clue and label overlap by a judge, for every system that gives explanations.

Probes of a reasoner on its own answers: what becomes of a claim when its evidence is spoilt.

Who takes part in the report, and measuring them, side by side where that pays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import get_args

import numpy as np

from emer.agents.reasoner import Reasoner, Reporting
from emer.evals.data.locations import DataFolder
from emer.evals.data.types import Dataset, Gold, Sample
from emer.evals.judges.judge import Judge, judge_all
from emer.evals.judges.offline import OfflineJudge
from emer.evals.metrics.bootstrap import Statistic, mean
from emer.evals.metrics.emotion_words import Language
from emer.evals.metrics.faithfulness import Kind, Scene, corrupt, delete
from emer.evals.report.leaderboard import Entry
from emer.evals.report.scorecard import Ruler, said
from emer.evals.runs.runner import answers
from emer.evals.systems.baselines import floors
from emer.evals.systems.oracle import DURATION, OnHumanClues
from emer.evals.systems.reasoner_options import Thinker
from emer.evals.systems.stored import read_stored
from emer.evals.systems.system import Prediction, System
from emer.graphs.settings import DEFAULT


def judged(
    entry: Entry, golds: Sequence[Gold], judge: Judge, language: Language = "en"
) -> tuple[Entry, tuple[str, ...]]:
    """Entry with the judge's overlaps, and a note on what it could not rate."""
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


NAMES = ("deletion", "deletion_fall", "others_fall", *get_args(Kind))


def probe(reasoner: Reasoner, predictions: Sequence[Prediction]) -> dict[str, Statistic]:
    """Probes of each clip's first label; NaN where one cannot be made.

    deletion: share of labels that lose probability without the clues they cite;
    deletion_fall, others_fall: how much they lose without those, and without as many other
    clues; drop, flip, shift: share of corruptions that move the label the right way.
    """
    values: dict[str, list[float]] = {name: [] for name in NAMES}
    for prediction in predictions:
        found = dict(_of_one(reasoner, prediction))
        for name in NAMES:
            values[name].append(found.get(name, np.nan))
    return {n: mean(found) for n, found in values.items() if np.isfinite(found).any()}


def _of_one(reasoner: Reasoner, prediction: Prediction) -> Iterator[tuple[str, float]]:
    if prediction.explanation is None or not prediction.explanation.labels:
        return
    label = prediction.explanation.labels[0]
    duration = prediction.duration or DURATION
    gone = delete(reasoner, label, DEFAULT, prediction.clues, duration)
    yield "deletion", float(gone.lowered)
    yield "deletion_fall", gone.before - gone.after
    if gone.others is not None:
        yield "others_fall", gone.before - gone.others
    scene = Scene(reasoner, DEFAULT, prediction.clues, duration)
    for corruption in corrupt(scene, label):
        yield corruption.kind, float(corruption.fits)


Done = Callable[[str], None]


@dataclass(frozen=True)
class Job:
    """A system to be measured; `probes` also spoils its evidence."""

    system: System
    probes: bool = False
    memory: Path | None = None
    """A folder of answers from earlier reports."""
    offline: bool = True
    """Whether the offline judge rates it too: it needs no model and can work in any process."""


def light(dataset: Dataset, folder: DataFolder) -> list[Job]:
    """Floors, and the systems with stored answers on any of these clips."""
    labelled = {s.name: dataset.gold(s) for s in dataset.labelled}
    stored = [read_stored(path) for path in folder.tables("predictions")]
    here = [system for system in stored if system.predictions.places.keys() & labelled.keys()]
    return [Job(system) for system in (*floors(labelled), *here)]


def heavy(dataset: Dataset, thinker: Thinker, memory: Path | None = None) -> list[Job]:
    """Reasoner in every form of oracle perception that the dataset has."""
    on = OnHumanClues(thinker.reasoner, arguments=thinker.arguments)
    forms = [
        Job(on, probes=True),
        Job(replace(on, masked=False), probes=True),
        Job(replace(on, masked=False, language="zh"), probes=True),
        Job(replace(on, language="zh")),
        Job(replace(on, parts=("visual",))),
        Job(replace(on, parts=("acoustic",))),
        Job(replace(on, parts=("visual", "acoustic"))),
        Job(replace(on, stepwise=True)),
        Job(replace(on, parts=("subtitle",), masked=False)),
    ]
    first = dataset.samples[0]
    return [replace(job, memory=memory) for job in forms if _can_answer(job, first)]


def pairs(reasoner: Reasoner) -> list[tuple[str, str]]:
    """Whose differences are shown: forms of the reasoner, and stored systems."""
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
    ruler: Ruler, dataset: Dataset, jobs: Sequence[Job], workers: int = 1,
    done: Done = lambda _: None,
) -> list[Entry]:  # fmt: skip
    """Each system measured, in the order of the jobs, in several processes if asked.

    What asks a language model stays in this one: its connection is not sent to another.
    """
    samples = dataset.labelled
    if workers <= 1 or len(jobs) < 2:
        return [_done(measure_one(ruler, samples, job), done) for job in jobs]
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    try:
        pending = {
            pool.submit(measure_one, ruler, samples, job): place
            for place, job in enumerate(jobs)
            if not _asks_a_model(job)
        }
        found = {
            place: _done(measure_one(ruler, samples, job), done)
            for place, job in enumerate(jobs)
            if _asks_a_model(job)
        }
        found |= {pending[future]: _done(future.result(), done) for future in as_completed(pending)}
    except BaseException:
        for process in active_children():
            process.terminate()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown()
    return [found[place] for place in range(len(jobs))]


def measure_one(ruler: Ruler, samples: Sequence[Sample], job: Job) -> Entry:
    """Answer every clip and measure the answers."""
    predictions = answers(job.system, ruler.dataset, samples, job.memory)
    scorecard = ruler.measure(job.system.card, predictions)
    if job.probes and isinstance(job.system, OnHumanClues):
        probed = probe(job.system.reasoner, predictions)
        scorecard = replace(scorecard, statistics={**scorecard.statistics, **probed})
    entry = Entry(scorecard, predictions)
    return judged(entry, ruler.golds, OfflineJudge())[0] if job.offline else entry


def _asks_a_model(job: Job) -> bool:
    return isinstance(job.system, OnHumanClues) and isinstance(job.system.reasoner, Reporting)


def _can_answer(job: Job, sample: Sample) -> bool:
    system = job.system
    assert isinstance(system, OnHumanClues)
    if system.parts == ("subtitle",):
        return bool(sample.subtitle or sample.described)
    return sample.description(system.language, system.masked) is not None


def _done(entry: Entry, done: Done) -> Entry:
    done(entry.card.name)
    return entry
