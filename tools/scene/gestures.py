"""Hands: to the face, raised, pointing.

What one hand does in one picture: where it is to the face, and how its fingers are.

What a person does with the hands over time: to the face, raised, pointing, moving.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emer.tools.scene.people import Person
from emer.tools.scene.posture import shoulder_line, shoulders_of
from emer.tools.scene.samples import FaceBox, Finding, Hand, Look
from emer.tools.text import when
from emer.tools.timeseries import Run, runs

WRIST_OUTSIDE: Final = 1.2
"""A real hand at a face comes from outside it: a wrist within this many face radii is
a hand the model sees in the face itself (on bare faces it does so with scores of 0.99)."""
SIZES: Final = (0.3, 1.8)
"""A hand's length against the face's height; about 1 for an open hand (chosen by us)."""
REACH: Final = 3.5
"""Face heights an arm reaches from the face."""
PALM: Final = (0, 1, 5, 9, 13, 17)
FINGERS: Final = ((1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16), (17, 18, 19, 20))
"""MediaPipe's hand landmarks around the palm and along each finger."""
THICKNESS: Final = 0.045
"""Half a finger's width in face heights: landmarks run along the fingers' middles."""

Grid = NDArray[np.float64]


def is_plausible(hand: Hand, face: FaceBox) -> bool:
    """Tell whether the hand can be one of the person with this face."""
    if math.dist(hand.centre, face.centre) > REACH * face.height:
        return False
    wrist = _in_radii(hand.points[:1].astype(np.float64), face)[0]
    return SIZES[0] <= hand.size / face.height <= SIZES[1] and wrist >= WRIST_OUTSIDE


def _in_radii(points: Grid, face: FaceBox) -> Grid:
    """Return the points' distances from the face's middle, 1 on the face's oval."""
    offsets = (points - face.centre) / (face.width / 2, face.height / 2)
    return np.asarray(np.hypot(offsets[:, 0], offsets[:, 1]))


def gap(hand: Hand, face: FaceBox) -> float:
    """Return the space between hand and face in face heights; 0 where they touch."""
    radii = _in_radii(hand.points.astype(np.float64), face)
    nearest = hand.points[int(radii.argmin())]
    along = math.dist((float(nearest[0]), float(nearest[1])), face.centre) / face.height
    return max(0.0, along * (1 - 1 / max(float(radii.min()), 1.0)))


def covered_face(hand: Hand, face: FaceBox) -> float:
    """Return the share of the face's oval that the hand, drawn finger by finger, covers, 0-1."""
    return _covered(hand, face, face.centre, (face.width / 2, face.height / 2))


def covered_mouth(hand: Hand, face: FaceBox) -> float:
    """Return the share of the mouth's region that the hand, drawn finger by finger, covers, 0-1."""
    return _covered(hand, face, face.mouth, (0.2 * face.width, 0.08 * face.height))


def _covered(
    hand: Hand, face: FaceBox, middle: tuple[float, float], radii: tuple[float, float]
) -> float:
    import cv2

    side = 64
    scale = side / np.array(radii) / 2
    drawn = np.zeros((side, side), dtype=np.uint8)
    places = np.round((hand.points - middle) * scale + side / 2).astype(np.int32)
    cv2.fillPoly(drawn, [places[list(PALM)]], 1)
    for finger in FINGERS:
        cv2.polylines(drawn, [places[list(finger)]], False, 1)
    thick = np.maximum(1, np.round(2 * THICKNESS * face.height * scale)).astype(int)
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (int(thick[0]), int(thick[1])))
    oval = cv2.ellipse(np.zeros_like(drawn), (32, 32), (31, 31), 0, 0, 360, 1, -1)
    return float(cv2.dilate(drawn, brush)[oval > 0].mean())


