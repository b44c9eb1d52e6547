"""Readers of the official emotion-wheel files, and of stored groups of synonyms.

The wheel files are format.csv, synonym.xlsx and wheel1.xlsx to wheel5.xlsx; the pickled
wheel_mapping.npz of the 2026 edition is not read: a pickle can run code. Stored groups are
those of MER2024's openset-synonym.zip, one .npy text per clip.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Literal, get_args
from zipfile import BadZipFile, ZipFile

from emer.evals.data.clips import parse_labels
from emer.evals.data.tables import BadTable, check_size, read_table
from emer.evals.metrics.open_vocabulary import Groups, StoredGroups
from emer.evals.metrics.wheel import Wheel, plain

MOST_ROWS = 50_000
"""Rows of a sheet that are read (chosen by us)."""

Edition = Literal["2025", "2026"]
EDITIONS: tuple[Edition, ...] = get_args(Edition)
WHEELS = ("wheel1", "wheel2", "wheel3", "wheel4", "wheel5")
RUNS = range(1, 9)
"""The synonyms were collected eight times over; a word has those of all runs."""


def read_forms(path: Path) -> dict[str, tuple[str, ...]]:
    """Each word form of a format.csv, and the words it is a form of."""
    table = read_table(path, {"name": ("name",), "format": ("format",)}, key=None)
    pairs = (
        (form, row["name"])
        for row in table.rows
        for form in (*parse_labels(row["format"]), row["name"])
    )
    return _collected(pairs)


def read_synonyms(path: Path) -> dict[str, tuple[str, ...]]:
    """Each word, and the words of the wheels that it is a synonym of."""
    header, rows = _sheet(path)
    pairs: list[tuple[str, str]] = []
    for run in RUNS:
        word, synonym = (_column(path, header, f"{kind}_run{run}") for kind in ("word", "synonym"))
        for cells in rows:
            raw = plain(cells[word])
            pairs.append((raw, raw))
            pairs += [(plain(label), raw) for label in parse_labels(cells[synonym])]
    return _collected(pairs)


def read_wheel(name: str, path: Path) -> Wheel:
    """Wheel of a workbook; `BadTable` names a faulty file."""
    header, rows = _sheet(path)
    places = [_column(path, header, f"level{ring}") for ring in (1, 2, 3)]
    rings: dict[str, dict[str, list[str]]] = {}
    current = ["", "", ""]
    for cells in rows:
        current = [plain(cells[p]) or before for p, before in zip(places, current, strict=True)]
        inner, middle, outer = current
        rings.setdefault(inner, {}).setdefault(middle, []).append(outer)
    return Wheel(name, {i: {m: tuple(o) for m, o in ms.items()} for i, ms in rings.items()})


def _sheet(path: Path) -> tuple[list[str], list[list[str]]]:
    """Header and the other rows of a workbook's first sheet, as text."""
    from openpyxl import load_workbook

    check_size(path)
    try:
        book = load_workbook(path, read_only=True, data_only=True)
        # A sheet of a few bytes may say that it has 17 billion cells.
        sheet = book.worksheets[0].iter_rows(max_row=MOST_ROWS, max_col=50, values_only=True)
        rows = [["" if cell is None else str(cell) for cell in row] for row in sheet]
        book.close()
    except Exception as error:
        raise BadTable(f"{path} is not a readable .xlsx file: {error}") from error
    if len(rows) < 2:
        raise BadTable(f"{path}: the first sheet is empty")
    return rows[0], [row for row in rows[1:] if any(row)]


def _column(path: Path, header: list[str], name: str) -> int:
    if name not in header:
        raise BadTable(f"{path} row 1: no column {name}; it has {', '.join(header)}")
    return header.index(name)


def _collected(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    values: dict[str, dict[str, None]] = {}
    for key, value in pairs:
        values.setdefault(key, {})[value] = None
    return {key: tuple(each) for key, each in values.items()}


def read_groups(path: Path) -> StoredGroups:
    """Groups of a zip; `BadTable` names a member that is not a list of lists."""
    check_size(path)
    try:
        with ZipFile(path) as archive:
            members = [m for m in archive.namelist() if m.endswith(".npy")]
            groups = {PurePosixPath(m).stem: _read(path, m, archive.read(m)) for m in members}
    except BadZipFile as error:
        raise BadTable(f"{path} is not a zip file") from error
    if not groups:
        raise BadTable(f"{path} holds no .npy file")
    return StoredGroups(name=f"stored groups of {path.name}", by_clip=groups)


def _read(path: Path, member: str, raw: bytes) -> Groups:
    import numpy as np

    try:
        text = str(np.load(BytesIO(raw), allow_pickle=False))
        groups = ast.literal_eval(text)
        return [[str(label) for label in group] for group in groups]
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise BadTable(f"{path}, {member}: not a list of label lists ({error})") from error
