"""`emer-eval run SYSTEM ...` and `emer-eval swap SLOT A B`: systems over clips.

`run` writes one JSONL file for each system. `swap` compares two tools in one slot on the same
clips; the observations of the other tools come from a shared evidence store.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from emer.evals.commands import options
from emer.evals.commands.score import as_json
from emer.evals.report.leaderboard import build
from emer.evals.report.measure import Job, measure
from emer.evals.report.scorecard import COSTS, SHORT, Ruler
from emer.evals.report.tables import Group, Table, differences, labels, section, show
from emer.evals.runs.runner import RunFile, run
from emer.evals.systems.agent import Agent, agent
from emer.evals.systems.baselines import floors
from emer.evals.systems.reasoner_options import ReasonerOptions, reasoner_on_clues
from emer.evals.systems.registry import Setup, named
from emer.evals.systems.system import Prediction, System
from emer.graphs.components import choose, load_tools
from emer.graphs.settings import load_settings
from emer.tools.errors import ConfigError, EmerError
from emer.tools.registry import slots
from emer.tools.text import one_line


@dataclass(frozen=True, slots=True)
class RunRequest:
    """Arguments of `emer-eval run`."""

    systems: tuple[str, ...]
    out: Path
    data: options.SetOptions
    reasoner: ReasonerOptions
    limit: int | None
    workers: int


def run_systems(request: RunRequest, fresh: bool, json: bool) -> None:
    """Run each system and print a summary; `EmerError` if one answers no clip at all."""
    _, dataset = request.data.open()
    for remark in dataset.notes:
        options.note(remark)
    if request.limit:
        dataset = dataset.model_copy(update={"samples": dataset.samples[: request.limit]})
    on_clues = reasoner_on_clues(request.reasoner)
    setup = Setup(dataset, on_clues, request.out, request.reasoner)
    systems = [named(spec, setup) for spec in request.systems]
    names = Counter(system.card.name for system in systems)
    if names and max(names.values()) > 1:
        raise ConfigError(f"{names.most_common(1)[0][0]} is named twice")
    summaries = []
    for system in systems:
        log = request.out / "native.log"
        with options.progress(system.card.name, len(dataset.samples), log) as step:
            predictions = run(system, dataset, request.out, workers=request.workers, fresh=fresh,
                              done=lambda prediction: step(prediction.name))  # fmt: skip
        summaries.append(_summary(system, predictions, RunFile.of(request.out, system.card).path))
        if not json:
            _print(summaries[-1])
    if json:
        options.print_json(summaries)
    failed = [summary["system"] for summary in summaries if summary["failed"] == summary["clips"]]
    if failed:
        raise EmerError(f"{failed[0]}: there is no answer on any of the clips")


def _summary(system: System, predictions: list[Prediction], path: Path) -> dict[str, object]:
    failed = [p for p in predictions if p.failed is not None]
    return {
        "system": system.card.name,
        "file": str(path),
        "clips": len(predictions),
        "answered": sum(bool(p.labels) for p in predictions),
        "abstained": sum(not p.labels and p.failed is None for p in predictions),
        "failed": len(failed),
        "fallbacks": sum(p.cost.fallbacks or 0 for p in predictions),
        "first_failure": f"{failed[0].name}: {failed[0].failed}" if failed else None,
    }


def _print(summary: dict[str, object]) -> None:
    counts = "{clips} clips, {answered} answered, {abstained} abstained, {failed} failed"
    print(one_line(f"{summary['system']}: {counts.format(**summary)}; {summary['file']}"))
    if summary["fallbacks"]:
        steps = f"the rules took {summary['fallbacks']} steps instead of the model"
        options.note(f"{summary['system']}: {steps}")
    if summary["first_failure"]:
        options.note(f"{summary['system']}: {summary['first_failure']}")


def _agent(slot: str, use: str, folder: Path) -> Agent:
    system = agent(folder / "home", tools={slot: use}, name=f"{slot}={use}")
    known = dict.fromkeys([*slots(), *load_settings().tools])
    if slot not in known:
        raise ConfigError(f"there is no slot {slot!r}; there are {', '.join(known)}")
    absent = load_tools(choose(system.settings).settings)[1]
    if slot in absent:
        raise absent[slot]
    return system


@dataclass(frozen=True, slots=True)
class SwapRequest:
    """Arguments of `emer-eval swap`."""

    slot: str
    a: str
    b: str
    data: options.SetOptions
    out: Path | None
    limit: int | None
    lexicon: str
    workers: int


def run_swap(request: SwapRequest, json: bool) -> None:
    """Print both tools' scores, their paired difference, and the calls of all tools."""
    if request.a == request.b:
        raise ConfigError(f"{request.a} is named twice; name two tools for {request.slot}")
    edition = options.choose_edition(request.lexicon)
    folder, dataset = request.data.open()
    samples = dataset.labelled[: request.limit]
    if not any(sample.clip for sample in samples):
        raise ConfigError(f"{dataset.name}: no labelled clip has a media file; name --clips DIR")
    dataset = dataset.model_copy(update={"samples": samples})
    ruler = Ruler(dataset, options.open_lexicon(folder, edition))
    out = nullcontext(request.out) if request.out else TemporaryDirectory(prefix="emer-swap-")
    with out as opened:
        place = Path(opened)
        with options.progress(request.slot, 2 * len(samples), place / "native.log") as step:
            agents = [_agent(request.slot, use, place) for use in (request.a, request.b)]
            answers = [run(each, dataset, place, workers=request.workers,
                           done=lambda p: step(p.name)) for each in agents]  # fmt: skip
    entries = [
        ruler.measure(each.card, predictions)
        for each, predictions in zip(agents, answers, strict=True)
    ]
    below = measure(ruler, [Job(floor) for floor in floors(dataset.golds)])
    board = build(ruler, [*entries, *below], [(agents[1].name, agents[0].name)])
    ran: dict[str, Counter[str]] = {}
    for entry in entries:
        ran[entry.card.name] = Counter()
        for prediction in entry.predictions:
            ran[entry.card.name].update(prediction.cost.ran)
        failed = [p for p in entry.predictions if p.failed]
        if failed:
            first = f"{failed[0].name}: {failed[0].failed}"
            options.note(f"{entry.card.name}: {len(failed)} clips failed; {first}")
    if json:
        options.print_json({**as_json(board), "tool_runs": ran})
        return
    for table in (labels(board, SHORT), differences(board), section(board, COSTS), _calls(ran)):
        show(table)


def _calls(ran: Mapping[str, Counter[str]]) -> Table:
    used = sorted({slot for calls in ran.values() for slot in calls})
    rows = [[name, *(str(calls[slot]) for slot in used)] for name, calls in ran.items()]
    lead = (
        "How often each slot's tool really ran. What the others saw in the first run is looked up "
        "in the second; they run there only for closer looks that the first did not ask for."
    )
    return Table("Tool runs", lead, ["", *used], [Group("", rows)])
