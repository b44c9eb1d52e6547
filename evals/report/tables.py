"""Tables of a leaderboard, written as Markdown, HTML or text for a terminal."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from textwrap import wrap

from rich import box
from rich.measure import Measurement
from rich.table import Table as RichTable
from rich.text import Text

from emer.evals.report.leaderboard import Board, Row
from emer.evals.report.scorecard import (
    CLOSED,
    CONFIDENCE,
    COSTS,
    EXPLANATIONS,
    HEADLINE,
    LABELS,
    OVERLAPS,
    Column,
    Section,
)
from emer.evals.systems.system import Input
from emer.graphs.cli_errors import Terminal
from emer.tools.text import printable


@dataclass(frozen=True)
class Group:
    """Rows that belong together, under a heading; the first cell of a row is its name."""

    heading: str
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Table:
    """A title, a sentence on its reading, column titles, groups of rows and notes."""

    title: str
    lead: str
    columns: Sequence[str]
    groups: Sequence[Group]
    notes: Sequence[str] = ()
    numbers: bool = True
    """Whether the cells are numbers, set right; else words, set left."""

    @property
    def empty(self) -> bool:
        return not any(group.rows for group in self.groups)


def markdown(table: Table) -> str:
    """Table in Markdown; a group's heading is a row in bold."""
    width = len(table.columns)
    lines = [f"### {table.title}\n\n{table.lead}\n", _line(table.columns)]
    lines.append(_line(["---", *["--:"] * (width - 1)]))
    for group in table.groups:
        if group.heading and group.rows:
            lines.append(_line([f"**{group.heading}**", *[""] * (width - 1)]))
        lines += [_line(row) for row in group.rows]
    return "\n".join([*lines, "", *(f"- {note}" for note in table.notes)])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def html(table: Table) -> str:
    """Table in HTML, with every cell escaped."""
    titles = "".join(f"<th>{escape(title)}</th>" for title in table.columns)
    lines = [
        f"<section><h2>{escape(table.title)}</h2><p>{escape(table.lead)}</p>",
        '<div class="wide"><table><thead><tr>', titles, "</tr></thead>",
    ]  # fmt: skip
    for group in table.groups:
        lines.append("<tbody>")
        if group.heading and group.rows:
            heading = f'<th colspan="{len(table.columns)}">{escape(group.heading)}</th>'
            lines.append(f'<tr class="group">{heading}</tr>')
        for name, *cells in group.rows:
            values = "".join(f"<td>{_interval_small(cell)}</td>" for cell in cells)
            lines.append(f'<tr><th scope="row">{escape(name)}</th>{values}</tr>')
        lines.append("</tbody>")
    lines.append("</table></div>")
    if table.notes:
        lines.append("<ul>" + "".join(f"<li>{escape(note)}</li>" for note in table.notes) + "</ul>")
    return "\n".join([*lines, "</section>"])


def _interval_small(cell: str) -> str:
    value, bracket, rest = cell.partition(" (")
    if not bracket:
        return escape(cell)
    interval, _, mark = rest.partition(")")
    return f"{escape(value + mark)}<small>{escape(interval)}</small>"


HEADINGS: Mapping[Input, str] = {
    "nothing": "Floors: look at nothing",
    "clip": "On the clip itself",
    "human clues": "On human clues",
    "human clues, masked": "On human clues, masked",
    "subtitle": "On the words alone",
}
READING = (
    "F of mean precision and mean recall, in percent. Rows of different inputs do not compare: "
    "human clues (oracle perception) are what people wrote of the clip, who had perceived it "
    "already; masked, their emotion words are taken out."
)


def tables(board: Board) -> list[Table]:
    """Every table that has rows."""
    sections = (section(board, kind) for kind in (CLOSED, EXPLANATIONS, CONFIDENCE, COSTS))
    every = (labels(board), *sections, differences(board))
    return [table for table in every if not table.empty]


def labels(board: Board, columns: Sequence[Column] = LABELS) -> Table:
    """Leaderboard of label scores."""
    scored = _scored(board, columns)
    main = next(c for c in HEADLINE if c.key == board.ruler.main)
    ahead, rest = [c for c in scored if c in HEADLINE], [c for c in scored if c not in HEADLINE]
    titles = ["system", *(c.title for c in ahead), f"{main.title} over the best floor"]
    titles += [*(c.title for c in rest), "empty"]

    def cells(row: Row) -> list[str]:
        failed = f" ({row.counts['failed']} failed)" if row.counts["failed"] else ""
        return [
            f"{row.card.name} †" if row.spam else row.card.name,
            *_cells(row, ahead),
            main.cell(row.over_floor, signed=True),
            *_cells(row, rest),
            f"{row.counts['empty']}{failed}",
        ]

    groups = [Group(HEADINGS[input], [*map(cells, rows)]) for input, rows in board.groups.items()]
    return Table("Open-vocabulary labels", READING, titles, groups, tuple(_notes(board)))


