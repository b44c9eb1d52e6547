"""`emer-eval fit`: cue weights and calibration from a researcher's own labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from emer.evals.commands.options import SetOptions, note, print_json, progress
from emer.evals.data.types import Dataset
from emer.evals.fit.cross_validation import calibrate, choose_hold, compare, cross_validate
from emer.evals.fit.features import Examples, examples, shipped
from emer.evals.fit.logistic import FEWEST, fit
from emer.evals.fit.weights import provenance, write_weights
from emer.evals.metrics.bootstrap import Estimate
from emer.evals.report.scorecard import Column
from emer.evals.report.tables import Group, Table, show
from emer.evals.runs.runner import RunFile
from emer.evals.systems.oracle import OnHumanClues, clues_of
from emer.evals.systems.registry import on_human_clues
from emer.tools.errors import ConfigError
from emer.tools.types import Clue

FEWEST_CLIPS = 30
SCORES = (
    Column("log_loss", "log loss", "number", 4),
    Column("first_right", "first family right"),
    Column("brier", "Brier", "number", 3),
    Column("ece", "ECE", "number", 3),
)


@dataclass(frozen=True, slots=True)
class FitRequest:
    """Arguments of `emer-eval fit`."""

    out: Path
    data: SetOptions
    runs: tuple[Path, ...]
    form: str
    folds: int
    seed: int


def run_fit(request: FitRequest, json: bool) -> None:
    """Fit and write weights; print the scores of the cross-validation."""
    _, dataset = request.data.open()
    for remark in dataset.notes:
        note(remark)
    of = _examples(dataset, request)
    if request.folds > len(of.names):
        raise ConfigError(f"--folds {request.folds}: there are {len(of.names)} clips to divide")
    with progress("cross-validation", request.folds) as step:
        validated, baseline = cross_validate(of, request.folds, request.seed, step)
    scores = compare(of, validated, baseline)
    hold, prior = choose_hold(of, request.seed), shipped(of)
    weights = fit(of, prior, hold)
    line = calibrate(validated.scores, of.displayed)
    settings = {"folds": request.folds, "seed": request.seed, "hold": hold, "form": request.form,
                "holds_of_the_folds": list(validated.holds)}  # fmt: skip
    about = provenance(dataset, of, weights, line, scores, settings)
    files = write_weights(request.out, of, prior, weights, about)
    if json:
        print_json({**about, "files": [str(path) for path in files]})
    else:
        show(_table(of, scores, request, hold))
        print(f"written {files[0]} and {files[1]}")


def _examples(dataset: Dataset, request: FitRequest) -> Examples:
    runs = [RunFile(path).read()[1] for path in request.runs]
    clues: dict[str, Sequence[Clue]] = {
        name: prediction.clues
        for run in runs
        for name, prediction in run.items()
        if prediction.clues
    }
    if not runs:
        clues = _from_people(dataset, request.form)
    names = [sample.name for sample in dataset.labelled if clues.get(sample.name)]
    if len(names) < FEWEST_CLIPS:
        raise ConfigError(
            f"{dataset.name}: {len(names)} labelled clips have clues, {FEWEST_CLIPS} are needed; "
            "--run FILE.jsonl gives the clues of a run of the agent over your clips"
        )
    without = len(dataset.labelled) - len(names)
    if without:
        note(f"{without} of {len(dataset.labelled)} labelled clips have no clues: left out")
    labels = [dataset.golds[name].labels for name in names]
    of = examples(names, [clues[name] for name in names], labels)
    if of.unknown:
        first = max(of.unknown, key=lambda label: of.unknown[label])
        note(f"{sum(of.unknown.values())} labels belong to no family ({first!r} most often)")
    rare = [f for f, n in zip(of.families, of.displayed.sum(axis=0), strict=True) if n < FEWEST]
    if rare:
        note(f"fewer than {FEWEST} clips display {', '.join(rare)}: their weights stay as shipped")
    return of


def _from_people(dataset: Dataset, form: str) -> dict[str, Sequence[Clue]]:
    from emer.agents.rules.reasoner import Rules

    oracle = on_human_clues(OnHumanClues(Rules()), form)
    descriptions = {
        sample.name: sample.description(oracle.language, oracle.masked)
        for sample in dataset.labelled
    }
    return {name: clues_of(d, oracle.parts) for name, d in descriptions.items() if d is not None}


def _table(of: Examples, scores: dict[str, Estimate], request: FitRequest, hold: float) -> Table:
    rows = [
        [title, *(c.cell(scores[f"{key}_{c.key}"], signed=key == "difference") for c in SCORES)]
        for title, key in (("shipped weights", "shipped"), ("fitted weights", "fitted"),
                           ("fitted - shipped", "difference"))
    ]  # fmt: skip
    lead = (
        f"{request.folds}-fold cross-validation over {len(of.names)} clips, seed {request.seed}; "
        f"the literature's weights are held to by {hold:g}. Both have their offsets and "
        "calibration from the training folds."
    )
    return Table("Cue weights", lead, ["", *(c.title for c in SCORES)], [Group("", rows)])
