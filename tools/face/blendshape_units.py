"""AUs from 52 blendshapes.

Blendshape scores along a person's face, and how they differ from the person's rest.

Which blendshapes carry which action unit, and how well: `blendshapes.csv`.

`quality` is the share that is left of a measurement's quality when blendshapes alone show the
unit. Its sources: "pls", how well a linear map of MediaPipe's blendshapes predicts action units
(py-feat 2: cross-validated R2 of about .5 for AU6, 12 and 43, below .1 for 11, 15 and 28); "weak",
shapes that MediaPipe is known to leave near 0; "practice", the names' meaning in FACS. All sizes,
and the thresholds `trace` and `full`, are chosen by us: no trained model was at hand.

Action units from blendshapes, beside those of geometry: the same events, other signals.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Final, Literal, cast

import numpy as np

from emer.tools.face.action_units import Event, Unit, events_of
from emer.tools.face.baseline import QUICK_WINDOW, SPEECH_WINDOW, Changes, usable
from emer.tools.face.geometry import Measures
from emer.tools.face.head_pose import Floats
from emer.tools.face.landmarks import LEFT, RIGHT
from emer.tools.timeseries import Mask, smooth
from emer.tools.types import Record

RESTING: Final = 0.35
"""Quantile of a score over frames that look at the camera that counts as its rest: expressions
only raise scores (chosen by us)."""
REACH_S: Final = 0.2
"""Seconds from the nearest score within which a frame's is known."""
_OF_THE_MOUTH: Final = ("mouth", "jaw", "cheek")
ONE_SIDED: Final = ("jaw", "mouth")
"""What goes to the left or right as a whole."""
SIDES: Final = ("Right", "Left")
"""The subject's own, in the order of all measures with two columns."""

Scores = Mapping[str, Floats]
"""Per blendshape, by name without Left and Right, a score per frame, (n,) or (n, 2) by side; NaN
where it is not known."""


def along(times: Floats, seen_at: Sequence[float], seen: Sequence[Mapping[str, float]]) -> Scores:
    """Return the scores at `times` from those at some moments, joined by straight lines.

    MediaPipe leaves a score out where the network gives less than 0: it counts as 0. Empty where
    nothing was seen.
    """
    if not seen:
        return {}
    names = {name: 0.0 for scores in seen for name in scores}
    at = np.array(seen_at)
    near = np.abs(times[:, None] - at[None, :]).min(axis=1) <= REACH_S
    found: dict[str, Floats] = {}
    for name, sides in _columns(names).items():
        columns = [np.interp(times, at, [scores.get(one, 0.0) for scores in seen]) for one in sides]
        values = np.stack(columns, axis=1) if len(sides) > 1 else columns[0]
        known = near[:, None] if len(sides) > 1 else near
        found[name] = np.where(known, values, np.nan)
    return found


def risen(scores: Scores, measures: Measures, speaking: Mask) -> dict[str, Floats]:
    """Return the smoothed scores minus the person's rest, 0 where they are not known.

    The mouth's are taken slowly while it speaks, as its measures are.
    """
    still = usable(measures)
    found = {}
    for name, values in scores.items():
        raw = np.nan_to_num(values - _rest_of(values, still))
        quick = smooth(raw, measures.times, QUICK_WINDOW)
        if name.startswith(_OF_THE_MOUTH) and speaking.any():
            slow = smooth(raw, measures.times, SPEECH_WINDOW)
            quick = np.where(speaking[:, None] if raw.ndim == 2 else speaking, slow, quick)
        found[name] = quick
    return found


def _rest_of(values: Floats, still: Mask) -> Floats:
    """Return the resting score, from the still frames where any of them is known."""
    known = ~np.isnan(values.reshape(len(values), -1)).any(axis=1)
    chosen = known & still if (known & still).any() else known
    part = values[chosen]
    return np.quantile(part, RESTING, axis=0) if len(part) else np.zeros(values.shape[1:])


def _columns(names: Mapping[str, float]) -> dict[str, tuple[str, ...]]:
    """Return each shape's name without a side, and the names of its sides."""
    found: dict[str, tuple[str, ...]] = {}
    for name in names:
        base = name.removesuffix("Left").removesuffix("Right")
        pair = tuple(base + side for side in SIDES)
        if base != name and base not in ONE_SIDED and any(n in names for n in pair):
            found[base] = pair
        else:
            found[name] = (name,)
    return found


FILE = Path(__file__).parent / "blendshapes.csv"

How = Literal["all", "least", "mean", "right", "left"]


class Row(Record):
    """One unit as blendshapes carry it."""

    unit: str
    action_units: tuple[int, ...]
    shapes: tuple[str, ...]
    """Names without Left and Right: those of both sides are meant."""
    how: How
    """The mean of all, the least of several, or how far one side is ahead of the other."""
    trace: float
    """Rise of the score over rest from which the unit is seen at all."""
    full: float
    """The same at intensity E."""
    lids: float
    """What shutting the eyes can feign."""
    shortest: float
    """Shortest event in seconds."""
    quality: float
    told: Literal["shapes", "geometry", "nothing"]
    """What the unit is told by: these scores, the landmarks' geometry, or not at all."""
    source: str

    @property
    def side(self) -> str | None:
        """The subject's side that moves, where the unit has one."""
        if self.how in (RIGHT.name, LEFT.name):
            return self.how
        return {"jawRight": RIGHT.name, "jawLeft": LEFT.name}.get(self.shapes[0])


@cache
def table() -> tuple[Row, ...]:
    """Return all rows."""
    with FILE.open(newline="", encoding="utf-8") as file:
        return tuple(_row(cells) for cells in csv.DictReader(file))


def _row(cells: dict[str, str]) -> Row:
    numbers = {
        name: float(cells[name]) for name in ("trace", "full", "lids", "shortest", "quality")
    }
    return Row(
        unit=cells["unit"],
        action_units=tuple(int(unit) for unit in cells["action_units"].split()),
        shapes=tuple(cells["shapes"].split()),
        how=cast(How, cells["how"]),
        told=cast(Literal["shapes", "geometry", "nothing"], cells["told"]),
        source=cells["source"],
        **numbers,
    )


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
