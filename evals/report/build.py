"""The whole report: read, measure, compare, draw."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from emer.evals.data.datasets import sets_in
from emer.evals.data.locations import DataFolder
from emer.evals.data.types import Dataset
from emer.evals.judges.judge import Judge
from emer.evals.judges.offline import OfflineJudge
from emer.evals.metrics.bootstrap import TIMES
from emer.evals.metrics.confusion import Confusion, confusion
from emer.evals.metrics.synonyms import Grouper
from emer.evals.metrics.wheel import Lexicon
from emer.evals.report import plots
from emer.evals.report.emer_v1 import version1_table
from emer.evals.report.leaderboard import Board, Entry, build
from emer.evals.report.measure import heavy, judged, light, measure, pairs, probe
from emer.evals.report.scorecard import Ruler
from emer.evals.report.tables import Report, tables
from emer.evals.runs.record import RunFile, RunHeader
from emer.evals.systems.reasoner_options import Thinker
from emer.evals.systems.system import Card, Prediction
from emer.tools.errors import ConfigError
from emer.tools.types import Param

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Wish:
    """What a report is wished to hold."""

    lexicon: Lexicon | None
    """The wheel lexicon; without it what needs it is not measured."""
    judge: Judge = OfflineJudge()  # noqa: RUF009  (frozen)
    grouper: Grouper | None = None
    runs: tuple[Path, ...] = ()
    """Files of runs that also take part."""
    against: str | None = None
    """A system that every other one is compared with."""
    memory: Path | None = None
    """A folder of answers from earlier reports."""
    workers: int = 2
    times: int = TIMES


@dataclass(frozen=True)
class Produced:
    """A report, the leaderboard it shows and how long it took."""

    board: Board
    report: Report
    entries: Sequence[Entry] = field(repr=False)
    seconds: float = 0.0


def produce(
    dataset: Dataset, folder: DataFolder, thinker: Thinker, wish: Wish,
    say: Progress = lambda _: None,
) -> Produced:  # fmt: skip
    """Report on a dataset."""
    begun = time.perf_counter()
    ruler = Ruler.of(dataset, wish.lexicon, wish.grouper)
    offline = isinstance(wish.judge, OfflineJudge)
    jobs = [*heavy(dataset, thinker, wish.memory), *light(dataset, folder)]
    jobs = [replace(job, offline=offline) for job in jobs]
    runs = [RunFile(path).read() for path in wish.runs]
    _check(wish.against, [job.system.card for job in jobs] + [header.system for header, _ in runs])
    absent = [
        _absent(dataset, path, found) for path, (_, found) in zip(wish.runs, runs, strict=True)
    ]
    entries = measure(ruler, dataset, jobs, wish.workers, say)
    entries += [_from_run(ruler, dataset, header, found, thinker) for header, found in runs]
    notes = [note for note in absent if note]
    for place, entry in enumerate(entries):
        if "clue_overlap" not in entry.scorecard.statistics:
            entries[place], said = judged(entry, ruler.golds, wish.judge)
            notes += said
    say("intervals")
    wanted = pairs(thinker.reasoner)
    if wish.against:
        wanted += [(e.card.name, wish.against) for e in entries if e.card.name != wish.against]
    board = build(
        ruler, entries, wanted, [*dataset.notes, *notes], wish.judge.name, times=wish.times
    )
    say("plots")
    shown = tables(board)
    if dataset.name == "emer-v2" and "emer-v1" in sets_in(folder) and folder.tables("v1_baselines"):
        shown.append(version1_table(sets_in(folder)["emer-v1"](), folder, wish.judge))
    seconds = time.perf_counter() - begun
    about = f"{board.method}. Made on {datetime.now(UTC):%Y-%m-%d} in {seconds:.0f} s."
    report = Report(
        f"emer-eval: {dataset.name}", about, tuple(shown), _plots(ruler, board, entries)
    )
    return Produced(board, report, entries, seconds)


def _check(against: str | None, cards: Sequence[Card]) -> None:
    """Raise `ConfigError` before anything is measured if `against` takes no part."""
    names = [card.name for card in cards]
    if against is not None and against not in names:
        raise ConfigError(f"--against {against}: there are {', '.join(map(repr, names))}")


def _absent(dataset: Dataset, path: Path, found: Mapping[str, Prediction]) -> str:
    """What is to be said of clips that a run does not have, "" where it has all.

    `ConfigError` where it has none.
    """
    there = [sample.name for sample in dataset.labelled if sample.name in found]
    lacking = len(dataset.labelled) - len(there)
    if not there:
        raise ConfigError(
            f"--run {path}: none of its {len(found)} clips is labelled in {dataset.name}; "
            "name the data it was run on with --set and --data"
        )
    return f"{path.name} lacks {lacking} of the clips; they count as no answer" if lacking else ""


def _from_run(
    ruler: Ruler, dataset: Dataset, header: RunHeader, found: Mapping[str, Prediction],
    thinker: Thinker,
) -> Entry:  # fmt: skip
    """Run measured; if this reasoner made it, its evidence is spoilt too."""
    predictions = [
        found.get(sample.name, Prediction(name=sample.name, failed="not in the run"))
        for sample in dataset.labelled
    ]
    scorecard = ruler.measure(header.system, predictions)
    if _made_by(thinker, header.system.provenance):
        probed = probe(thinker.reasoner, predictions)
        scorecard = replace(scorecard, statistics={**scorecard.statistics, **probed})
    return Entry(scorecard, predictions)


def _made_by(thinker: Thinker, provenance: Mapping[str, Param]) -> bool:
    """Whether answers are this reasoner's, with the same model and arguments."""
    told = {k: v for k, v in provenance.items() if k.startswith("reasoner.")}
    return provenance.get("reasoner") == thinker.reasoner.name and told == thinker.arguments


def _plots(ruler: Ruler, board: Board, entries: Sequence[Entry]) -> dict[str, str]:
    """Plots by their captions."""
    found = {"F of each system with its interval.": plots.intervals(board)}
    if ruler.lexicon is not None:
        found["Human class against predicted class on wheel 1, percent of each row."] = (
            plots.confusions(_confusions(ruler.lexicon, ruler, _leading(board, entries)))
        )
    stated = {e.card.name: e.scorecard.judged for e in entries if e.scorecard.judged.n}
    chosen = dict(list(stated.items())[:4])
    if chosen:
        found["Whether confidence means what it says."] = plots.calibration(chosen)
    if any("seconds" in row.scores for row in board.rows):
        found["Cost against score, of the systems that were run here."] = plots.cost(board)
    return found


def _confusions(lexicon: Lexicon, ruler: Ruler, entries: Sequence[Entry]) -> dict[str, Confusion]:
    wheel = lexicon.wheels[0]
    return {
        e.card.name: confusion(lexicon, wheel, ruler.labels, [p.labels for p in e.predictions])
        for e in entries
    }


def _leading(board: Board, entries: Sequence[Entry]) -> list[Entry]:
    """Best system of each kind of input but the floors, three at most; else a floor."""
    groups = board.groups
    best = [rows[0].card.name for given, rows in groups.items() if given != "nothing"]
    best = best or [rows[0].card.name for rows in groups.values()]
    return [entry for entry in entries if entry.card.name in best[:3]]