def section(board: Board, kind: Section) -> Table:
    """Table of a section: columns that any row has, rows that have any of them."""
    scored = _scored(board, kind.columns)
    lead = kind.lead
    if OVERLAPS[0] in scored:
        lead += f" Overlaps run from 1 to 10 and are those of judge={board.judge} alone."
    groups = []
    for group, rows in board.groups.items():
        having = [row for row in rows if any(column.key in row.scores for column in scored)]
        groups.append(Group(HEADINGS[group], [[r.card.name, *_cells(r, scored)] for r in having]))
    return Table(kind.title, lead, ["system", *(column.title for column in scored)], groups)


def _scored(board: Board, columns: Sequence[Column]) -> list[Column]:
    return [column for column in columns if any(column.key in row.scores for row in board.rows)]


def _cells(row: Row, columns: Sequence[Column]) -> list[str]:
    return [column.cell(row.scores.get(column.key)) for column in columns]


def differences(board: Board) -> Table:
    """Paired differences; * where the interval leaves out zero."""
    rows = []
    for pair in board.pairs:
        cells = [f"{pair.left} - {pair.right}" + ("" if pair.same_input else " (other input)")]
        for column in HEADLINE:
            estimate = pair.scores.get(column.key)
            mark = " *" if estimate is not None and estimate.resolved else ""
            cells.append(column.cell(estimate, signed=True) + mark)
        rows.append(cells)
    lead = "On the same clips, in points; * marks an interval that leaves out zero."
    titles = ["left minus right", *(c.title for c in HEADLINE)]
    return Table("Differences", lead, titles, [Group("", rows)])


def _notes(board: Board) -> Iterator[str]:
    yield board.method + "."
    yield f"People gave {board.ruler.human_labels:.2f} labels per clip."
    if any(row.spam for row in board.rows):
        yield "† gives many more labels than people do: recall bought with quantity."
    yield "An empty answer scores 0; labels that the lexicon lacks are dropped, as officially."
    yield from board.notes


TEMPLATE = Path(__file__).parent / "page.html"


@dataclass(frozen=True)
class Report:
    """A leaderboard as tables, and plots as SVG by their caption."""

    board: Board
    title: str
    about: str
    tables: tuple[Table, ...]
    plots: Mapping[str, str]
    seconds: float
    """Seconds that it took."""

    @property
    def page(self) -> str:
        """The HTML page; it fetches nothing."""
        template = Template(TEMPLATE.read_text(encoding="utf-8"))
        first, *others = map(html, self.tables)
        figures = (
            f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>"
            for caption, svg in self.plots.items()
        )
        return template.substitute(
            title=escape(self.title),
            about=escape(self.about),
            body="\n".join([first, *figures, *others]),
        )

    @property
    def markdown(self) -> str:
        parts = [f"## {self.title}\n\n{self.about}", *(markdown(table) for table in self.tables)]
        return "\n\n".join(parts) + "\n"


TITLE, READABLE, WIDEST = 13, 100, 1000
"""Characters on one line: of a column's title, of prose, of a table at most."""


def show(table: Table) -> None:
    """Print a table on stdout; lines are as long as the table, and none is cut."""
    console = Terminal(file=sys.stdout, highlight=False, markup=False, emoji=False)
    drawn = _drawn(table)
    wide = console.options.update(max_width=WIDEST)
    column = min(READABLE, console.width) if console.is_terminal else READABLE
    console.width = max(console.width, column, Measurement.get(console, wide, drawn).maximum)
    console.print(Text(printable(table.title), style="bold"))
    console.print(Text("\n".join(wrap(table.lead, column)), style="dim"))
    with console.capture() as captured:
        console.print(drawn, crop=False)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()), file=console.file)
    for note in table.notes:
        console.print(Text("\n".join(wrap(printable(note), column)), style="dim"))
    console.print()


def _drawn(table: Table) -> RichTable:
    drawn = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), expand=False)
    for place, title in enumerate(table.columns):
        right = table.numbers and place > 0
        text = Text("\n".join(wrap(title, TITLE)) if table.numbers else title)
        drawn.add_column(text, justify="right" if right else "left", no_wrap=True)
    for group in table.groups:
        if group.heading and group.rows:
            drawn.add_row(Text(group.heading, style="italic"))
        for row in group.rows:
            drawn.add_row(*(Text(printable(_narrow(cell))) for cell in row))
    return drawn


def _narrow(cell: str) -> str:
    # "56.1 (50.2 to 61.7)" becomes "56.1 50..62"; the other forms have all digits
    match = re.fullmatch(r"(\S+) \((-?[\d.]+) to (-?[\d.]+)\)( \*)?", cell)
    if match is None:
        return cell
    value, low, high, mark = match.groups()
    if len(value.partition(".")[2]) == 1:
        low, high = f"{float(low):.0f}", f"{float(high):.0f}"
    return f"{value} {low}..{high}{mark or ''}"
