"""Posture: leaning, shoulders, crossed arms; only from what the picture really shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from emer.tools.scene.people import Person
from emer.tools.scene.samples import FaceBox, Finding, Look, Pose
from emer.tools.text import amount, when
from emer.tools.timeseries import Leg, legs, median_of_three, runs

LEAN: Final = math.log(1.18)
"""Least change of the face's size in the picture that is told as leaning: a mouth opened
wide changes the detector's sizes by 15 %."""
SWAY: Final = math.log(1.12)
"""A move of this size the other way ends a lean."""
TURN: Final = 0.1
"""Most the nose may shift in the face (of the ears' distance) for sizes to be compared."""
CLEAR_FACE: Final = 0.8
"""Least mean score of a face whose size is trusted (hidden and side faces have less)."""
LARGEST_LEAN: Final = math.log(2.0)
"""Beyond this the person walks, or the face was mistaken."""
SLOWEST: Final = 3.0
"""Seconds within which a lean happens."""
SMALLEST_FACE: Final = 0.14
"""Face share below which (wide shots) a changing size means walking, not leaning."""
SHRUG: Final = 0.2
"""Least move of the shoulders against the face, in face heights."""
VISIBLE: Final = 0.7
NOSE, SHOULDERS, ELBOWS, WRISTS = 0, (11, 12), (13, 14), (15, 16)
"""BlazePose landmark numbers (left, right)."""


class Shoulders(NamedTuple):
    """The shoulders in one look, checked against the face."""

    time: float
    y: float
    """Mean height of both in picture heights from the top."""
    drop: float
    """From the face's middle down to the shoulders, in face heights."""
    face_y: float
    face_height: float


def is_consistent(pose: Pose, face: FaceBox) -> bool:
    """Tell whether the pose belongs to this face and shows both shoulders.

    The nose lies in the face, both shoulders are visible, inside the picture, below the
    mouth, and as far apart as people's are: 0.8 to 5 face heights (chosen by us; a body
    seen from the side has close shoulders). Guards against bodies seen in title cards.
    """
    nose, (left, right) = pose.points[NOSE], pose.points[list(SHOULDERS)]
    offset = math.dist((float(nose[0]), float(nose[1])), face.centre) / face.height
    wide = abs(float(left[0] - right[0])) / face.height
    seen = min(pose.visibility[list(SHOULDERS)]) >= VISIBLE and max(left[1], right[1]) <= 1.0
    below = min(left[1], right[1]) > face.mouth[1]
    return bool(offset < 0.6 and 0.8 <= wide <= 5.0 and seen and below)


def shoulders_of(looks: Sequence[Look], person: Person) -> list[Shoulders]:
    """Return the person's shoulders in all looks that show them."""
    found = []
    for look in looks:
        face = person.box_at(look.time, 0.0)
        if look.shot != person.shot or look.pose is None or face is None:
            continue
        if is_consistent(look.pose, face):
            y = float(look.pose.points[list(SHOULDERS), 1].mean())
            drop = (y - face.centre[1]) / person.height
            found.append(Shoulders(look.time, y, drop, face.centre[1], face.height))
    return found


def shoulder_line(seen: Sequence[Shoulders], time: float) -> float | None:
    """Return the height of the shoulders within half a second of `time`, if they show."""
    near = [s for s in seen if abs(s.time - time) <= 0.5]
    return min(near, key=lambda s: abs(s.time - time)).y if near else None


def describe_posture(looks: Sequence[Look], person: Person) -> list[Finding]:
    """Return the findings on a person's posture."""
    return _leans(looks, person) + _shrugs(looks, person) + _crossed(looks, person)


def _leans(looks: Sequence[Look], person: Person) -> list[Finding]:
    """Return leans: the face grows or shrinks in the picture and the camera does not zoom.

    The size is the distance of the eyes and of the ears; the box, whose height follows
    the mouth and nods, must agree at least by half.
    """
    if person.height < SMALLEST_FACE or person.score < CLEAR_FACE:
        return []
    if _travels(looks, person.shot):
        return []
    zoom = _zoomed(looks, person)
    offsets = [zoom.get(time, 0.0) for time in person.times]
    sizes = [_log_size(box) - o for box, o in zip(person.boxes, offsets, strict=True)]
    heights = [math.log(b.height) - o for b, o in zip(person.boxes, offsets, strict=True)]
    boxes = dict(zip(person.times, median_of_three(heights), strict=True))
    found = [
        leg
        for leg in legs(person.times, median_of_three(sizes), SWAY)
        if LEAN <= abs(leg.change) <= LARGEST_LEAN
        and leg.end - leg.start <= SLOWEST
        and (boxes[leg.end] - boxes[leg.start]) / leg.change >= 0.5
        and _same_view(person, leg)
    ]
    strongest = sorted(found, key=lambda leg: (-abs(leg.change), leg.start))[:3]
    return [_leaning(leg, person) for leg in sorted(strongest)]


def _same_view(person: Person, leg: Leg) -> bool:
    """Tell whether the head is turned alike before and after: else sizes mislead."""
    before, after = (person.box_at(time, 0.0) for time in (leg.start, leg.end))
    if before is None or after is None:
        return False
    return bool(np.abs(_nose(after) - _nose(before)).max() < TURN)


