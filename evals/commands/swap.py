"""`emer-eval swap SLOT A B`: a tool against another, everything else the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from emer.evals.commands.choices import choose_edition, open_lexicon, open_set
from emer.evals.commands.plain import print_json
from emer.evals.commands.score import as_json
from emer.evals.front import note, progress
from emer.evals.report.board import Board, Entry, build
from emer.evals.report.columns import SHORT
from emer.evals.report.lineup import Job, measure
from emer.evals.report.scorecard import Ruler
from emer.evals.report.sections import costs, differences, labels
from emer.evals.report.tables import Group, Table
from emer.evals.report.terminal import show
from emer.evals.runs.swap import Side, compare
from emer.evals.systems.floors import floors
from emer.evals.systems.system import Prediction
from emer.tools.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Request:
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


def run_swap(request: Request, json: bool) -> None:
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
