"""How the difference of two runs looks."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from emer.app.plain import one_line, span
from emer.app.show import bullets
from emer.graphs.runs import Change, Diff
from emer.tools.types import Clue


def difference_page(found: Diff, a: str, b: str) -> RenderableType:
    """Return what differs between run `a` and run `b`, part by part."""
    title = Text.assemble(("- ", "red"), a, "\n", ("+ ", "green"), b, "\n")
    if found.same:
        return Group(title, Text("Nothing differs."))
    parts = [
        _changes("settings", found.settings),
        _changes("tools", found.tools),
        _lists("clues", _clues(found.clues_only_a), _clues(found.clues_only_b)),
        _changes("probabilities", found.probabilities),
        _changes("labels", found.labels),
        _lists("sentences", found.sentences_only_a, found.sentences_only_b),
    ]
    return Group(title, *(part for part in parts if part is not None))


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
    return Group(_title(name), table, Text())


def _lists(name: str, a: Sequence[str], b: Sequence[str]) -> RenderableType | None:
    if not (a or b):
        return None
    gone = [Text(f"- {one_line(text)}", style="red") for text in a]
    new = [Text(f"+ {one_line(text)}", style="green") for text in b]
    return Group(_title(name), bullets([*gone, *new]), Text())


def _clues(clues: Sequence[Clue]) -> list[str]:
    return [f"{clue.id}  {span(clue.span)}  {clue.text}" for clue in clues]


def _title(name: str) -> Rule:
    return Rule(name, align="left", style="dim")
