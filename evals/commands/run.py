"""`emer-eval run SYSTEM ...`: systems over clips, into one JSONL file each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from emer.evals.commands.choices import open_set
from emer.evals.commands.plain import print_json
from emer.evals.data.records import Dataset
from emer.evals.front import note, progress
from emer.evals.runs.record import RunFile
from emer.evals.runs.runner import run
from emer.evals.systems.named import Scene, named
from emer.evals.systems.system import Prediction, System
from emer.evals.systems.thinking import Who, on_clues
from emer.tools.errors import ConfigError, EmerError
from emer.tools.printable import one_line


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked, as it stands on the command line."""

    systems: tuple[str, ...]
    out: Path
    gold: Path | None
    clips: Path | None
    data: Path | None
    set_name: str | None
    who: Who
    limit: int | None
    workers: int


def run_systems(request: Request, fresh: bool, json: bool) -> None:
    """Run each system and print what came of it; `EmerError` if one answers no clip at all."""
    _, dataset = open_set(request.data, request.set_name, request.gold, request.clips)
    for said in dataset.notes:
        note(said)
    if request.limit:
        dataset = dataset.model_copy(update={"samples": dataset.samples[: request.limit]})
    scene = Scene(dataset, on_clues(request.who), request.out, request.who)
    systems = [named(spec, scene) for spec in request.systems]
    twice = [s.card.name for s in systems if [t.card.name for t in systems].count(s.card.name) > 1]
    if twice:
        raise ConfigError(f"{twice[0]} is named twice")
    told = []
    for system in systems:
        found = _run_one(system, dataset, request, fresh)
        told.append(_summary(system, found, RunFile.of(request.out, system.card).path))
        if not json:
            _print(told[-1])
    if json:
        print_json(told)
    failed = [one["system"] for one in told if one["failed"] == one["clips"]]
    if failed:
        raise EmerError(f"{failed[0]}: there is no answer on any of the clips")


def _run_one(system: System, dataset: Dataset, request: Request, fresh: bool) -> list[Prediction]:
    with progress(system.card.name, len(dataset.samples), request.out / "native.log") as step:

        def done(prediction: Prediction) -> None:
            step(prediction.name)

        return run(system, dataset, request.out, workers=request.workers, fresh=fresh, done=done)


def _summary(system: System, found: list[Prediction], path: Path) -> dict[str, object]:
    failed = [p for p in found if p.failed is not None]
    return {
        "system": system.card.name,
        "file": str(path),
        "clips": len(found),
        "answered": sum(bool(p.labels) for p in found),
        "abstained": sum(not p.labels and p.failed is None for p in found),
        "failed": len(failed),
        "fallbacks": sum(p.cost.fallbacks or 0 for p in found),
        "first_failure": f"{failed[0].name}: {failed[0].failed}" if failed else None,
    }


def _print(told: dict[str, object]) -> None:
    counts = "{clips} clips, {answered} answered, {abstained} abstained, {failed} failed"
    print(one_line(f"{told['system']}: {counts.format(**told)}; {told['file']}"))
    if told["fallbacks"]:
        note(f"{told['system']}: the rules took {told['fallbacks']} steps instead of the model")
    if told["first_failure"]:
        note(f"{told['system']}: {told['first_failure']}")
