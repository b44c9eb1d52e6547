"""Tables of what people see in clips, one row per statement.

CSV with the columns `clip,start,end,person,what,present` and, optionally, `main` and `note`:
`what` is the id of a visual cue (`tools/cues.csv`), `label:LABEL`, or `people`; `present` is yes,
no or unsure, for `people` a number. A cue that has rows is judged over the whole clip: outside of
its rows with yes or unsure it is absent.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import cast

from emer.agents.lexicon.lexicon import lexicon
from emer.evals.metrics.perception import Presence, Seen, Sighting
from emer.tools.cues import cue_names
from emer.tools.errors import ConfigError
from emer.tools.text import one_line
from emer.tools.types import Span

COLUMNS = ("clip", "start", "end", "person", "what", "present")
OTHERS = frozenset({"speaks", "face_hidden", "back_view"})
"""Statements that say why a clue is hard to see; no clue is judged by them."""
LABEL, PEOPLE = "label:", "people"


def read_perception(path: Path) -> Mapping[str, Seen]:
    """What was seen by clip; `ConfigError` names the file, the line and the fault."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            absent = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if absent:
                raise ConfigError(f"{path}: no column {', '.join(absent)}")
            rows = sorted(_rows(path, reader), key=attrgetter("clip"))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path} cannot be read: {one_line(str(error))}") from error
    seen = {clip: _seen(clip, list(own)) for clip, own in groupby(rows, attrgetter("clip"))}
    if not seen:
        raise ConfigError(f"{path}: there is no row in it")
    return seen


@dataclass(frozen=True, slots=True)
class _Row:
    clip: str
    what: str
    present: str
    sighting: Sighting | None


def _rows(path: Path, reader: csv.DictReader[str]) -> Iterator[_Row]:
    for row in reader:
        where = f"{path}, line {reader.line_num}"
        try:
            yield _row({key: (row.get(key) or "").strip() for key in (*COLUMNS, "main")})
        except ValueError as error:
            raise ConfigError(f"{where}: {error}") from error


def _row(row: Mapping[str, str]) -> _Row:
    what, present = row["what"], row["present"].lower()
    if not row["clip"]:
        raise ValueError("no clip is named")
    if what == PEOPLE:
        if not present.isdecimal():
            raise ValueError(f"present: {present!r} is not a number of people")
        return _Row(row["clip"], what, present, None)
    if present not in ("yes", "no", "unsure"):
        raise ValueError(f"present: {present!r} is neither yes, no nor unsure")
    if what.startswith(LABEL):
        if lexicon().family_of(what.removeprefix(LABEL)) is None:
            raise ValueError(f"what: there is no label {what.removeprefix(LABEL)!r}")
        return _Row(row["clip"], what, present, None)
    name = cue_names().get(what)
    if what not in OTHERS and (name is None or name.channel != "visual"):
        raise ValueError(f"what: {what!r} is no visual cue, label:LABEL or people")
    start, end = _seconds(row, "start"), _seconds(row, "end")
    if not 0 <= start <= end < math.inf:
        raise ValueError(f"start, end: {start:g} to {end:g} is no span of a clip")
    span = Span(start=start, end=end)
    main = row["main"].lower() == "yes"
    sighting = Sighting(what, span, cast(Presence, present), row["person"], main)
    return _Row(row["clip"], what, present, sighting)


def _seconds(row: Mapping[str, str], column: str) -> float:
    try:
        return float(row[column])
    except ValueError:
        raise ValueError(f"{column}: {row[column]!r} is not a number of seconds") from None


def _seen(clip: str, rows: Sequence[_Row]) -> Seen:
    counts = [int(row.present) for row in rows if row.what == PEOPLE]
    sightings = [row.sighting for row in rows if row.sighting and row.what not in OTHERS]
    labels = [
        row.what.removeprefix(LABEL)
        for row in rows
        if row.what.startswith(LABEL) and row.present == "yes"
    ]
    ordered = sorted(sightings, key=lambda s: (s.span.start, s.span.end, s.cue))
    return Seen(clip, tuple(ordered), tuple(labels), max(counts, default=None))