def place(hand: Hand, face: FaceBox) -> str:
    """Say at which part of the face the hand is: mouth, chin, forehead, or a side."""
    radii = _in_radii(hand.points.astype(np.float64), face)
    near = hand.points[np.argsort(radii, kind="stable")[:5]].mean(axis=0)
    x = (float(near[0]) - face.centre[0]) / (face.width / 2)
    y = (float(near[1]) - face.centre[1]) / (face.height / 2)
    mouth = math.dist((float(near[0]), float(near[1])), face.mouth) / face.height
    if mouth < 0.18:
        return "at the mouth"
    if y > 0.6 and abs(x) < 0.8:
        return "at the chin"
    if y < -0.5 and abs(x) < 0.8:
        return "at the forehead"
    if abs(x) < 0.35:
        return "in front of the face"
    return f"beside it on the {'left' if x < 0 else 'right'} of the picture"


def is_at_chest(hand: Hand, face: FaceBox) -> bool:
    """Tell whether the hand is in front of the chest: below the chin, near the body's middle."""
    x = abs(hand.centre[0] - face.centre[0]) / face.height
    y = (hand.centre[1] - face.bottom) / face.height
    return x < 0.8 and 0.3 < y < 1.4


def is_pointing(hand: Hand) -> bool:
    """Tell whether the index finger is stretched out while the other three are curled.

    Angles at the middle joints in 3-D: stretched above 150 degrees, curled below 120
    (chosen by us). The thumb may do as it likes.
    """
    index = _bend(hand, 6)
    others = [_bend(hand, joint) for joint in (10, 14, 18)]
    return index > 150 and _bend(hand, 7) > 145 and all(angle < 120 for angle in others)


def _bend(hand: Hand, joint: int) -> float:
    """Return the angle in degrees at a finger joint; 180 is straight."""
    toward = hand.world[joint - 1] - hand.world[joint]
    away = hand.world[joint + 1] - hand.world[joint]
    cosine = float(toward @ away) / max(float(np.linalg.norm(toward) * np.linalg.norm(away)), 1e-9)
    return math.degrees(math.acos(min(1.0, max(-1.0, cosine))))


def distinct(hands: tuple[Hand, ...]) -> tuple[Hand, ...]:
    """Leave out a hand found twice: the better of two at the same place stays."""
    kept: list[Hand] = []
    for hand in sorted(hands, key=lambda h: (-h.score, h.centre)):
        if all(math.dist(hand.centre, k.centre) > 0.35 * max(hand.size, k.size) for k in kept):
            kept.append(hand)
    return tuple(kept)


NEAR: Final = 0.2
"""Gap in face heights up to which a hand is near the face."""
COVERS_FACE: Final = 0.3
COVERS_MOUTH: Final = 0.4
"""Shares of the face's and the mouth's region from which a hand covers them in part."""
WHOLLY: Final = 0.75
FAST: Final = 0.9
"""Face heights per second from which a hand in view is gesturing; all chosen by us."""
IMPOSSIBLE: Final = 5.0
"""Speed above which it was another hand that came into view."""
GAP: Final = 0.65
"""Seconds over which a hand may be lost: fast hands blur and are not found."""
LEAST: Final = 0.18
"""Seconds, and two looks, a hand must do something to be reported."""
SHORTEST_GESTURE: Final = 0.35
PAUSE: Final = 0.85
"""Seconds hands may rest or blur within one gesture."""
STEADY: Final = 0.06
"""Face heights a hand may wander against the face and still hold it up."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What one person's hands do in one look."""

    time: float
    face: FaceBox | None = None
    near: tuple[Hand, ...] = ()
    free: tuple[Hand, ...] = ()
    face_covered: float = 0.0
    mouth_covered: float = 0.0
    raised: int = 0
    pointing: bool = False
    at_chest: bool = False
    speed: float = 0.0
    """Fastest free hand, in face heights per second."""
    since: float = 0.0
    """From when on the speed was measured."""
    scores: tuple[float, ...] = field(default=())


def describe_hands(looks: Sequence[Look], people: Sequence[Person]) -> list[Finding]:
    """Return the findings on the hands of each person."""
    found: list[Finding] = []
    for person in people:
        moments = follow_hands(looks, person, people)
        if any(moment.scores for moment in moments):
            found += _at_face(moments, person) + _in_air(moments, person)
    return found


