"""Action units from MediaPipe's 52 blendshapes.

Which blendshapes carry which action unit is in `blendshapes.csv`. `shapes` are meant on both
sides; `how`: the mean of all, the least of several, or the lead of one side over the other.
`trace` is the least rise of the score over rest, `full` that at intensity E, `lids` the rise
that shutting the eyes can feign, `shortest` the shortest event in seconds. A unit is measured by
the scores ("shapes"), by "geometry", or by "nothing". `rest` is the highest score that is believed
to be rest, where neutral faces keep to it: an expression held from the first frame stands out
against it. `quality` is the share that is left of a
measurement's quality when blendshapes alone show the unit. Its sources: "pls", how well a linear
map of MediaPipe's blendshapes predicts action units (py-feat 2: cross-validated R2 of
about .5 for AU6, 12 and 43, below .1 for 11, 15 and 28); "weak", shapes that MediaPipe is known
to leave near 0; "practice", the names' meaning in FACS; "seen", what a person saw where it was
measured (evals/LOG.md, 2026-11-30: none of 5 tightened lids and of 2 puckers). All sizes, and
the thresholds `trace` and `full`, are chosen by us.

No detector is trusted alone where another can see the same: brows count where the landmarks
move the same way, at least half as far as they would need to by themselves.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Final

import numpy as np

from emer.tools.face.action_unit_signals import FOLD, Test, brows_up
from emer.tools.face.action_units import Event, Unit, find_events
from emer.tools.face.baseline import Changes, quantile, smoothed, usable
from emer.tools.face.geometry import Measures
from emer.tools.timeseries import Floats, Mask

FILE: Final = Path(__file__).with_name("blendshapes.csv")
RESTING: Final = 0.35
"""Quantile of a score over frames that look at the camera that counts as its rest:
expressions only raise scores (chosen by us)."""
NEVER: Final = 0.05
"""Quantile of a score that is above its highest rest where the face never rests (ours)."""
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


@cache
def highest_rests() -> Mapping[str, float]:
    """The highest score that is believed to be rest, by blendshape that has one."""
    with FILE.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["rest"]]
    return {shape: float(row["rest"]) for row in rows for shape in row["shapes"].split()}


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
        test=SUPPORT.get(row["unit"]),
        lids=lids,
        trust=trust,
        shapes=shapes,
    )


def _brows_rise(changes: Changes) -> Mask:
    return np.asarray(brows_up(changes) >= HALF_RAISE)


def _brows_lower(changes: Changes) -> Mask:
    folds = np.where(changes.skin, FOLD * changes["furrow"], 0.0)
    return np.asarray(np.maximum(folds, -changes["brow_inner"]) >= HALF_FROWN)


HALF_RAISE, HALF_FROWN = 0.014, 0.011
"""Least movement of the brows' landmarks in IOD, half of what they need alone (by us)."""
SUPPORT: Final[Mapping[str, Test]] = {
    "inner_brow_raise": _brows_rise,
    "brow_raise": _brows_rise,
    "outer_brow_raise": _brows_rise,
    "drawn_up": _brows_rise,
    "frown": _brows_lower,
}


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


def mirrored(shapes: Mapping[str, float]) -> Mapping[str, float]:
    """The scores of a mirror image, left and right exchanged back."""
    return {_other_side(name): score for name, score in shapes.items()}


def _other_side(name: str) -> str:
    if name.endswith("Left"):
        return name.removesuffix("Left") + "Right"
    return name.removesuffix("Right") + "Left" if name.endswith("Right") else name


def agreed(scores: Scores, of_mirror: Scores) -> Scores:
    """The lower of the scores of the pictures and of their mirror images.

    Where a hand covers the mouth, or the face turns away, the two differ: a covered mouth was
    scored .4 to .6 for a smile and its mirror image .0 to .2, a laugh in the dark .5 to .8 and .4
    to .8 (two clips, measured by us).
    """
    if not of_mirror:
        return scores
    absent = next(iter(of_mirror.values()))
    unseen = np.where(np.isnan(absent.reshape(len(absent), -1)[:, 0]), np.nan, 0.0)

    def other(name: str, values: Floats) -> Floats:
        zeros = unseen[:, None] if values.ndim == 2 else unseen
        return of_mirror.get(name, np.broadcast_to(zeros, values.shape))

    return {name: np.fmin(values, other(name, values)) for name, values in scores.items()}


def _columns(names: set[str]) -> dict[str, tuple[str, ...]]:
    """Each shape's name without a side, and the names of its sides, right one first."""
    columns: dict[str, tuple[str, ...]] = {}
    for name in names:
        base = name.removesuffix("Left").removesuffix("Right")
        paired = base not in (name, *ONE_SIDED)
        columns[base if paired else name] = (base + "Right", base + "Left") if paired else (name,)
    return columns


def _at_rest(values: Floats, measures: Measures, share: float) -> Floats:
    """A score's quantile over frames that look at the camera; else over all."""
    frontal = values[usable(measures)]
    return quantile(values if np.isnan(frontal).all() else frontal, share)


def score_changes(scores: Scores, measures: Measures, speaking: Mask) -> dict[str, Floats]:
    """The smoothed scores minus the person's rest, 0 where they are not known.

    The mouth's are smoothed over a longer window while it speaks, as its measures are.
    """
    series = {}
    for name, values in scores.items():
        most = highest_rests().get(name, np.inf)
        rest = np.minimum(_at_rest(values, measures, RESTING), most)
        mouth = speaking if name.startswith(MOUTH_SHAPES) else None
        series[name] = smoothed(np.nan_to_num(values - rest), measures.times, mouth)
    return series


def shape_events(scores: Scores, measures: Measures, moved: Changes) -> list[Event]:
    """The events that blendshapes show, each with its trust."""
    risen = score_changes(scores, measures, moved.speaking)
    known = replace(moved, values=moved.values | risen)
    units = [unit for unit in shape_units() if scores.keys() >= {*unit.shapes}]
    held = {
        name
        for name, most in highest_rests().items()
        if name in scores and _at_rest(scores[name], measures, NEVER).min() > most
    }
    absolute = {unit.name for unit in units if held.intersection(unit.shapes)}
    found = find_events(units, measures, known)
    return [replace(event, absolute=event.name in absolute) for event in found]


def merge_events(geometry: Sequence[Event], shapes: Sequence[Event]) -> list[Event]:
    """All events once: a movement that both methods show is measured by geometry.

    But by blendshapes where it is held so long that geometry has no rest of the face.
    """
    events = []
    for event in geometry:
        others = [other for other in shapes if _is_one(event, other)]
        if not any(other.absolute for other in others):
            events.append(replace(event, by="geometry and blendshapes") if others else event)
    for event in shapes:
        both = any(_is_one(event, other) for other in geometry)
        if event.absolute and both:
            events.append(replace(event, trust=1.0))
        elif not both:
            events.append(event)
    return sorted(events, key=lambda e: (e.onset, e.name))


def _is_one(one: Event, other: Event) -> bool:
    if (one.name, one.side) != (other.name, other.side):
        return False
    shared = min(one.offset, other.offset) - max(one.onset, other.onset)
    shorter = min(one.offset - one.onset, other.offset - other.onset)
    return shared > SHARED * max(shorter, 1e-6)
