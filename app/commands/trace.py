"""`emer trace`: list, show and compare earlier runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from emer.app.render.answer import heading
from emer.app.render.comparison import difference_page, whatif_page
from emer.app.render.format import list_table, one_line, seconds
from emer.app.render.progress import print_output, save_svg
from emer.app.render.timeline import run_page
from emer.graphs.components import allow_local_imports
from emer.graphs.settings import load_settings
from emer.graphs.trace.diff import diff
from emer.graphs.trace.jsonl import Trace, read_trace
from emer.graphs.trace.runs import RunCard, find_run, list_runs
from emer.graphs.whatif import whatif

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
    empty = Text(f"There are no runs in {folder} yet. Start with: emer demo")
    record = [card.model_dump(mode="json") for card in cards]
    print_output(_table(cards) if cards else empty, record, json=json)


def run_show(name: str, svg: Path | None, settings: Path | None, *, json: bool) -> None:
    """Print a run, and save the page to `svg` if that is given."""
    trace = _read(name, settings)
    page = run_page(trace)
    if svg is not None:
        save_svg(page, svg, title=f"emer trace show {trace.header.run_id}")
    record = {
        "header": trace.header.model_dump(mode="json"),
        "events": [event.model_dump(mode="json") for event in trace.events],
        "torn": trace.torn,
    }
    print_output(page, record, json=json)


def run_diff(a: str, b: str, settings: Path | None, *, json: bool) -> None:
    """Print the differences between two runs."""
    left, right = _read(a, settings), _read(b, settings)
    difference = diff(left, right)
    page = difference_page(difference, left.header.run_id, right.header.run_id)
    print_output(page, difference.model_dump(mode="json"), json=json)


def run_whatif(
    name: str,
    without: tuple[Sequence[str], Sequence[str]],
    llm: str | None,
    settings: Path | None,
    *,
    rules: bool,
    json: bool,
) -> None:
    """Print the result of a run without some names, and some ids of clues."""
    trace = _read(name, settings)
    allow_local_imports([trace.header.reasoner])
    result = whatif(trace, *without, llm=llm, rules=rules, settings=settings)
    page = Group(heading(trace.header, trace.question), whatif_page(result))
    print_output(page, result.model_dump(mode="json"), json=json)


def _read(name: str, settings: Path | None) -> Trace:
    return read_trace(find_run(load_settings(settings).traces, name))


def _table(cards: tuple[RunCard, ...]) -> RenderableType:
    table = list_table()
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
    return Group(table, Text("Show a run with: emer trace show RUN", style="dim"))
