"""`emer-eval score FILE`: predictions against human labels, beside the floors."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from emer.evals.commands import options
from emer.evals.data.predictions import Predictions, matched, read_predictions
from emer.evals.data.types import Dataset
from emer.evals.metrics.bootstrap import SEED
from emer.evals.report.leaderboard import Board, build
from emer.evals.report.measure import Job, measure, rated
from emer.evals.report.scorecard import CLOSED, EXPLANATIONS, SHORT, Ruler
from emer.evals.report.tables import labels, section, show
from emer.evals.runs.runner import RunFile
from emer.evals.systems.baselines import StoredAnswers, floors
from emer.evals.systems.system import System
from emer.tools.errors import ConfigError


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """Arguments of `emer-eval score`."""

    predictions: Path
    data: options.SetOptions
    lexicon: str
    partial: bool
    judge: str
    groups: str | None


def run_score(request: ScoreRequest, json: bool) -> None:
    """Print the scores of a file."""
    board = score(request)
    if json:
        options.print_json(as_json(board))
        return
    show(labels(board, SHORT))
    if not section(board, CLOSED).empty:
        show(section(board, CLOSED))
    if board.judge:
        show(section(board, EXPLANATIONS))


def score(request: ScoreRequest) -> Board:
    """Leaderboard of the file and the floors."""
    edition = options.choose_edition(request.lexicon)
    judge, grouper = options.choose_judge(request.judge), options.choose_grouper(request.groups)
    path = request.predictions
    if path.suffix == ".jsonl" and path.is_file():
        name = RunFile(path).read()[0].system.name
        raise ConfigError(f"{path} is a run of {name}; show it with: emer-eval report --run {path}")
    predictions = read_predictions(path)
    folder, dataset = request.data.open()
    for remark in (*dataset.notes, *_checked(dataset, predictions, request.partial)):
        options.note(remark)
    ruler = Ruler(dataset, options.open_lexicon(folder, edition), grouper)
    golds = {sample.name: dataset.gold(sample) for sample in dataset.labelled}
    systems: list[System] = [*floors(golds), StoredAnswers(predictions)]
    measured = measure(ruler, [Job(system, offline=False) for system in systems])
    entries, notes = rated(measured, ruler.golds, judge)
    rated_texts = "clue_overlap" in entries[-1].statistics  # the file's come last
    return build(ruler, entries, notes=notes, judge=judge.name if rated_texts else "")


def as_json(board: Board) -> dict[str, object]:
    """Leaderboard as JSON: every score of every system with its interval."""
    ruler = board.ruler
    return {
        "dataset": ruler.dataset.name,
        "clips": len(ruler.golds),
        "lexicon": ruler.edition,
        "main_score": ruler.main,
        "grouping": ruler.grouper.name,
        "judge": board.judge or None,
        "draws": board.times,
        "seed": SEED,
        "human_labels_per_clip": ruler.human_labels,
        "notes": list(board.notes),
        "systems": [
            {
                **row.card.model_dump(mode="json"),
                "scores": dict(row.scores),
                "counts": dict(row.counts),
                "over_best_floor": row.over_floor,
                "many_labels": row.spam,
            }
            for row in board.rows
        ],
        "differences": [asdict(pair) for pair in board.pairs],
    }


def _checked(dataset: Dataset, predictions: Predictions, partial: bool) -> tuple[str, ...]:
    clips = [sample.name for sample in dataset.labelled]
    if not clips:
        raise ConfigError(f"{dataset.name}: no clip has labels to score against")
    unlabelled = len(dataset.samples) - len(clips)
    remark = f"{dataset.name}: {unlabelled} of {len(dataset.samples)} clips have no labels"
    notes = (f"{remark} and are left out",) if unlabelled else ()
    return (*notes, *predictions.notes, *matched(clips, predictions, partial=partial))
