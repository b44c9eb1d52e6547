"""Action units from MediaPipe's 52 blendshapes.

Which blendshapes carry which action unit, and how well, is in `blendshapes.csv`. Its `quality` is
the share that is left of a measurement's quality when blendshapes alone show the unit. Its
sources: "pls", how well a linear map of MediaPipe's blendshapes predicts action units (py-feat 2:
cross-validated R2 of about .5 for AU6, 12 and 43, below .1 for 11, 15 and 28); "weak", shapes
that MediaPipe is known to leave near 0; "practice", the names' meaning in FACS. All sizes, and
the thresholds `trace` and `full`, are chosen by us: no trained model was at hand.
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
from emer.tools.timeseries import Floats, Mask, smooth
from emer.tools.types import Record

FILE: Final = Path(__file__).parent / "blendshapes.csv"
RESTING: Final = 0.35
"""Quantile of a score over frames that look at the camera that counts as its rest:
expressions only raise scores (chosen by us)."""
REACH_S: Final = 0.2
"""Seconds from the nearest score within which a frame's is known."""
MOUTH_SHAPES: Final = ("mouth", "jaw", "cheek")
ONE_SIDED: Final = ("jaw", "mouth")
"""Shapes that go to the left or right as a whole."""
SIDES: Final = ("Right", "Left")
"""The subject's own, in the order of all measures with two columns."""
POSE: Final = 0.004
"""Rise of a score that a turn of the head by one degree can feign (chosen by us)."""
SHARED: Final = 0.5
"""Least overlap of two events of one movement, of the shorter one (chosen by us)."""
BOTH: Final = "geometry and blendshapes"
ALONE: Final = "blendshapes"

Scores = Mapping[str, Floats]
"""Per blendshape, by name without Left and Right, a score per frame, (n,) or (n,
2) by side; NaN where it is not known."""
How = Literal["all", "least", "mean", "right", "left"]
Method = Literal["shapes", "geometry", "nothing"]


class Row(Record):
    """One unit as blendshapes carry it."""

    unit: str
    action_units: tuple[int, ...]
    shapes: tuple[str, ...]
    """Names without Left and Right: those of both sides are meant."""
    how: How
    """The mean of all, the least of several, or the lead of one side over the other."""
    trace: float
    """Least rise of the score over rest."""
    full: float
    """The same at intensity E."""
    lids: float
    """Rise that shutting the eyes can feign."""
    shortest: float
    """Shortest event in seconds."""
    quality: float
    method: Method
    """The unit is measured by these scores, the landmarks' geometry, or not at all."""
    source: str

    @property
    def side(self) -> str | None:
        """The subject's side that moves, where the unit has one."""
        if self.how in ("right", "left"):
            return self.how
        return {"jawRight": "right", "jawLeft": "left"}.get(self.shapes[0])


@cache
def table() -> tuple[Row, ...]:
    """All rows of `blendshapes.csv`."""
    with FILE.open(newline="", encoding="utf-8") as file:
        return tuple(_row(cells) for cells in csv.DictReader(file))


def _row(cells: dict[str, str]) -> Row:
    numbers = ("trace", "full", "lids", "shortest", "quality")
    return Row(
        unit=cells["unit"],
        action_units=tuple(int(unit) for unit in cells["action_units"].split()),
        shapes=tuple(cells["shapes"].split()),
        how=cast(How, cells["how"]),
        method=cast(Method, cells["told"]),
        source=cells["source"],
        **{name: float(cells[name]) for name in numbers},
    )