def _nose(face: FaceBox) -> NDArray[np.float64]:
    """Return the nose's place from the eyes' middle, along and across, in ear distances."""
    points = face.points.astype(np.float64)
    along = points[1] - points[0]
    along /= max(float(np.linalg.norm(along)), 1e-9)
    nose = points[2] - (points[0] + points[1]) / 2
    across = np.array([-along[1], along[0]])
    ears = max(float(np.linalg.norm(points[5] - points[4])), 1e-9)
    return np.array([nose @ along, nose @ across]) / ears


def _log_size(face: FaceBox) -> float:
    """Return the log of the face's width: the mean of the eyes' and the ears' distances."""
    eyes = float(np.linalg.norm(face.points[0] - face.points[1]))
    ears = float(np.linalg.norm(face.points[4] - face.points[5]))
    return math.log(max(eyes * ears, 1e-9)) / 2


def _travels(looks: Sequence[Look], shot: int) -> bool:
    """Tell whether the camera goes along with someone, so that sizes say little."""
    steps = [look.step for look in looks if look.shot == shot and look.step]
    return abs(sum(step.dx for step in steps)) > 0.3 or abs(sum(s.dy for s in steps)) > 0.3


def _zoomed(looks: Sequence[Look], person: Person) -> dict[float, float]:
    """Return the log of the camera's zoom since the shot began, per look."""
    total, zoom = 0.0, {}
    for look in looks:
        if look.shot == person.shot:
            total += math.log(look.step.zoom) if look.step else 0.0
            zoom[look.time] = total
    return zoom


def _leaning(leg: Leg, person: Person) -> Finding:
    share = math.exp(abs(leg.change)) - 1
    way, size = ("forward", "larger") if leg.change > 0 else ("back", "smaller")
    share = share if leg.change > 0 else 1 - math.exp(leg.change)
    text = (
        f"{person.word} {amount(share, 0.22, 0.4)} leans {way} at {when(leg.start, leg.end)} "
        f"(the face becomes {share:.0%} {size} in the picture)."
    )
    quality = person.score * min(1.0, 0.5 + abs(leg.change))
    return Finding(
        text,
        leg.start,
        leg.end,
        quality,
        person.name,
        {"face_score": person.score},
        {"lean": way, "size_change": round(share, 3)},
    )


def _shrugs(looks: Sequence[Look], person: Person) -> list[Finding]:
    """Return shoulders that rise or drop against the face while the face keeps its place."""
    seen = shoulders_of(looks, person)
    found = []
    for leg in legs([s.time for s in seen], median_of_three([s.drop for s in seen]), SHRUG):
        own = _own_move(seen, leg)
        if leg.end - leg.start > 1.5 or own / leg.change < 0.6:
            continue
        way = "drop" if leg.change > 0 else "rise"
        text = (
            f"{person.possessive} shoulders {way} at "
            f"{when(leg.start, leg.end)} (by {abs(own):.2f} face heights)."
        )
        factors = {"face_score": person.score, "poses": float(len(seen))}
        quality = 0.7 * person.score
        data: dict[str, JsonValue] = {"shoulders": way, "face_heights": round(own, 2)}
        found.append(Finding(text, leg.start, leg.end, quality, person.name, factors, data))
    return found[:2]


def _own_move(seen: Sequence[Shoulders], leg: Leg) -> float:
    """Return how far the shoulders themselves moved down in the leg, in face heights."""
    first, last = (next(s for s in seen if s.time == time) for time in (leg.start, leg.end))
    return (last.y - first.y) / ((first.face_height + last.face_height) / 2)


def arms_crossed(pose: Pose) -> bool:
    """Tell whether each wrist lies at the other arm's elbow, in front of the chest."""
    needed = [*SHOULDERS, *ELBOWS, *WRISTS]
    if min(pose.visibility[needed]) < VISIBLE:
        return False
    wide = abs(float(pose.points[11, 0] - pose.points[12, 0]))
    side = float(np.sign(pose.points[11, 0] - pose.points[12, 0]))
    left, right = pose.points[15], pose.points[16]
    swapped = side * float(left[0] - right[0]) < -0.2 * wide
    reach = 0.6 * max(wide, 1e-6)
    at_elbows = (
        float(np.linalg.norm(left - pose.points[14])) < reach
        and float(np.linalg.norm(right - pose.points[13])) < reach
    )
    chest = pose.points[list(SHOULDERS), 1].mean(), pose.points[[23, 24], 1].mean()
    return bool(swapped and at_elbows and chest[0] < min(left[1], right[1]) < chest[1])


def _crossed(looks: Sequence[Look], person: Person) -> list[Finding]:
    times, holds = [], []
    for look in looks:
        face = person.box_at(look.time, 0.0)
        if look.shot == person.shot and look.posed and face is not None:
            times.append(look.time)
            ours = look.pose is not None and is_consistent(look.pose, face)
            holds.append(bool(ours and look.pose is not None and arms_crossed(look.pose)))
    found = runs(times, holds, max_gap=0.9, min_length=0.35)
    return [
        Finding(
            f"{person.word} crosses the arms at {when(run.start, run.end)}.",
            run.start,
            run.end,
            0.7 * person.score,
            person.name,
            {"face_score": person.score, "poses": float(len(run.indices))},
            {"arms": "crossed"},
        )
        for run in found
    ]
