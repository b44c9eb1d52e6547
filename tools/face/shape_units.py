"""Action units from blendshapes, beside those of geometry: the same events, other signals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from emer.tools.face.changes import Changes
from emer.tools.face.events import Event
from emer.tools.face.measures import Measures
from emer.tools.face.pose import Floats
from emer.tools.face.series import Mask
from emer.tools.face.shape_table import Row, table
from emer.tools.face.shapes import Scores, risen
from emer.tools.face.units import Unit, events_of

POSE: Final = 0.004
"""Rise of a score that a turn of the head by one degree can feign (chosen by us)."""
SHARED: Final = 0.5
"""Share of the shorter event in which two must overlap to be one movement (chosen by us)."""
BOTH: Final = "geometry and blendshapes"
ALONE: Final = "blendshapes"


def shape_events(scores: Scores, moved: Changes, measures: Measures, speaking: Mask) -> list[Event]:
    """Return the events that blendshapes show, with how far each can be believed."""
    known = replace(moved, values={**moved.values, **risen(scores, measures, speaking)})
    return [
        replace(event, by=ALONE, trust=row.quality)
        for row in table()
        if row.told == "shapes" and all(shape in scores for shape in row.shapes)
        for event in events_of(_unit(row), known, measures, speaking)
    ]


def agreed(geometry: Sequence[Event], shapes: Sequence[Event]) -> list[Event]:
    """Return all events once: what both show is told as geometry measures it."""
    shown = [
        replace(event, by=BOTH) if any(_is_one(event, other) for other in shapes) else event
        for event in geometry
    ]
    alone = [event for event in shapes if not any(_is_one(event, other) for other in geometry)]
    return sorted([*shown, *alone], key=lambda e: (e.onset, e.name))


def _unit(row: Row) -> Unit:
    return Unit(
        name=row.unit,
        units=row.action_units,
        signal=partial(_signal, row),
        trace=row.trace,
        full=row.full,
        pose=POSE,
        side=row.side,
        shortest=row.shortest,
        lids=row.lids,
    )


def _signal(row: Row, changes: Changes) -> Floats:
    """Return the unit's signal, frame by frame."""
    if row.how in ("right", "left"):
        sides = changes.sides(row.shapes[0])
        ahead = sides[:, 0] - np.maximum(sides[:, 1], 0.0)
        if row.how == "left":
            ahead = sides[:, 1] - np.maximum(sides[:, 0], 0.0)
        return np.asarray(ahead)
    found = np.stack([changes[shape] for shape in row.shapes])
    return np.asarray(found.min(axis=0) if row.how == "least" else found.mean(axis=0))


def _is_one(one: Event, other: Event) -> bool:
    """Tell whether two events are the same movement."""
    if (one.name, one.side) != (other.name, other.side):
        return False
    shared = min(one.offset, other.offset) - max(one.onset, other.onset)
    shorter = min(one.offset - one.onset, other.offset - other.onset)
    return shared > SHARED * max(shorter, 1e-6)