def scores_at(
    times: Floats, score_times: Sequence[float], scores: Sequence[Mapping[str, float]]
) -> Scores:
    """The scores at `times`, interpolated from those at some moments.

    MediaPipe leaves a score out where the network gives less than 0: it counts as 0. Empty
    without any scores.
    """
    if not scores:
        return {}
    at = np.array(score_times)
    near = np.abs(times[:, None] - at[None, :]).min(axis=1) <= REACH_S
    series: dict[str, Floats] = {}
    for name, sides in _columns({name for row in scores for name in row}).items():
        columns = [np.interp(times, at, [row.get(one, 0.0) for row in scores]) for one in sides]
        values = np.stack(columns, axis=1) if len(sides) > 1 else columns[0]
        series[name] = np.where(near[:, None] if len(sides) > 1 else near, values, np.nan)
    return series


def _columns(names: set[str]) -> dict[str, tuple[str, ...]]:
    """Each shape's name without a side, and the names of its sides."""
    columns: dict[str, tuple[str, ...]] = {}
    for name in names:
        base = name.removesuffix("Left").removesuffix("Right")
        pair = tuple(base + side for side in SIDES)
        if base != name and base not in ONE_SIDED and any(n in names for n in pair):
            columns[base] = pair
        else:
            columns[name] = (name,)
    return columns


def score_changes(scores: Scores, measures: Measures, speaking: Mask) -> dict[str, Floats]:
    """The smoothed scores minus the person's rest, 0 where they are not known.

    The mouth's are smoothed over a longer window while it speaks, as its measures are.
    """
    still = usable(measures)
    series = {}
    for name, values in scores.items():
        raw = np.nan_to_num(values - _rest(values, still))
        quick = smooth(raw, measures.times, QUICK_WINDOW)
        if name.startswith(MOUTH_SHAPES) and speaking.any():
            slow = smooth(raw, measures.times, SPEECH_WINDOW)
            quick = np.where(speaking[:, None] if raw.ndim == 2 else speaking, slow, quick)
        series[name] = quick
    return series


def _rest(values: Floats, still: Mask) -> Floats:
    known = ~np.isnan(values.reshape(len(values), -1)).any(axis=1)
    part = values[known & still if (known & still).any() else known]
    return np.quantile(part, RESTING, axis=0) if len(part) else np.zeros(values.shape[1:])


def shape_events(scores: Scores, moved: Changes, measures: Measures, speaking: Mask) -> list[Event]:
    """The events that blendshapes show, each with its trust."""
    known = replace(moved, values={**moved.values, **score_changes(scores, measures, speaking)})
    return [
        replace(event, by=ALONE, trust=row.quality)
        for row in table()
        if row.method == "shapes" and all(shape in scores for shape in row.shapes)
        for event in events_of(_unit(row), known, measures, speaking)
    ]


def _unit(row: Row) -> Unit:
    return Unit(
        row.unit, row.action_units, partial(_signal, row), row.trace, row.full, POSE,
        side=row.side, shortest=row.shortest, lids=row.lids,
    )  # fmt: skip


def _signal(row: Row, changes: Changes) -> Floats:
    if row.how in ("right", "left"):
        sides = changes.sides(row.shapes[0])
        own, other = (0, 1) if row.how == "right" else (1, 0)
        return np.asarray(sides[:, own] - np.maximum(sides[:, other], 0.0))
    series = np.stack([changes[shape] for shape in row.shapes])
    return np.asarray(series.min(axis=0) if row.how == "least" else series.mean(axis=0))


def merge_events(geometry: Sequence[Event], shapes: Sequence[Event]) -> list[Event]:
    """All events once: a movement that both methods show is measured by geometry."""
    both = [
        replace(event, by=BOTH) if any(_is_one(event, other) for other in shapes) else event
        for event in geometry
    ]
    alone = [event for event in shapes if not any(_is_one(event, other) for other in geometry)]
    return sorted([*both, *alone], key=lambda e: (e.onset, e.name))


def _is_one(one: Event, other: Event) -> bool:
    if (one.name, one.side) != (other.name, other.side):
        return False
    shared = min(one.offset, other.offset) - max(one.onset, other.onset)
    shorter = min(one.offset - one.onset, other.offset - other.onset)
    return shared > SHARED * max(shorter, 1e-6)
