"""Tables on a terminal, each as wide as it needs to be."""

from __future__ import annotations

import re
import sys
from textwrap import wrap

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table as RichTable
from rich.text import Text

from emer.evals.report.tables import Table
from emer.tools.printable import printable

TITLE, READABLE, WIDEST = 13, 100, 1000
"""Characters on one line: of a column's title, of prose, of a table at most."""


def show(table: Table, console: Console | None = None) -> None:
    """Print a table on stdout; lines are as long as the table, and none is cut."""
    console = console or Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
    shown = _drawn(table)
    wide = console.options.update(max_width=WIDEST)
    column = min(READABLE, console.width) if console.is_terminal else READABLE
    console.width = max(console.width, column, Measurement.get(console, wide, shown).maximum)
    console.print(Text(printable(table.title), style="bold"))
    console.print(Text("\n".join(wrap(table.lead, column)), style="dim"))
    with console.capture() as captured:
        console.print(shown, crop=False)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()), file=console.file)
    for note in table.notes:
        console.print(Text("\n".join(wrap(printable(note), column)), style="dim"))
    console.print()


def _drawn(table: Table) -> RichTable:
    shown = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), expand=False)
    for place, title in enumerate(table.columns):
        right = table.numbers and place > 0
        text = Text("\n".join(wrap(title, TITLE)) if table.numbers else title)
        shown.add_column(text, justify="right" if right else "left", no_wrap=True)
    for group in table.groups:
        if group.heading and group.rows:
            shown.add_row(Text(group.heading, style="italic"))
        for row in group.rows:
            shown.add_row(*(Text(printable(_narrow(cell))) for cell in row))
    return shown


def _narrow(cell: str) -> str:
    """Return "56.1 (50.2 to 61.7)" as "56.1 50..62"; the other forms have all digits."""
    found = re.fullmatch(r"(\S+) \((-?[\d.]+) to (-?[\d.]+)\)( \*)?", cell)
    if found is None:
        return cell
    value, low, high, mark = found.groups()
    if len(value.partition(".")[2]) == 1:
        low, high = f"{float(low):.0f}", f"{float(high):.0f}"
    return f"{value} {low}..{high}{mark or ''}"
