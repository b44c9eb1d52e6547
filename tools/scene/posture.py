"""Posture and motion of the body: leans, shrugs, crossed arms, speed of the head."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emer.tools.cues import AMOUNTS, stated
from emer.tools.scene.detectors import FaceBox, Pose
from emer.tools.scene.features import Sample
from emer.tools.scene.framing import camera_path
from emer.tools.scene.people import Data, Finding, Person
from emer.tools.text import amount, when
from emer.tools.timeseries import legs, median_of_three, sparse_stretches

LEAN: Final = math.log(1.18)
"""Least change of the face's size that counts as leaning: a mouth opened wide
changes the detector's sizes by 15 %."""
SWAY: Final = math.log(1.12)
"""A move of this size the other way ends a lean."""
TURN: Final = 0.1
"""Largest shift of the nose, in ear distances, for sizes to be compared."""
CLEAR_FACE: Final = 0.8
"""Least mean score of a face whose size counts (covered and side faces have less)."""
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
    """The shoulders in one sample, checked against the face."""

    time: float
    y: float
    """Mean height of both in picture heights from the top."""
    drop: float
    """From the face's middle down to the shoulders, in face heights."""
    face_height: float


def is_consistent(pose: Pose, face: FaceBox) -> bool:
    """Whether the pose belongs to this face and shows both shoulders.

    The nose is in the face, both shoulders are visible, inside the picture, below the
    mouth, and as far apart as people's are: 0.8 to 5 face heights (chosen by us; a body
    seen from the side has close shoulders). Guards against bodies seen in title cards.
    """
    nose, (left, right) = pose.points[NOSE], pose.points[list(SHOULDERS)]
    offset = math.dist(nose, face.centre) / face.height
    wide = abs(float(left[0] - right[0])) / face.height
    seen = min(pose.visibility[list(SHOULDERS)]) >= VISIBLE and max(left[1], right[1]) <= 1.0
    below = min(left[1], right[1]) > face.mouth[1]
    return bool(offset < 0.6 and 0.8 <= wide <= 5.0 and seen and below)


def shoulders_of(samples: Sequence[Sample], person: Person) -> list[Shoulders]:
    """The person's shoulders in all samples that show them."""
    rows = []
    for sample in samples:
        face = person.box_at(sample.time, 0.0)
        if sample.shot != person.shot or sample.pose is None or face is None:
            continue
        if is_consistent(sample.pose, face):
            y = float(sample.pose.points[list(SHOULDERS), 1].mean())
            drop = (y - face.centre[1]) / person.height
            rows.append(Shoulders(sample.time, y, drop, face.height))
    return rows


def shoulder_line(shoulders: Sequence[Shoulders], time: float) -> float | None:
    """The height of the shoulders within half a second of `time`, if they are visible."""
    near = min(shoulders, key=lambda s: abs(s.time - time), default=None)
    return near.y if near and abs(near.time - time) <= 0.5 else None


def describe_posture(samples: Sequence[Sample], person: Person) -> list[Finding]:
    return _leans(samples, person) + _shrugs(samples, person) + _crossed(samples, person)


def _leans(samples: Sequence[Sample], person: Person) -> list[Finding]:
    """Leans: the face grows or shrinks in the picture and the camera does not zoom.

    The size is the distance of the eyes and of the ears; the box, whose height follows
    the mouth and nods, must agree at least by half.
    """
    path = camera_path(samples, person.shot)
    travels = max(abs(path.x[-1]), abs(path.y[-1])) > 0.3  # along with a person
    if travels or person.height < SMALLEST_FACE or person.score < CLEAR_FACE:
        return []
    zoom = dict(zip(path.times, path.zoom, strict=True))
    seen = list(zip(person.times, person.boxes, strict=True))
    sizes = [_log_size(box) - zoom[time] for time, box in seen]
    heights = [math.log(box.height) - zoom[time] for time, box in seen]
    boxes = dict(zip(person.times, median_of_three(heights), strict=True))
    noses = {time: _nose(box) for time, box in seen}
    leans = [
        leg
        for leg in legs(person.times, median_of_three(sizes), SWAY)
        if LEAN <= abs(leg.change) <= LARGEST_LEAN
        and leg.end - leg.start <= SLOWEST
        and (boxes[leg.end] - boxes[leg.start]) / leg.change >= 0.5
        and np.abs(noses[leg.end] - noses[leg.start]).max() < TURN
    ]
    findings = []
    for leg in sorted(sorted(leans, key=lambda leg: (-abs(leg.change), leg.start))[:3]):
        way, size = ("forward", "larger") if leg.change > 0 else ("back", "smaller")
        share = abs(math.exp(leg.change) - 1)
        degree = amount(share, 0.22, 0.4)
        text = (
            f"{person.subject} {degree} leans {way} at {when(*leg[:2])} "
            f"(the face becomes {share:.0%} {size} in the picture)."
        )
        data: Data = {"lean": way, "size_change": round(share, 3)}
        cues, trust = stated([f"leans_{way}"], AMOUNTS[degree]), min(1.0, 0.5 + abs(leg.change))
        findings.append(person.finding(text, cues, leg[:2], data, trust))
    return findings


def _nose(face: FaceBox) -> NDArray[np.float64]:
    """The nose against the middle of the eyes, along and across, in ear distances."""
    points = face.points.astype(np.float64)
    along = points[1] - points[0]
    along /= max(float(np.linalg.norm(along)), 1e-9)
    nose = points[2] - (points[0] + points[1]) / 2
    across = np.array([-along[1], along[0]])
    ears = max(float(np.linalg.norm(points[5] - points[4])), 1e-9)
    return np.array([nose @ along, nose @ across]) / ears


