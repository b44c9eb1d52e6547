"""Action units from MediaPipe's 52 blendshapes.

Which blendshapes carry which action unit is in `blendshapes.csv`. `shapes` are meant on both
sides; `how`: the mean of all, the least of several, or the lead of one side over the other.
`trace` is the least rise of the score over rest, `full` that at intensity E, `lids` the rise
that shutting the eyes can feign, `shortest` the shortest event in seconds. A unit is measured by
the scores ("shapes"), by "geometry", or by "nothing". `quality` is the share that is left of a
measurement's quality when blendshapes alone show the unit. Its sources: "pls", how well a linear
map of MediaPipe's blendshapes predicts action units (py-feat 2: cross-validated R2 of
about .5 for AU6, 12 and 43, below .1 for 11, 15 and 28); "weak", shapes that MediaPipe is known
to leave near 0; "practice", the names' meaning in FACS. All sizes, and the thresholds `trace`
and `full`, are chosen by us: no trained model was at hand.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Final

import numpy as np

from emer.tools.face.action_units import Event, Unit, find_events
from emer.tools.face.baseline import Changes, quantile, smoothed, usable
from emer.tools.face.geometry import Measures
from emer.tools.timeseries import Floats, Mask

FILE: Final = Path(__file__).with_name("blendshapes.csv")
RESTING: Final = 0.35
"""Quantile of a score over frames that look at the camera that counts as its rest:
expressions only raise scores (chosen by us)."""
REACH_S: Final = 0.2
"""Seconds from the nearest score within which a frame's is known."""
MOUTH_SHAPES: Final = ("mouth", "jaw", "cheek")
ONE_SIDED: Final = ("jaw", "mouth")
"""Shapes that go to the left or right as a whole."""
POSE: Final = 0.004
"""Rise of a score that a turn of the head by one degree can feign (chosen by us)."""
SHARED: Final = 0.5
"""Least overlap of two events of one movement, of the shorter one (chosen by us)."""

Scores = Mapping[str, Floats]
"""Per blendshape, by name without Left and Right, a score per frame, (n,) or (n,
2) by side; NaN where it is not known."""


@cache
def shape_units() -> tuple[Unit, ...]:
    """The units of `blendshapes.csv` that are measured by scores."""
    with FILE.open(newline="", encoding="utf-8") as file:
        return tuple(_unit(row) for row in csv.DictReader(file) if row["told"] == "shapes")


def _unit(row: Mapping[str, str]) -> Unit:
    shapes, how = tuple(row["shapes"].split()), row["how"]
    numbers = ("trace", "full", "lids", "shortest", "quality")
    trace, full, lids, shortest, trust = (float(row[name]) for name in numbers)
    sides = {"right": "right", "left": "left", "jawRight": "right", "jawLeft": "left"}
    return Unit(
        name=row["unit"],
        units=tuple(int(unit) for unit in row["action_units"].split()),
        signal=partial(_signal, shapes, how),
        trace=trace,
        full=full,
        pose=POSE,
        side=sides.get(how) or sides.get(shapes[0]),
        shortest=shortest,
        lids=lids,
        trust=trust,
        shapes=shapes,
    )


def _signal(shapes: tuple[str, ...], how: str, changes: Changes) -> Floats:
    if how in ("right", "left"):
        sides = changes.sides(shapes[0])
        side, other = (0, 1) if how == "right" else (1, 0)
        return np.asarray(sides[:, side] - np.maximum(sides[:, other], 0.0))
    series = np.stack([changes[shape] for shape in shapes])
    return np.asarray(series.min(axis=0) if how == "least" else series.mean(axis=0))


def scores_at(times: Floats, scores: Sequence[tuple[float, Mapping[str, float]]]) -> Scores:
    """The scores at `times`, interpolated from those at some moments; or empty.

    MediaPipe leaves a score out where the network gives less than 0: it counts as 0.
    """
    if not scores:
        return {}
    at, rows = np.array([time for time, _ in scores]), [row for _, row in scores]
    near = np.abs(times[:, None] - at[None, :]).min(axis=1) <= REACH_S
    series: dict[str, Floats] = {}
    for name, sides in _columns({name for row in rows for name in row}).items():
        columns = [np.interp(times, at, [row.get(one, 0.0) for row in rows]) for one in sides]
        values = np.where(near[:, None], np.stack(columns, axis=1), np.nan)
        series[name] = values if len(sides) > 1 else values[:, 0]
    return series


def _columns(names: set[str]) -> dict[str, tuple[str, ...]]:
    """Each shape's name without a side, and the names of its sides, right one first."""
    columns: dict[str, tuple[str, ...]] = {}
    for name in names:
        base = name.removesuffix("Left").removesuffix("Right")
        paired = base not in (name, *ONE_SIDED)
        columns[base if paired else name] = (base + "Right", base + "Left") if paired else (name,)
    return columns


def score_changes(scores: Scores, measures: Measures, speaking: Mask) -> dict[str, Floats]:
    """The smoothed scores minus the person's rest, 0 where they are not known.

    The mouth's are smoothed over a longer window while it speaks, as its measures are.
    """
    still, series = usable(measures), {}
    for name, values in scores.items():
        rested = values if np.isnan(values[still]).all() else values[still]
        raw = np.nan_to_num(values - quantile(rested, RESTING))
        mouth = speaking if name.startswith(MOUTH_SHAPES) else None
        series[name] = smoothed(raw, measures.times, mouth)
    return series


def shape_events(scores: Scores, measures: Measures, moved: Changes) -> list[Event]:
    """The events that blendshapes show, each with its trust."""
    risen = score_changes(scores, measures, moved.speaking)
    known = replace(moved, values=moved.values | risen)
    units = [unit for unit in shape_units() if scores.keys() >= {*unit.shapes}]
    return find_events(units, measures, known)


def merge_events(geometry: Sequence[Event], shapes: Sequence[Event]) -> list[Event]:
    """All events once: a movement that both methods show is measured by geometry."""
    events = []
    for event in geometry:
        both = any(_is_one(event, other) for other in shapes)
        events.append(replace(event, by="geometry and blendshapes") if both else event)
    events += [event for event in shapes if not any(_is_one(event, other) for other in geometry)]
    return sorted(events, key=lambda e: (e.onset, e.name))


def _is_one(one: Event, other: Event) -> bool:
    if (one.name, one.side) != (other.name, other.side):
        return False
    shared = min(one.offset, other.offset) - max(one.onset, other.onset)
    shorter = min(one.offset - one.onset, other.offset - other.onset)
    return shared > SHARED * max(shorter, 1e-6)
