"""Gestures of the hands over time: at the face, raised, pointing, moving.

First what one hand does in one picture: where it is to the face, and how its fingers are bent.
Then what a person's hands do over time, from their states in the samples of a shot.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emer.tools.cues import stated
from emer.tools.scene.detectors import FaceBox, Hand
from emer.tools.scene.features import Sample
from emer.tools.scene.people import Data, Finding, Person
from emer.tools.scene.posture import shoulder_line, shoulders_of
from emer.tools.text import when
from emer.tools.timeseries import sparse_stretches

WRIST_OUTSIDE: Final = 1.2
"""A real hand at a face comes from outside it: a wrist within this many face radii
is a hand that the model sees in the face itself (on bare faces it does so with scores of 0.99)."""
SIZES: Final = (0.3, 1.8)
"""A hand's length in face heights; about 1 for an open hand (chosen by us)."""
REACH: Final = 3.5
"""Face heights an arm reaches from the face."""
PALM: Final = (0, 1, 5, 9, 13, 17)
FINGERS: Final = ((1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16), (17, 18, 19, 20))
"""MediaPipe's hand landmarks around the palm and along each finger."""
THICKNESS: Final = 0.045
"""Half a finger's width in face heights: landmarks run along the fingers' middles."""


def is_plausible(hand: Hand, face: FaceBox) -> bool:
    """Whether the hand can be one of the person with this face."""
    near = math.dist(hand.centre, face.centre) <= REACH * face.height
    sized = SIZES[0] <= hand.size / face.height <= SIZES[1]
    return bool(near and sized and _in_radii(hand, face)[0] >= WRIST_OUTSIDE)


def _in_radii(hand: Hand, face: FaceBox) -> NDArray[np.float64]:
    """Distances of the landmarks from the face's middle, 1 on its oval; shape (21,)."""
    x, y = ((hand.points - np.array(face.centre)) / (face.width / 2, face.height / 2)).T
    return np.asarray(np.hypot(x, y))


def gap(hand: Hand, face: FaceBox) -> float:
    """The space between hand and face in face heights; 0 where they touch."""
    radii = _in_radii(hand, face)
    along = math.dist(hand.points[radii.argmin()], face.centre) / face.height
    return along * (1 - 1 / max(float(radii.min()), 1.0))


def covered(
    hand: Hand, face: FaceBox, middle: tuple[float, float], radii: tuple[float, float]
) -> float:
    """The share of an oval that the hand, drawn finger by finger, covers, 0-1."""
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
    """The part of the face where the hand is: mouth, chin, forehead, or a side."""
    nearest = np.argsort(_in_radii(hand, face), kind="stable")[:5]
    across, down = hand.points[nearest].mean(axis=0).tolist()
    x = (across - face.centre[0]) / (face.width / 2)
    y = (down - face.centre[1]) / (face.height / 2)
    if math.dist((across, down), face.mouth) / face.height < 0.18:
        return "at the mouth"
    if y > 0.6 and abs(x) < 0.8:
        return "at the chin"
    if y < -0.5 and abs(x) < 0.8:
        return "at the forehead"
    if abs(x) < 0.35:
        return "in front of the face"
    return f"beside it on the {'left' if x < 0 else 'right'} of the picture"


def is_at_chest(hand: Hand, face: FaceBox) -> bool:
    """Whether the hand is before the chest: below the chin, near the body's middle."""
    x = abs(hand.centre[0] - face.centre[0]) / face.height
    y = (hand.centre[1] - face.bottom) / face.height
    return x < 0.8 and 0.3 < y < 1.4


def is_pointing(hand: Hand) -> bool:
    """Whether the index finger is stretched out while the other three are curled.

    Angles at the middle joints in 3-D: stretched above 150 degrees, curled below 120
    (chosen by us). The thumb does not matter.
    """
    others = [_bend(hand, joint) for joint in (10, 14, 18)]
    return _bend(hand, 6) > 150 and _bend(hand, 7) > 145 and max(others) < 120


def _bend(hand: Hand, joint: int) -> float:
    """The angle in degrees at a finger joint; 180 is straight."""
    toward = hand.world[joint - 1] - hand.world[joint]
    away = hand.world[joint + 1] - hand.world[joint]
    cosine = float(toward @ away) / max(float(np.linalg.norm(toward) * np.linalg.norm(away)), 1e-9)
    return math.degrees(math.acos(min(1.0, max(-1.0, cosine))))


def distinct(hands: tuple[Hand, ...]) -> tuple[Hand, ...]:
    """Each hand once: the better of two detections at the same place."""
    single: list[Hand] = []
    for hand in sorted(hands, key=lambda h: (-h.score, h.centre)):
        if all(math.dist(hand.centre, k.centre) > 0.35 * max(hand.size, k.size) for k in single):
            single.append(hand)
    return tuple(single)


