"""CSV files read strictly: what is wrong is said with the file, the row and the column.

Rows are numbered as a spreadsheet shows them: the header is row 1.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from emer.tools.errors import ConfigError

BOM = "\ufeff"

csv.field_size_limit(min(sys.maxsize, 2**31 - 1))


class BadTable(ConfigError):
    """A table that cannot be used as it is; the message names file, row and column."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number in the file, and its cells by our name of the column."""

    number: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        """Return the cell, "" where the file has no such column."""
        return self.cells.get(column, "")


@dataclass(frozen=True, slots=True)
class Table:
    """A file's rows, what each of our columns is called in it, and what there is to say of it."""

    path: Path
    headers: Mapping[str, str]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    def where(self, row: Row, column: str) -> str:
        """Return "FILE row 7, column name"."""
        return f"{self.path} row {row.number}, column {self.headers.get(column, column)}"

    def by_name(self) -> dict[str, Row]:
        """Return the rows by name."""
        return {row["name"]: row for row in self.rows}


def read_table(
    path: Path,
    needed: Mapping[str, Sequence[str]],
    optional: Mapping[str, Sequence[str]] | None = None,
    *,
    key: str | None = "name",
) -> Table:
    """Read a CSV file with the needed columns, each under any of its accepted headers.

    `BadTable` names what is missing, twice or ragged. No two rows have the same `key`.
    """
    text = _text(path)
    header, *records = _records(path, text.removeprefix(BOM))
    names = [cell.strip() for cell in header]
    headers = _found(path, names, needed) | _present(names, optional or {})
    rows = tuple(_row(path, number, names, headers, cells) for number, cells in records_of(records))
    if not rows:
        raise BadTable(f"{path} row 2: there are no rows below the header")
    if key is not None:
        _unique(path, headers[key], key, rows)
    bom = f"{path} row 1, column {names[0]}: a byte-order mark stands before it; it was skipped"
    return Table(path, headers, rows, (bom,) if text.startswith(BOM) else ())


def records_of(records: Sequence[Sequence[str]]) -> list[tuple[int, Sequence[str]]]:
    """Return the records with their row numbers, without blank lines."""
    return [(n, cells) for n, cells in enumerate(records, start=2) if cells]


def _text(path: Path) -> str:
    if path.is_dir():
        raise BadTable(f"{path} is a folder; name a CSV file in it")
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise BadTable(f"there is no file {path}") from None
    except OSError as error:
        raise BadTable(f"{path} cannot be read: {error.strerror}") from error
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        row = raw[: error.start].count(b"\n") + 1
        raise BadTable(f"{path} line {row}: not UTF-8 text; save the file as UTF-8") from error


def _records(path: Path, text: str) -> list[list[str]]:
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    found: list[list[str]] = []
    try:
        found += reader
    except csv.Error as error:
        raise BadTable(f"{path} row {len(found) + 1}: not readable as CSV ({error})") from error
    if not found or not any(cell.strip() for cell in found[0]):
        raise BadTable(f"{path} row 1: there is no header")
    return found


def _found(path: Path, names: Sequence[str], needed: Mapping[str, Sequence[str]]) -> dict[str, str]:
    present = _present(names, needed)
    lacking = [" or ".join(needed[column]) for column in needed if column not in present]
    if lacking:
        raise BadTable(
            f"{path} row 1: no column {', no column '.join(lacking)}; it has {', '.join(names)}"
        )
    twice = [name for name in present.values() if names.count(name) > 1]
    if twice:
        raise BadTable(f"{path} row 1, column {twice[0]}: the column is there twice")
    return present


def _present(names: Sequence[str], columns: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return, for each of our columns that the file has, what the file calls it."""
    lowered = {name.casefold(): name for name in reversed(names)}
    found: dict[str, str] = {}
    for column, accepted in columns.items():
        name = next((lowered[a.casefold()] for a in accepted if a.casefold() in lowered), None)
        if name is not None:
            found[column] = name
    return found


def _row(
    path: Path,
    number: int,
    names: Sequence[str],
    headers: Mapping[str, str],
    cells: Sequence[str],
) -> Row:
    if len(cells) != len(names):
        raise BadTable(
            f"{path} row {number}: {len(cells)} cells under {len(names)} columns; "
            "is a comma or a quote missing?"
        )
    place = {name: index for index, name in reversed(list(enumerate(names)))}
    return Row(number, {ours: cells[place[theirs]].strip() for ours, theirs in headers.items()})


def _unique(path: Path, header: str, key: str, rows: Sequence[Row]) -> None:
    seen: dict[str, int] = {}
    for row in rows:
        name = row[key]
        if not name:
            raise BadTable(f"{path} row {row.number}, column {header}: empty")
        if name in seen:
            raise BadTable(
                f"{path} row {row.number}, column {header}: {name!r} was already in row "
                f"{seen[name]}; keep one of them"
            )
        seen[name] = row.number
