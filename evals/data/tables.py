"""CSV files read strictly: an error names the file, the row and the column.

Rows are numbered as a spreadsheet shows them: the header is row 1.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from emer.tools.errors import ConfigError

BOM = "\ufeff"
MOST_BYTES = 200_000_000
"""Size of a table, unpacked (chosen by us; those of EMER have up to 30 MB)."""

csv.field_size_limit(min(sys.maxsize, 2**31 - 1))


class BadTable(ConfigError):
    """An unusable table; the message names file, row and column."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number in the file, and its cells by our name of the column."""

    number: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        # "" where the file has no such column
        return self.cells.get(column, "")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of a file, the headers of our columns in it, and notes."""

    path: Path
    headers: Mapping[str, str]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    def where(self, row: Row, column: str) -> str:
        """Place of a cell as "FILE row 7, column name"."""
        return f"{self.path} row {row.number}, column {self.headers.get(column, column)}"


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
    present = _present(names, needed)
    lacking = [" or ".join(needed[column]) for column in needed if column not in present]
    if lacking:
        raise BadTable(
            f"{path} row 1: no column {', no column '.join(lacking)}; it has {', '.join(names)}"
        )
    twice = [name for name in present.values() if names.count(name) > 1]
    if twice:
        raise BadTable(f"{path} row 1, column {twice[0]}: the column is there twice")
    headers = present | _present(names, optional or {})
    rows: list[Row] = []
    for number, cells in enumerate(records, start=2):
        if len(cells) not in (0, len(names)):
            raise BadTable(
                f"{path} row {number}: {len(cells)} cells under {len(names)} columns; "
                "is a comma or a quote missing?"
            )
        if cells:
            ours = {column: cells[names.index(h)].strip() for column, h in headers.items()}
            rows.append(Row(number, ours))
    if not rows:
        raise BadTable(f"{path} row 2: there are no rows below the header")
    if key is not None:
        _unique(path, headers[key], key, rows)
    bom = f"{path} row 1, column {names[0]}: a byte-order mark stands before it; it was skipped"
    return Table(path, headers, tuple(rows), (bom,) if text.startswith(BOM) else ())


def check_size(path: Path) -> None:
    """Raise `BadTable` for what is no file, or too large, unpacked if it is a zip."""
    if not path.is_file():
        raise BadTable(f"there is no file {path}")
    size = path.stat().st_size
    with suppress(BadZipFile, OSError), ZipFile(path) as archive:
        size = max(size, sum(member.file_size for member in archive.infolist()))
    if size > MOST_BYTES:
        raise BadTable(f"{path} has {size:,} bytes, unpacked; at most {MOST_BYTES:,} are read")


def _text(path: Path) -> str:
    if path.is_dir():
        raise BadTable(f"{path} is a folder; name a CSV file in it")
    check_size(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadTable(f"{path} cannot be read: {error.strerror}") from error
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        row = raw[: error.start].count(b"\n") + 1
        raise BadTable(f"{path} line {row}: not UTF-8 text; save the file as UTF-8") from error


def _records(path: Path, text: str) -> list[list[str]]:
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    records: list[list[str]] = []
    try:
        records += reader
    except csv.Error as error:
        raise BadTable(f"{path} row {len(records) + 1}: not readable as CSV ({error})") from error
    if not records or not any(cell.strip() for cell in records[0]):
        raise BadTable(f"{path} row 1: there is no header")
    return records


def _present(names: Sequence[str], columns: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The file's header of each of our columns that it has."""
    lowered = {name.casefold(): name for name in reversed(names)}
    headers = {
        column: [lowered[each.casefold()] for each in accepted if each.casefold() in lowered]
        for column, accepted in columns.items()
    }
    return {column: found[0] for column, found in headers.items() if found}


def _unique(path: Path, header: str, key: str, rows: Sequence[Row]) -> None:
    numbers: dict[str, int] = {}
    for row in rows:
        name = row[key]
        if not name:
            raise BadTable(f"{path} row {row.number}, column {header}: empty")
        if name in numbers:
            raise BadTable(
                f"{path} row {row.number}, column {header}: {name!r} was already in row "
                f"{numbers[name]}; keep one of them"
            )
        numbers[name] = row.number