NEAR: Final = 0.2
"""Gap in face heights up to which a hand is near the face."""
COVERS_FACE: Final = 0.3
COVERS_MOUTH: Final = 0.4
"""Least shares of the face's and the mouth's region that a hand covers in part."""
WHOLLY: Final = 0.75
FAST: Final = 0.9
"""Face heights per second of a gesturing hand; all chosen by us."""
IMPOSSIBLE: Final = 5.0
"""Speed above which it was another hand that came into view."""
GAP: Final = 0.65
"""Seconds over which a hand may be lost: fast hands blur and are not detected."""
LEAST: Final = 0.18
"""Seconds, and two samples, of an act that is reported."""
SHORTEST_GESTURE: Final = 0.35
PAUSE: Final = 0.85
"""Seconds hands may rest or blur within one gesture."""
STEADY: Final = 0.06
"""Face heights a hand may wander against the face and still hold it up."""


@dataclass(frozen=True, slots=True)
class HandState:
    """What one person's hands do in one sample."""

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
    """Of the fastest free hand, in face heights per second."""
    since: float = 0.0
    """Start of the interval that the speed was measured over."""
    scores: tuple[float, ...] = ()


ACTS: Final[Mapping[str, tuple[str, float, Callable[[HandState], bool]]]] = {
    "points with the index finger": ("points", LEAST, lambda s: s.pointing),
    "raises a hand above the shoulders": ("gestures", LEAST, lambda s: s.raised == 1),
    "raises both hands above the shoulders": ("gestures", LEAST, lambda s: s.raised > 1),
    "keeps a hand in front of the chest": (
        "hand_at_chest", 1.0, lambda s: s.at_chest and s.speed < FAST,
    ),
}  # fmt: skip
"""Acts of the free hands: cue, least seconds, and when one holds."""


def describe_hands(samples: Sequence[Sample], people: Sequence[Person]) -> list[Finding]:
    """The findings on the hands of each of the people of one shot."""
    findings: list[Finding] = []
    for person in people:
        states: list[HandState] = []
        shoulders = shoulders_of(samples, person)
        for sample in samples:
            if sample.shot == person.shot:
                face, hands = person.box_at(sample.time), hands_of(sample, person, people)
                line = shoulder_line(shoulders, sample.time)
                states.append(_state(sample.time, face, hands, line, states))
        findings += _at_face(states, person) + _covering(states, person)
        findings += _in_air(states, person) + _gestures(states, person)
    return findings


def hands_of(sample: Sample, person: Person, people: Sequence[Person]) -> tuple[Hand, ...]:
    """The hands that are nearest to this person's face of all faces."""
    boxes = [(n, box) for n, p in enumerate(people) if (box := p.box_at(sample.time))]
    hands = []
    for hand in distinct(sample.hands):
        near = [(math.dist(hand.centre, b.centre), n) for n, b in boxes if is_plausible(hand, b)]
        if near and people[min(near)[1]] is person:
            hands.append(hand)
    return tuple(hands)


def _state(
    time: float,
    face: FaceBox | None,
    hands: tuple[Hand, ...],
    shoulders: float | None,
    before: Sequence[HandState],
) -> HandState:
    if face is None or not hands:
        return HandState(time, face)
    near = tuple(hand for hand in hands if gap(hand, face) <= NEAR)
    free = tuple(hand for hand in hands if gap(hand, face) > NEAR)
    speed, since = _speed(time, face, free, before)
    line = shoulders if shoulders is not None else face.bottom + 0.4 * face.height
    oval, mouth = (face.width / 2, face.height / 2), (0.2 * face.width, 0.08 * face.height)
    return HandState(
        time,
        face,
        near,
        free,
        face_covered=min(1.0, sum(covered(hand, face, face.centre, oval) for hand in near)),
        mouth_covered=max((covered(hand, face, face.mouth, mouth) for hand in near), default=0.0),
        raised=sum(hand.centre[1] < line for hand in free),
        pointing=any(is_pointing(hand) for hand in free),
        at_chest=any(is_at_chest(hand, face) for hand in free),
        speed=speed,
        since=since,
        scores=tuple(hand.score for hand in hands),
    )


def _speed(
    time: float, face: FaceBox, hands: tuple[Hand, ...], before: Sequence[HandState]
) -> tuple[float, float]:
    """Speed of the fastest free hand against 0.15-0.5 s ago, and that moment."""
    earlier = [s for s in before if 0.15 <= time - s.time <= 0.5 and s.free]
    if not earlier or earlier[-1].face is None:
        return 0.0, time
    then, (x, y) = earlier[-1], earlier[-1].face.centre
    shift = face.centre[0] - x, face.centre[1] - y
    gaps = [min(_distance(old, hand, shift) for old in then.free) for hand in hands]
    speeds = [gap / face.height / (time - then.time) for gap in gaps]
    return max((speed for speed in speeds if speed < IMPOSSIBLE), default=0.0), then.time


