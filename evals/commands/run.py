"""Run, swap.

`emer-eval run SYSTEM ...`: systems over clips, into one JSONL file each.

Two tools in one slot, on the same clips: what the others saw is looked up, not seen again.

`emer-eval swap SLOT A B`: a tool against another, everything else the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from emer.evals.commands.options import (
    choose_edition,
    note,
    open_lexicon,
    open_set,
    print_json,
    progress,
)
from emer.evals.commands.score import as_json
from emer.evals.data.types import Dataset
from emer.evals.report.leaderboard import Board, Entry, build
from emer.evals.report.measure import Job, measure
from emer.evals.report.scorecard import SHORT, Ruler
from emer.evals.report.tables import Group, Table, costs, differences, labels, show
from emer.evals.runs.record import RunFile
from emer.evals.runs.runner import run
from emer.evals.systems.agent import Agent, agent
from emer.evals.systems.baselines import floors
from emer.evals.systems.reasoner_options import Who, on_clues
from emer.evals.systems.registry import Scene, named
from emer.evals.systems.system import Prediction, System
from emer.graphs.loading import choose, load_tools
from emer.graphs.settings import load_settings
from emer.tools.errors import ConfigError, EmerError
from emer.tools.phrasing import one_line
from emer.tools.registry import slots


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


@dataclass(frozen=True)
class Side:
    """One of the two agents, its answers, and how often each slot's tool really ran."""

    system: Agent
    predictions: list[Prediction]
    ran: Counter[str]


def compare(
    slot: str, uses: tuple[str, str], dataset: Dataset, folder: Path, *, workers: int = 1,
    done: Callable[[Prediction], None] = lambda _: None,
) -> tuple[Side, Side]:  # fmt: skip
    """Both sides; they share one evidence store below `folder`.

    `ConfigError` or `ToolMissing` before the first clip if one of them can never look.
    """
    systems = [_agent(slot, use, folder) for use in uses]
    first, second = (_side(system, dataset, folder, workers, done) for system in systems)
    return first, second


def _agent(slot: str, use: str, folder: Path) -> Agent:
    """Agent with this tool in the slot, which it must have and be able to load."""
    made = agent(folder / "home", tools={slot: use}, name=f"{slot}={use}")
    known = dict.fromkeys([*slots(), *load_settings().tools])
    if slot not in known:
        raise ConfigError(f"there is no slot {slot!r}; there are {', '.join(known)}")
    absent = load_tools(choose(made.settings).settings)[1]
    if slot in absent:
        raise absent[slot]
    return made


def _side(
    system: Agent, dataset: Dataset, folder: Path, workers: int,
    done: Callable[[Prediction], None],
) -> Side:  # fmt: skip
    found = run(system, dataset, folder, workers=workers, done=done)
    ran: Counter[str] = Counter()
    for prediction in found:
        ran.update(prediction.cost.ran)
    return Side(system, found, ran)


@dataclass(frozen=True, slots=True)
class SwapRequest:
    """What was asked, as it stands on the command line."""

    slot: str
    a: str
    b: str
    gold: Path | None
    clips: Path | None
    data: Path | None
    set_name: str | None
    out: Path | None
    limit: int | None
    lexicon: str
    workers: int


def run_swap(request: SwapRequest, json: bool) -> None:
    """Print both tools' scores, their paired difference, and which tools ran."""
    if request.a == request.b:
        raise ConfigError(f"{request.a} is named twice; name two tools for {request.slot}")
    choose_edition(request.lexicon)
    folder, dataset = open_set(request.data, request.set_name, request.gold, request.clips)
    samples = dataset.labelled[: request.limit]
    if not any(sample.clip for sample in samples):
        raise ConfigError(f"{dataset.name}: no labelled clip has a media file; name --clips DIR")
    dataset = dataset.model_copy(update={"samples": samples})
    ruler = Ruler.of(dataset, open_lexicon(folder, request.lexicon))
    with (
        _kept(request.out) as place,
        progress(request.slot, 2 * len(samples), place / "native.log") as step,
    ):

        def done(prediction: Prediction) -> None:
            step(prediction.name)

        sides = compare(request.slot, (request.a, request.b), dataset, place,
                        workers=request.workers, done=done)  # fmt: skip
    board = _board(ruler, sides, measure(ruler, dataset, [Job(f) for f in floors(dataset.golds)]))
    for side in sides:
        failed = [p for p in side.predictions if p.failed]
        if failed:
            first = f"{failed[0].name}: {failed[0].failed}"
            note(f"{side.system.name}: {len(failed)} clips failed; {first}")
    if json:
        print_json({**as_json(board), "tool_runs": {s.system.name: dict(s.ran) for s in sides}})
        return
    for table in (labels(board, SHORT), differences(board), costs(board), _ran(sides)):
        show(table)


@contextmanager
def _kept(out: Path | None) -> Iterator[Path]:
    if out is not None:
        yield out
        return
    with TemporaryDirectory(prefix="emer-swap-") as folder:
        yield Path(folder)


def _board(ruler: Ruler, sides: tuple[Side, Side], below: list[Entry]) -> Board:
    entries = [Entry(ruler.measure(s.system.card, s.predictions), s.predictions) for s in sides]
    first, second = (side.system.name for side in sides)
    return build(ruler, [*entries, *below], [(second, first)])


def _ran(sides: tuple[Side, Side]) -> Table:
    slots = sorted({slot for side in sides for slot in side.ran})
    rows = [[side.system.name, *(str(side.ran[slot]) for slot in slots)] for side in sides]
    lead = (
        "How often each slot's tool really ran. What the others saw in the first run is looked up "
        "in the second; they run there only for closer looks that the first did not ask for."
    )
    return Table("Tool runs", lead, ["", *slots], [Group("", rows)])
