"""`emer trace`: earlier runs listed, shown and compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from emer.app.commands.ask import let_import_from_here
from emer.app.render.answer import heading
from emer.app.render.comparison import difference_page, whatif_page
from emer.app.render.format import one_line, seconds, to_json
from emer.app.render.progress import draw, print_result
from emer.app.render.timeline import run_page
from emer.graphs.settings import load_settings
from emer.graphs.trace.diff import diff
from emer.graphs.trace.jsonl import Trace, read_trace
from emer.graphs.trace.runs import RunCard, find_run, list_runs
from emer.graphs.whatif import whatif


@dataclass(frozen=True, slots=True)
class Thinker:
    """Who reasons anew: the run's own reasoner, unless one is named."""

    llm: str | None = None
    rules: bool = False


STATE_STYLE = {
    "finished": "green",
    "paused": "cyan",
    "interrupted": "yellow",
    "failed": "red",
    "unfinished": "red",
}


def run_list(settings: Path | None, *, json: bool) -> None:
    """Print the runs, the newest first."""
    folder = load_settings(settings).traces
    cards = list_runs(folder)
    if json:
        print(to_json([card.model_dump(mode="json") for card in cards]))
    elif cards:
        print_result(_table(cards))
    else:
        print_result(Text(f"There are no runs in {folder} yet. Start with: emer demo"))


def run_show(name: str, svg: Path | None, settings: Path | None, *, json: bool) -> None:
    """Print one run; draw it to `svg` if that is given."""
    trace = _read(name, settings)
    page = run_page(trace)
    if svg is not None:
        draw(page, svg, title=f"emer trace show {trace.header.run_id}")
    if json:
        print(to_json(_record(trace)))
    else:
        print_result(page)


def run_diff(a: str, b: str, settings: Path | None, *, json: bool) -> None:
    """Print what differs between two runs."""
    left, right = _read(a, settings), _read(b, settings)
    found = diff(left, right)
    if json:
        print(to_json(found.model_dump(mode="json")))
    else:
        print_result(difference_page(found, left.header.run_id, right.header.run_id))


def run_whatif(
    name: str,
    without: Sequence[str],
    clues: Sequence[str],
    thinker: Thinker,
    settings: Path | None,
    *,
    json: bool,
) -> None:
    """Print what a run would have come to without some of its clues."""
    trace = _read(name, settings)
    let_import_from_here([trace.header.reasoner])
    found = whatif(trace, without, clues, llm=thinker.llm, rules=thinker.rules, settings=settings)
    if json:
        print(to_json(found.model_dump(mode="json")))
    else:
        question = trace.started.question if trace.started else ""
        print_result(Group(heading(trace.header, question), whatif_page(found)))


def _read(name: str, settings: Path | None) -> Trace:
    return read_trace(find_run(load_settings(settings).traces, name))


def _record(trace: Trace) -> dict[str, object]:
    return {
        "header": trace.header.model_dump(mode="json"),
        "events": [event.model_dump(mode="json") for event in trace.events],
        "torn": trace.torn,
    }


def _table(cards: tuple[RunCard, ...]) -> RenderableType:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("run", no_wrap=True)
    table.add_column("clip", overflow="fold")
    table.add_column("labels", overflow="fold", ratio=1)
    table.add_column("state", no_wrap=True)
    table.add_column("took", no_wrap=True, justify="right")
    for card in cards:
        table.add_row(
            Text(card.run_id),
            Text(one_line(card.clip)),
            Text(", ".join(one_line(label) for label in card.labels)),
            Text(card.state, style=STATE_STYLE[card.state]),
            Text("" if card.seconds is None else seconds(card.seconds)),
        )
    return Group(table, Text("emer trace show RUN tells how a run went", style="dim"))