def _distance(old: Hand, hand: Hand, shift: tuple[float, float]) -> float:
    # in the picture or against the face, whichever is less: a hand at rest while the head
    # moves, or carried along with the body, is no gesture
    x, y = hand.centre[0] - old.centre[0], hand.centre[1] - old.centre[1]
    return min(math.hypot(x, y), math.hypot(x - shift[0], y - shift[1]))


def _acts(
    states: Sequence[HandState], holds: Sequence[bool], least: float = LEAST, max_gap: float = GAP
) -> list[list[HandState]]:
    """The states that hold, one list for each stretch of them."""
    parts = sparse_stretches([state.time for state in states], holds, max_gap, least)
    return [[states[i] for i in range(a, b + 1) if holds[i]] for a, b in parts]


def _at_face(states: Sequence[HandState], person: Person) -> list[Finding]:
    findings = []
    for act in _acts(states, [bool(s.near) for s in states]):
        places = [place(hand, s.face) for s in act if s.face for hand in s.near]
        where, held = max(sorted(set(places)), key=places.count), _is_under_chin(act)
        more = ", held under the chin" if held else f" ({where})"
        what = f"A hand is near the face of {person.object}"
        data: Data = {"where": where, "held": held}
        findings.append(_finding(act, person, what, "hand_near_face", data, more))
    return findings


def _is_under_chin(act: Sequence[HandState]) -> bool:
    """Whether a hand stays under the chin for a second or more."""
    pairs = [(s.face, s.near[0].centre) for s in act if s.face]
    x = np.array([(centre[0] - face.centre[0]) / face.height for face, centre in pairs])
    y = np.array([(centre[1] - face.bottom) / face.height for face, centre in pairs])
    wander = float(np.median(np.hypot(x - np.median(x), y - np.median(y))))
    below = float(np.mean((np.abs(x) < 0.5) & (y > -0.1)))
    return act[-1].time - act[0].time >= 1.0 and below >= 0.7 and wander <= STEADY


def _covering(states: Sequence[HandState], person: Person) -> list[Finding]:
    findings = []
    for part, least in (("mouth", COVERS_MOUTH), ("face", COVERS_FACE)):
        covers = attrgetter(f"{part}_covered")
        for act in _acts(states, [covers(s) >= least for s in states]):
            share = float(np.median([covers(s) for s in act]))
            partly = "" if share >= WHOLLY else "partly "
            what, data = f"{partly}covers the {part} with a hand", {"covered": round(share, 2)}
            more = f" ({share:.0%} of it)"
            what = f"{person.subject} {what}"
            findings.append(_finding(act, person, what, "mouth_covered", data, more))
    return findings


def _in_air(states: Sequence[HandState], person: Person) -> list[Finding]:
    findings = []
    for what, (cue, least, holds) in ACTS.items():
        for act in _acts(states, [holds(s) for s in states], least):
            text = f"{person.subject} {what}"
            findings.append(_finding(act, person, text, cue, {"act": what}))
    return findings


def _gestures(states: Sequence[HandState], person: Person) -> list[Finding]:
    findings = []
    for act in _acts(states, [s.speed >= FAST for s in states], 0.0, PAUSE):
        if act[-1].time - act[0].since < SHORTEST_GESTURE - 1e-6:
            continue
        speed = float(np.median([s.speed for s in act]))
        what, data = f"{person.subject} gestures with the hands", {"speed": round(speed, 2)}
        more = f" ({speed:.1f} face heights per second)"
        findings.append(_finding(act, person, what, "gestures", data, more, act[0].since))
    return findings


def _finding(
    act: Sequence[HandState],
    person: Person,
    what: str,
    cue: str,
    data: Data,
    more: str = "",
    start: float | None = None,
) -> Finding:
    """What a person's hands do in these samples.

    Args:
        act: The samples.
        person: Whose hands they are.
        what: The sentence before its time.
        cue: What it states.
        data: Its numbers.
        more: The sentence after its time.
        start: When it begins, if before the first sample.
    """
    score = float(np.mean([score for s in act for score in s.scores]))
    factors = {"hand_score": score, "face_score": person.score, "looks": float(len(act))}
    quality = score * person.score * (0.6 + 0.4 * min(1.0, len(act) / 4))
    span = act[0].time if start is None else start, act[-1].time
    text = f"{what} at {when(*span)}{more}."
    return person.about(Finding(text, *span, quality, None, factors, data, stated([cue])))
