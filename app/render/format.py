"""JSON, times and spans as text; tables and lines that several pages share."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic import BaseModel
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from emer.tools.text import escaped, one_line

if TYPE_CHECKING:
    from emer.tools.types import Span

WIDE = len("expression")
"""Width of a column of slots or roles: the longest name."""


def to_json(value: object) -> str:
    """JSON of values and records, safe to print: invisible characters are escaped."""
    return escaped(json.dumps(value, indent=2, ensure_ascii=False, default=_plain))


def _plain(value: object) -> object:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)


def seconds(value: float) -> str:
    """Duration in words: "8.4 s", "0.03 s", "2 min 5 s"."""
    if value >= 60:
        minutes, rest = divmod(round(value), 60)
        return f"{minutes} min {rest} s"
    return f"{value:.2f} s" if value < 1 else f"{value:.1f} s"


def size(count: int) -> str:
    """Bytes in words: "512 bytes", "14 kB", "2.3 MB"."""
    if count < 1000:
        return f"{count} bytes"
    return f"{count / 1e3:.0f} kB" if count < 1_000_000 else f"{count / 1e6:.1f} MB"


def span(value: Span | None) -> str:
    """Span in words: "1.3-2.8 s"; "whole clip" for None."""
    return "whole clip" if value is None else f"{value.start:.1f}-{value.end:.1f} s"


def list_table() -> Table:
    """Empty table with bold headings, one row per item."""
    return Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), header_style="bold")


def facts_table(facts: Iterable[tuple[str, str]]) -> Table:
    """Table of names and values; empty values are left out."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts:
        if value:
            table.add_row(name, Text(one_line(value)))
    return table


def section(title: str) -> Rule:
    return Rule(title, align="left", style="dim")


def indented(lines: Iterable[Text]) -> RenderableType:
    return Padding(Group(*lines), (0, 0, 0, 2))


def folded(*parts: RenderableType) -> RenderableType:
    """Parts below each other, indented and wrapped."""
    table = Table.grid()
    table.add_column(width=2)
    table.add_column(overflow="fold")
    for part in parts:
        table.add_row("", part)
    return table


def notes(texts: Iterable[str]) -> list[Text]:
    """Notes for the user, one line each."""
    return [Text(f"note: {one_line(text)}", style="yellow") for text in texts]


def unwrapped(line: str) -> Text:
    """Dim line that is never wrapped, so that a path in it can be copied."""
    return Text(line, style="dim", no_wrap=True, overflow="ignore")
