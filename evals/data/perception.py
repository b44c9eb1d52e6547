"""Tables of what people see in clips, one row per statement.

CSV with the columns `clip,start,end,person,what,present` and, optionally, `main` and `note`:
`what` is the id of a visual cue (`tools/cues.csv`), `label:LABEL`, or `people`; `present` is yes,
no or unsure, for `people` a number. A cue that has rows is judged over the whole clip: outside of
its rows with yes or unsure it is absent.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import cast

from emer.agents.lexicon.lexicon import lexicon
from emer.evals.data.tables import BadTable, Row, read_table
from emer.evals.metrics.perception import Presence, Seen, Sighting
from emer.tools.cues import cue_names
from emer.tools.types import Span

COLUMNS = ("clip", "start", "end", "person", "what", "present")
OPTIONAL = ("main", "note")
OTHERS = frozenset({"speaks", "face_hidden", "back_view"})
"""Statements that say why a clue is hard to see; no clue is judged by them."""
LABEL, PEOPLE = "label:", "people"


def read_perception(path: Path) -> Mapping[str, Seen]:
    """What was seen by clip; `BadTable` names the file, the row and the fault."""
    columns = {name: (name,) for name in COLUMNS}
    table = read_table(path, columns, {name: (name,) for name in OPTIONAL}, key=None)
    rows: dict[str, list[_Row]] = defaultdict(list)
    for row in table.rows:
        try:
            found = _row(row)
        except ValueError as error:
            raise BadTable(f"{path} row {row.number}: {error}") from error
        rows[found.clip].append(found)
    return {clip: _seen(clip, own) for clip, own in sorted(rows.items())}


@dataclass(frozen=True, slots=True)
class _Row:
    clip: str
    what: str
    present: str
    sighting: Sighting | None


def _row(row: Row) -> _Row:
    what, present = row["what"], row["present"].lower()
    clip = PurePosixPath(row["clip"])
    if not row["clip"] or clip.is_absolute() or ".." in clip.parts:
        raise ValueError(f"clip: {row['clip']!r} is no path inside a folder of clips")
    if what == PEOPLE:
        if not present.isdecimal() or len(present) > 4:
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


def _seconds(row: Row, column: str) -> float:
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
