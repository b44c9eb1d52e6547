"""The report: systems measured, compared and drawn."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from emer.evals.data.datasets import sets_in
from emer.evals.data.locations import DataFolder
from emer.evals.data.types import Dataset
from emer.evals.judges.judge import Judge, OfflineJudge, judge_all
from emer.evals.metrics.bootstrap import TIMES, Statistic, estimate, mean
from emer.evals.metrics.cue_overlap import agree, completeness, cue_scores
from emer.evals.metrics.open_vocabulary import confusion
from emer.evals.metrics.wheel import Lexicon
from emer.evals.report import plots
from emer.evals.report.leaderboard import Board, build
from emer.evals.report.measure import measure, other_jobs, pairs, probe, rated, reasoner_jobs
from emer.evals.report.scorecard import OVERLAPS, Column, Ruler, Scorecard
from emer.evals.report.tables import Group, Report, Table, tables
from emer.evals.runs.runner import RunFile, RunHeader
from emer.evals.systems.baselines import another_answer, constant_answer, read_stored
from emer.evals.systems.oracle import OnHumanClues
from emer.evals.systems.system import Prediction, System
from emer.tools.errors import ConfigError


@dataclass(frozen=True)
class ReportSettings:
    """Content of a report."""

    lexicon: Lexicon | None
    """The wheel lexicon; without it the scores that need it are left out."""
    judge: Judge = OfflineJudge()  # noqa: RUF009  (frozen)
    runs: tuple[Path, ...] = ()
    """Files of runs that also take part."""
    against: str | None = None
    """A system that every other one is compared with."""
    cache: Path | None = None
    """A folder of answers from earlier reports."""
    workers: int = 2
    times: int = TIMES


def produce(
    dataset: Dataset, folder: DataFolder, oracle: OnHumanClues, settings: ReportSettings,
    say: Callable[[str], None] = lambda _: None,
) -> Report:  # fmt: skip
    """The report on a dataset.

    Args:
        dataset: Labelled clips.
        folder: Data folder with the stored answers of other systems.
        oracle: Reasoner on human clues.
        settings: Content of the report.
        say: Called with the name of each step that is done.

    """
    start = time.perf_counter()
    ruler = Ruler(dataset, settings.lexicon)
    entries, notes = _entries(ruler, folder, oracle, settings, say)
    say("intervals")
    compared = pairs(oracle.reasoner)
    if settings.against:
        others = [entry.card.name for entry in entries if entry.card.name != settings.against]
        compared += [(name, settings.against) for name in others]
    board = build(ruler, entries, compared, [*dataset.notes, *notes], settings.judge.name,
                  times=settings.times)  # fmt: skip
    say("plots")
    content, sets = tables(board), sets_in(folder)
    if dataset.name == "emer-v2" and "emer-v1" in sets and folder.tables("v1_baselines"):
        content.append(_version1_table(sets["emer-v1"](), folder, settings.judge))
    figures = _plots(ruler, board, entries)
    seconds = time.perf_counter() - start
    about = f"{board.method}. Made on {datetime.now(UTC):%Y-%m-%d} in {seconds:.0f} s."
    return Report(board, f"emer-eval: {dataset.name}", about, tuple(content), figures, seconds)


def _entries(
    ruler: Ruler, folder: DataFolder, oracle: OnHumanClues, settings: ReportSettings,
    say: Callable[[str], None],
) -> tuple[list[Scorecard], list[str]]:  # fmt: skip
    """All systems measured and rated, and notes on them."""
    dataset = ruler.dataset
    offline = isinstance(settings.judge, OfflineJudge)
    jobs = [*reasoner_jobs(dataset, oracle, settings.cache), *other_jobs(dataset, folder)]
    jobs = [replace(job, offline=offline) for job in jobs]
    runs = {path: RunFile(path).read() for path in settings.runs}
    names = [j.system.card.name for j in jobs] + [header.system.name for header, _ in runs.values()]
    if settings.against is not None and settings.against not in names:
        known = ", ".join(map(repr, names))
        raise ConfigError(f"--against {settings.against}: there are {known}")
    notes: list[str] = []
    for path, (_, answers) in runs.items():
        lacking = sum(sample.name not in answers for sample in ruler.samples)
        if lacking == len(ruler.samples):
            raise ConfigError(
                f"--run {path}: none of its {len(answers)} clips is labelled in {dataset.name}; "
                "name the data it was run on with --set and --data"
            )
        if lacking:
            notes.append(f"{path.name} lacks {lacking} of the clips; they count as no answer")
    entries = measure(ruler, jobs, settings.workers, say)
    entries += [_from_run(ruler, *run, oracle) for run in runs.values()]
    entries, remarks = rated(entries, ruler.golds, settings.judge)
    return entries, notes + remarks


def _from_run(
    ruler: Ruler, header: RunHeader, answers: Mapping[str, Prediction], oracle: OnHumanClues
) -> Scorecard:
    """A run measured, and probed if this reasoner made it."""
    predictions = [
        answers.get(sample.name, Prediction(name=sample.name, failed="not in the run"))
        for sample in ruler.samples
    ]
    entry = ruler.measure(header.system, predictions)
    made = header.system.provenance
    arguments = {key: value for key, value in made.items() if key.startswith("reasoner.")}
    if made.get("reasoner") == oracle.reasoner.name and arguments == oracle.arguments:
        return entry.with_scores(probe(oracle.reasoner, predictions))
    return entry


def _plots(ruler: Ruler, board: Board, entries: Sequence[Scorecard]) -> dict[str, str]:
    figures = {"F of each system with its interval.": plots.intervals(board)}
    if (lexicon := ruler.lexicon) is not None:
        # the best system of each kind of input, three at most; else a floor
        best = {group: rows[0].card.name for group, rows in board.groups.items()}
        names = [name for group, name in best.items() if group != "nothing"] or [*best.values()]
        tables = {
            e.card.name: confusion(
                lexicon, lexicon.wheels[0], ruler.labels, [p.labels for p in e.predictions]
            )
            for e in entries
            if e.card.name in names[:3]
        }
        caption = "Human class against predicted class on wheel 1, percent of each row."
        figures[caption] = plots.confusions(tables)
    stated = {e.card.name: e.judged for e in entries if e.judged.n}
    if stated:
        first = dict(list(stated.items())[:4])
        figures["Whether confidence means what it says."] = plots.calibration(first)
    if any("seconds" in row.scores for row in board.rows):
        figures["Cost against score, of the systems that were run here."] = plots.cost(board)
    return figures


VERSION1 = (*OVERLAPS, Column("cues", "cues F"), Column("completeness", "modalities present"))


def _version1_table(dataset: Dataset, folder: DataFolder, judge: Judge) -> Table:
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
    rows = [[name, *(c.cell(estimates[name, c.key]) for c in VERSION1)] for name in texts]
    return Table(
        title="EMER-v1: explanations of the first paper's baselines",
        lead=f"Overlaps run from 1 to 10 and are those of judge={judge.name} alone: the paper's "
        "own scores are another judge's and do not compare.",
        columns=["system", *(column.title for column in VERSION1)],
        groups=[Group("", rows)],
        notes=(f"n = {len(golds)} clips of EMER-v1; the explanations are Chinese.",),
    )
