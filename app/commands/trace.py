"""`emer trace`: list, show and compare earlier runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from emer.app.render.answer import title
from emer.app.render.format import indented, list_table, seconds, section, span
from emer.app.render.progress import print_output, save_svg
from emer.app.render.timeline import run_page
from emer.graphs.components import allow_local_imports
from emer.graphs.settings import load_settings
from emer.graphs.trace.diff import Change, Diff, diff, usage_in_words
from emer.graphs.trace.jsonl import Trace, read_trace
from emer.graphs.trace.runs import RunCard, find_run, list_runs
from emer.graphs.whatif import WhatIf, whatif, whatif_settings
from emer.tools.text import one_line
from emer.tools.types import Clue

RUN_PARTS = (
    "inputs", "tools", "settings", "reasoner", "prompts", "versions", "reviews", "reminders",
    "work",
)  # fmt: skip
"""Parts of a difference about the runs, not their results."""
STATE_STYLE = {
    "finished": "green",
    "paused": "cyan",
    "interrupted": "yellow",
    "failed": "red",
    "unfinished": "red",
}


def run_list(settings: Path | None, *, json: bool) -> None:
    folder = load_settings(settings).traces
    cards = list_runs(folder)
    empty = Text(f"There are no runs in {folder} yet. Start with: emer demo")
    print_output(_table(cards) if cards else empty, cards, json=json)


def run_show(name: str, svg: Path | None, settings: Path | None, *, json: bool) -> None:
    trace = _read(name, settings)
    page = run_page(trace)
    if svg is not None:
        save_svg(page, svg, title=f"emer trace show {trace.header.run_id}")
    record = {"header": trace.header, "events": trace.events, "torn": trace.torn}
    print_output(page, record, json=json)


def run_diff(a: str, b: str, settings: Path | None, *, json: bool) -> None:
    left, right = _read(a, settings), _read(b, settings)
    difference = diff(left, right)
    page = difference_page(difference, left.header.run_id, right.header.run_id)
    print_output(page, difference, json=json)


def run_whatif(
    name: str,
    without: tuple[Sequence[str], Sequence[str]],
    llm: str | None,
    settings: Path | None,
    *,
    rules: bool,
    trust: bool,
    json: bool,
) -> None:
    trace = _read(name, settings)
    chosen = whatif_settings(trace, llm, rules=rules, settings=settings, trust=trust)
    allow_local_imports(chosen)
    result = whatif(trace, *without, llm=llm, rules=rules, settings=settings, trust=trust)
    page = Group(title(trace.header, trace.question), whatif_page(result))
    print_output(page, result, json=json)


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


def difference_page(difference: Diff, a: str, b: str) -> RenderableType:
    """Differences between run `a` and run `b`, part by part."""
    title = Text.assemble(("- ", "red"), a, "\n", ("+ ", "green"), b, "\n")
    if difference.same:
        return Group(title, Text("Nothing differs."))
    return Group(title, _parts(difference))


def whatif_page(result: WhatIf) -> RenderableType:
    """Changes without some of the clues, and the reasoner of both sides."""
    left_out = ", ".join(one_line(name) for name in result.without)
    title = Text.assemble(
        ("- ", "red"), "with everything\n", ("+ ", "green"), f"without {left_out}\n",
        (f"both reasoned anew by {one_line(result.reasoner)}, no tool run\n", "dim"),
    )  # fmt: skip
    if result.usage.requests:
        title.append(f"the model {usage_in_words(result.usage)}\n", "dim")
    return Group(title, _parts(result.changes))


def _parts(difference: Diff) -> RenderableType:
    because = [Text(f"• {one_line(sentence)}") for sentence in difference.because]
    parts = [
        Group(*because, Text()) if because else None,
        *(_changes(name, getattr(difference, name)) for name in RUN_PARTS),
        _usage(difference),
        _lists("clues", _clues(difference.clues_only_a), _clues(difference.clues_only_b)),
        _changes("probabilities", difference.probabilities),
        _changes("labels", difference.labels),
        _lists("sentences", difference.sentences_only_a, difference.sentences_only_b),
    ]
    return Group(*(part for part in parts if part is not None))


def _usage(difference: Diff) -> RenderableType | None:
    if not (difference.usage_a.requests or difference.usage_b.requests):
        return None
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for name in ("", "requests", "unusable", "read", "written", "money", "seconds", "by rules"):
        table.add_column(name, justify="left" if not name else "right")
    sides = (("-", "red", difference.usage_a), ("+", "green", difference.usage_b))
    for mark, style, usage in sides:
        money = "" if usage.money is None else f"{usage.money:.4f}"
        cells = (usage.requests, usage.unusable, usage.tokens_in, usage.tokens_out, money)
        took = (f"{usage.seconds:.2f}", len(usage.fallbacks))
        table.add_row(mark, *map(str, (*cells, *took)), style=style)
    return Group(section("models"), table, Text())


def _changes(name: str, changes: Sequence[Change]) -> RenderableType | None:
    if not changes:
        return None
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold")
    table.add_column(style="red", overflow="fold")
    table.add_column()
    table.add_column(style="green", overflow="fold")
    for change in changes:
        before, after = (Text("none" if x is None else one_line(x)) for x in (change.a, change.b))
        table.add_row(Text(one_line(change.key)), before, "→", after)
    return Group(section(name), table, Text())


def _lists(name: str, a: Sequence[str], b: Sequence[str]) -> RenderableType | None:
    if not (a or b):
        return None
    lines = [Text(f"- {one_line(text)}", style="red") for text in a]
    lines += [Text(f"+ {one_line(text)}", style="green") for text in b]
    return Group(section(name), indented(lines), Text())


def _clues(clues: Sequence[Clue]) -> list[str]:
    return [f"{clue.id}  {span(clue.span)}  {clue.text}" for clue in clues]