def follow_hands(looks: Sequence[Look], person: Person, people: Sequence[Person]) -> list[Moment]:
    """Return what the person's hands do in each look of the person's shot."""
    moments: list[Moment] = []
    shoulders = shoulders_of(looks, person)
    for look in looks:
        if look.shot == person.shot:
            face = person.box_at(look.time)
            line = shoulder_line(shoulders, look.time)
            moments.append(_moment(look, face, owned(look, person, people), line, moments))
    return moments


def owned(look: Look, person: Person, people: Sequence[Person]) -> tuple[Hand, ...]:
    """Return the hands that are nearest to this person's face of all faces."""
    boxes = {
        i: box
        for i, other in enumerate(people)
        if other.shot == person.shot and (box := other.box_at(look.time)) is not None
    }
    mine = []
    for hand in distinct(look.hands):
        away = {
            math.dist(hand.centre, box.centre): i
            for i, box in boxes.items()
            if is_plausible(hand, box)
        }
        if away and people[away[min(away)]] is person:
            mine.append(hand)
    return tuple(mine)


def _moment(
    look: Look,
    face: FaceBox | None,
    hands: tuple[Hand, ...],
    shoulders: float | None,
    before: Sequence[Moment],
) -> Moment:
    if face is None or not hands:
        return Moment(look.time, face)
    near = tuple(hand for hand in hands if gap(hand, face) <= NEAR)
    free = tuple(hand for hand in hands if gap(hand, face) > NEAR)
    speed, since = _speed(look.time, face, free, before)
    line = shoulders if shoulders is not None else face.bottom + 0.4 * face.height
    return Moment(
        look.time,
        face,
        near,
        free,
        face_covered=min(1.0, sum(covered_face(hand, face) for hand in near)),
        mouth_covered=max((covered_mouth(hand, face) for hand in near), default=0.0),
        raised=sum(hand.centre[1] < line for hand in free),
        pointing=any(is_pointing(hand) for hand in free),
        at_chest=any(is_at_chest(hand, face) for hand in free),
        speed=speed,
        since=since,
        scores=tuple(hand.score for hand in hands),
    )


def _speed(
    time: float, face: FaceBox, hands: tuple[Hand, ...], before: Sequence[Moment]
) -> tuple[float, float]:
    """Return how fast the fastest free hand moved since 0.15-0.5 s ago, and since when."""
    earlier = [m for m in before if 0.15 <= time - m.time <= 0.5 and m.free and m.face]
    if not earlier or earlier[-1].face is None:
        return 0.0, time
    then, old_face = earlier[-1], earlier[-1].face
    shift = face.centre[0] - old_face.centre[0], face.centre[1] - old_face.centre[1]
    ways = [min(_way(old, hand, shift) for old in then.free) for hand in hands]
    speeds = [way / face.height / (time - then.time) for way in ways]
    return max((speed for speed in speeds if speed < IMPOSSIBLE), default=0.0), then.time


def _way(old: Hand, hand: Hand, shift: tuple[float, float]) -> float:
    """Return how far a hand went, in the picture or against the face, whichever is less.

    A hand at rest while the head moves, or carried along with the body, is no gesture.
    """
    x, y = hand.centre[0] - old.centre[0], hand.centre[1] - old.centre[1]
    return min(math.hypot(x, y), math.hypot(x - shift[0], y - shift[1]))


def _runs(
    moments: Sequence[Moment], holds: Callable[[Moment], bool], least: float = LEAST
) -> list[Run]:
    return runs([m.time for m in moments], [holds(m) for m in moments], GAP, least)


def _at_face(moments: Sequence[Moment], person: Person) -> list[Finding]:
    """Return where hands are at the face; what covers it is told besides."""
    found = []
    for run in _runs(moments, lambda m: bool(m.near)):
        inside = [moments[i] for i in run.indices]
        where, held = _usual_place(inside), _stays_under_chin(inside, run)
        text = f"A hand is near the face of {person.object} at {when(run.start, run.end)}"
        text += ", held under the chin." if held else f" ({where})."
        found.append(_finding(text, run, inside, person, {"where": where, "held": held}))
    return found + _covering(moments, person)