def _log_size(face: FaceBox) -> float:
    """The log of the face's width: the mean of the eyes' and the ears' distances."""
    eyes = float(np.linalg.norm(face.points[0] - face.points[1]))
    ears = float(np.linalg.norm(face.points[4] - face.points[5]))
    return math.log(max(eyes * ears, 1e-9)) / 2


def _shrugs(samples: Sequence[Sample], person: Person) -> list[Finding]:
    rows = shoulders_of(samples, person)
    findings = []
    for leg in legs([s.time for s in rows], median_of_three([s.drop for s in rows]), SHRUG):
        first, last = (next(s for s in rows if s.time == time) for time in leg[:2])
        shift = (last.y - first.y) / ((first.face_height + last.face_height) / 2)
        if leg.end - leg.start > 1.5 or shift / leg.change < 0.6:
            continue
        way = "drop" if leg.change > 0 else "rise"
        owner = f"{person.subject.split(' (', maxsplit=1)[0]}'s"
        text = f"{owner} shoulders {way} at {when(*leg[:2])} (by {abs(shift):.2f} face heights)."
        data: Data = {"shoulders": way, "face_heights": round(shift, 2)}
        cues = stated([f"shoulders_{way}"])
        findings.append(person.finding(text, cues, leg[:2], data, 0.7, poses=len(rows)))
    return findings[:2]


def arms_crossed(pose: Pose) -> bool:
    """Whether each wrist is at the other arm's elbow, in front of the chest."""
    needed = [*SHOULDERS, *ELBOWS, *WRISTS]
    if min(pose.visibility[needed]) < VISIBLE:
        return False
    across = float(pose.points[11, 0] - pose.points[12, 0])
    left, right = pose.points[list(WRISTS)]
    swapped = math.copysign(1.0, across) * float(left[0] - right[0]) < -0.2 * abs(across)
    gaps = np.linalg.norm(pose.points[list(WRISTS)] - pose.points[[14, 13]], axis=1)
    at_elbows = gaps.max() < 0.6 * max(abs(across), 1e-6)
    chest = pose.points[list(SHOULDERS), 1].mean(), pose.points[[23, 24], 1].mean()
    return bool(swapped and at_elbows and chest[0] < min(left[1], right[1]) < chest[1])


def _crossed(samples: Sequence[Sample], person: Person) -> list[Finding]:
    times, holds = [], []
    for sample in samples:
        face = person.box_at(sample.time, 0.0)
        if sample.shot == person.shot and sample.posed and face is not None:
            times.append(sample.time)
            pose = sample.pose
            holds.append(pose is not None and is_consistent(pose, face) and arms_crossed(pose))
    findings = []
    for run in sparse_stretches(times, holds, gap=0.9, least=0.35):
        span = times[run.first], times[run.last]
        text = f"{person.subject} crosses the arms at {when(*span)}."
        poses = sum(holds[run.part])
        cues, data = stated(["arms_crossed"]), {"arms": "crossed"}
        findings.append(person.finding(text, cues, span, data, 0.7, poses=poses))
    return findings


SPACING: Final = 0.18
"""Least seconds that speed is measured over, so that noise is not speed."""
STILL: Final = 0.12
LIVELY: Final = 0.7
"""Head speeds in face heights per second: below STILL the body stays still, above
LIVELY it moves a lot; chosen by us."""
LEAST_SEEN: Final = 1.0
"""Seconds a person must be seen for a statement about motion."""


def head_speed(
    samples: Sequence[Sample], person: Person, least: float = LEAST_SEEN
) -> float | None:
    """The head's mean speed against the background, in face heights per second.

    None when the person is seen for less than `least` seconds. Where the background
    cannot be followed the camera is taken as still.
    """
    path = camera_path(samples, person.shot)
    view = {time: (x, y) for time, x, y in zip(path.times, path.x, path.y, strict=True)}
    places: list[tuple[float, float, float]] = []
    for time, box in zip(person.times, person.boxes, strict=True):
        if not places or time - places[-1][0] >= SPACING:
            x, y = box.points[:4].mean(axis=0).tolist()
            places.append((time, x + view[time][0], y + view[time][1]))
    pairs = [(a, b) for a, b in pairwise(places) if b[0] - a[0] < 0.6]
    seconds = sum(b[0] - a[0] for a, b in pairs)
    if seconds < max(least, SPACING):
        return None
    return sum(math.dist(a[1:], b[1:]) for a, b in pairs) / seconds / person.height


def describe_body(samples: Sequence[Sample], person: Person) -> list[Finding]:
    """Whether the body moves a lot or stays still."""
    speed = head_speed(samples, person)
    if speed is None or STILL <= speed < LIVELY:
        return []
    shares = [s.stir for s in samples if s.shot == person.shot and s.stir is not None]
    stir = float(np.median(shares)) if shares else None
    if speed < STILL and stir is not None and stir > 0.15:
        return []
    does, cue = ("stays still", "body_still") if speed < STILL else ("moves a lot", "body_moves")
    text = (
        f"The body of {person.object} {does} at "
        f"{when(*person.seen)} (the head moves {speed:.2f} face heights per second)."
    )
    known = camera_path(samples, person.shot).known
    data = {"head_speed": round(speed, 3), "stir": None if stir is None else round(stir, 3)}
    trust = 0.6 + 0.4 * known
    return [person.finding(text, stated([cue]), person.seen, data, trust, background_known=known)]
