"""What one hand does in one picture: where it is to the face, and how its fingers are."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emer.tools.scene.records import FaceBox, Hand

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