def _covering(moments: Sequence[Moment], person: Person) -> list[Finding]:
    """Return when a hand covers the mouth or a good part of the face."""
    mouth = [m.mouth_covered for m in moments]
    face = [m.face_covered for m in moments]
    found = []
    for what, shares, least in (
        ("the mouth", mouth, COVERS_MOUTH),
        ("the face", face, COVERS_FACE),
    ):
        for run in runs([m.time for m in moments], [s >= least for s in shares], GAP, LEAST):
            share = float(np.median([shares[i] for i in run.indices]))
            partly = "" if share >= WHOLLY else "partly "
            text = (
                f"{person.word} {partly}covers {what} with a hand at "
                f"{when(run.start, run.end)} ({share:.0%} of it)."
            )
            inside = [moments[i] for i in run.indices]
            found.append(_finding(text, run, inside, person, {"covered": round(share, 2)}))
    return found


def _usual_place(moments: Sequence[Moment]) -> str:
    places = [place(hand, m.face) for m in moments if m.face for hand in m.near]
    return max(sorted(set(places)), key=places.count)


def _stays_under_chin(moments: Sequence[Moment], run: Run) -> bool:
    """Tell whether a hand is held under the chin: it stays there for a second or more."""
    seen = [(m.face, m.near[0].centre) for m in moments if m.face]
    x = np.array([(centre[0] - face.centre[0]) / face.height for face, centre in seen])
    y = np.array([(centre[1] - face.bottom) / face.height for face, centre in seen])
    wander = float(np.median(np.hypot(x - np.median(x), y - np.median(y))))
    below = float(np.mean((np.abs(x) < 0.5) & (y > -0.1)))
    return run.length >= 1.0 and below >= 0.7 and wander <= STEADY


def _in_air(moments: Sequence[Moment], person: Person) -> list[Finding]:
    """Return pointing, raised, resting and gesturing hands away from the face."""
    kinds: tuple[tuple[str, float, Callable[[Moment], bool]], ...] = (
        ("points with the index finger", LEAST, lambda m: m.pointing),
        ("raises a hand above the shoulders", LEAST, lambda m: m.raised == 1),
        ("raises both hands above the shoulders", LEAST, lambda m: m.raised > 1),
        ("keeps a hand in front of the chest", 1.0, lambda m: m.at_chest and m.speed < FAST),
    )
    found = []
    for what, least, holds in kinds:
        for run in _runs(moments, holds, least):
            inside = [moments[i] for i in run.indices]
            text = f"{person.word} {what} at {when(run.start, run.end)}."
            found.append(_finding(text, run, inside, person, {"act": what}))
    return found + _gesturing(moments, person)


def _gesturing(moments: Sequence[Moment], person: Person) -> list[Finding]:
    found = []
    moving = [m.speed >= FAST for m in moments]
    for found_run in runs([m.time for m in moments], moving, PAUSE, 0.0):
        run = found_run._replace(start=moments[found_run.indices[0]].since)
        inside = [moments[i] for i in run.indices]
        if run.length < SHORTEST_GESTURE - 1e-6:
            continue
        speed = float(np.median([m.speed for m in inside]))
        text = (
            f"{person.word} gestures with the hands at {when(run.start, run.end)} "
            f"({speed:.1f} face heights per second)."
        )
        found.append(_finding(text, run, inside, person, {"speed": round(speed, 2)}))
    return found


def _finding(
    text: str,
    run: Run,
    moments: Sequence[Moment],
    person: Person,
    data: dict[str, str | bool | float],
) -> Finding:
    score = float(np.mean([s for m in moments for s in m.scores] or [0.0]))
    steady = min(1.0, len(moments) / 4)
    factors = {"hand_score": score, "face_score": person.score, "looks": float(len(moments))}
    quality = score * person.score * (0.6 + 0.4 * steady)
    return Finding(text, run.start, run.end, quality, person.name, factors, data)
