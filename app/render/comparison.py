"""How the difference of two runs looks."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from emer.app.render.answer import bullets
from emer.app.render.format import one_line, span
from emer.graphs.trace.diff import Change, Diff, told
from emer.graphs.whatif import WhatIf
from emer.tools.types import Clue


def difference_page(found: Diff, a: str, b: str) -> RenderableType:
    """Return what differs between run `a` and run `b`, part by part."""
    title = Text.assemble(("- ", "red"), a, "\n", ("+ ", "green"), b, "\n")
    if found.same:
        return Group(title, Text("Nothing differs."))
    return Group(title, _parts(found))


def whatif_page(found: WhatIf) -> RenderableType:
    """Return what changes when something is left out, and by whom it was reasoned anew."""
    left = ", ".join(one_line(name) for name in found.without)
    title = Text.assemble(
        ("- ", "red"), "with everything\n", ("+ ", "green"), f"without {left}\n",
        (f"both reasoned anew by {one_line(found.reasoner)}, no tool run\n", "dim"),
    )  # fmt: skip
    if found.usage.requests:
        title.append(f"the model {told(found.usage)}\n", "dim")
    return Group(title, _parts(found.changes))


def _parts(found: Diff) -> RenderableType:
    parts = [
        _because(found.because),
        _changes("inputs", found.inputs),
        _changes("tools", found.tools),
        _changes("settings", found.settings),
        _changes("reasoner", found.reasoner),
        _changes("prompts", found.prompts),
        _changes("versions", found.versions),
        _changes("reviews", found.reviews),
        _changes("reminders", found.reminders),
        _changes("work", found.work),
        _usage(found),
        _lists("clues", _clues(found.clues_only_a), _clues(found.clues_only_b)),
        _changes("probabilities", found.probabilities),
        _changes("labels", found.labels),
        _lists("sentences", found.sentences_only_a, found.sentences_only_b),
    ]
    return Group(*(part for part in parts if part is not None))


def _because(sentences: Sequence[str]) -> RenderableType | None:
    if not sentences:
        return None
    return Group(*(Text(f"• {one_line(sentence)}") for sentence in sentences), Text())


def _usage(found: Diff) -> RenderableType | None:
    """Return what the models of both runs were asked, if any was."""
    if not (found.usage_a.requests or found.usage_b.requests):
        return None
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for name in ("", "requests", "unusable", "read", "written", "money", "seconds", "by rules"):
        table.add_column(name, justify="left" if not name else "right")
    for mark, used in (("-", found.usage_a), ("+", found.usage_b)):
        money = "" if used.money is None else f"{used.money:.4f}"
        cells = (used.requests, used.unusable, used.tokens_in, used.tokens_out, money)
        took = (f"{used.seconds:.2f}", len(used.fallbacks))
        style = "red" if mark == "-" else "green"
        table.add_row(mark, *(str(cell) for cell in (*cells, *took)), style=style)
    return Group(_title("models"), table, Text())


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
