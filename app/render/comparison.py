"""Pages of two runs compared, and of a run without some of its clues."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from emer.app.render.format import indented, one_line, section, span
from emer.graphs.trace.diff import Change, Diff, usage_in_words
from emer.graphs.whatif import WhatIf
from emer.tools.types import Clue

RUN_PARTS = (
    "inputs", "tools", "settings", "reasoner", "prompts", "versions", "reviews", "reminders",
    "work",
)  # fmt: skip
"""Parts of a difference about the runs, not their results."""


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
