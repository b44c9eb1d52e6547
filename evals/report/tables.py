"""A table as plain cells, and how it is written in Markdown and in HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Group:
    """Rows that belong together, under a heading; the first cell of a row is its name."""

    heading: str
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Table:
    """A title, a sentence on how to read it, column titles, groups of rows and notes."""

    title: str
    lead: str
    columns: Sequence[str]
    groups: Sequence[Group]
    notes: Sequence[str] = ()
    numbers: bool = True
    """Whether the cells are numbers, set right; else words, set left."""

    @property
    def empty(self) -> bool:
        """Whether there is no row to show."""
        return not any(group.rows for group in self.groups)


def markdown(table: Table) -> str:
    """Return the table in Markdown; a group's heading is a row in bold."""
    return "\n".join(_markdown(table))


def html(table: Table) -> str:
    """Return the table in HTML, with every cell escaped."""
    return "\n".join(_html(table))


def _markdown(table: Table) -> Iterator[str]:
    yield f"### {table.title}\n\n{table.lead}\n"
    yield _line(table.columns)
    yield _line(["---", *["--:"] * (len(table.columns) - 1)])
    for group in table.groups:
        if group.heading and group.rows:
            yield _line([f"**{group.heading}**", *[""] * (len(table.columns) - 1)])
        yield from (_line(row) for row in group.rows)
    yield ""
    yield from (f"- {note}" for note in table.notes)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _html(table: Table) -> Iterator[str]:
    yield f"<section><h2>{escape(table.title)}</h2><p>{escape(table.lead)}</p>"
    yield '<div class="wide"><table><thead><tr>'
    yield "".join(f"<th>{escape(title)}</th>" for title in table.columns)
    yield "</tr></thead>"
    for group in table.groups:
        yield "<tbody>"
        if group.heading and group.rows:
            span = len(table.columns)
            yield f'<tr class="group"><th colspan="{span}">{escape(group.heading)}</th></tr>'
        for name, *cells in group.rows:
            values = "".join(f"<td>{_interval_small(cell)}</td>" for cell in cells)
            yield f'<tr><th scope="row">{escape(name)}</th>{values}</tr>'
        yield "</tbody>"
    yield "</table></div>"
    if table.notes:
        yield "<ul>" + "".join(f"<li>{escape(note)}</li>" for note in table.notes) + "</ul>"
    yield "</section>"


def _interval_small(cell: str) -> str:
    """Return a cell with the bracketed interval set small on a line of its own."""
    value, bracket, rest = cell.partition(" (")
    if not bracket:
        return escape(cell)
    interval, _, mark = rest.partition(")")
    return f"{escape(value + mark)}<small>{escape(interval)}</small>"
