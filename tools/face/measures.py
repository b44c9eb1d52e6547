"""What is measured on a face without pose, frame by frame, in eye distances (IOD).

Each measure follows one muscle's visible work (Facial Action Coding System, Ekman,
Friesen & Hager 2002); which landmarks carry which unit follows OpenFace's and py-feat's
practice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emer.tools.face import landmarks as marks
from emer.tools.face.landmarks import LEFT, RIGHT, RIGID, SIDES, Side
from emer.tools.face.pose import Floats, Heads, Pixels, chunks, find_heads, straighten
from emer.tools.face.spread import sureness


@dataclass(frozen=True, slots=True)
class Measures:
    """One row per frame; two columns (subject's right, left) where the face has two sides."""

    times: Floats
    yaw: Floats
    pitch: Floats
    roll: Floats
    centre: Floats
    """(n, 2) middle of the face in pixels."""
    size: Floats
    """Side of the landmarks' box in pixels."""
    sure: Floats
    """(n, 2) how far upper and lower face can be believed, from 0 to 1 (see `spread`)."""
    eye_opening: Floats
    """(n, 2) lid distance over the eye's width ("eye aspect ratio")."""
    upper_lid: Floats
    """(n, 2) upper lid above the line through the eye's corners."""
    lower_lid: Floats
    """(n, 2) lower lid above (negative: below) that line."""
    brow_inner: Floats
    """(n, 2) inner end of the brow above the eye line."""
    brow_outer: Floats
    """(n, 2) outer part of the brow above the eye line."""
    brow_gap: Floats
    """Distance between the brows' inner ends."""
    furrow: Floats
    """Logarithm of the strength of the lines between the brows; NaN where not known."""
    mouth_width: Floats
    corner_rise: Floats
    """(n, 2) mouth corner above the middle of the upper lip."""
    corner_eye: Floats
    """(n, 2) mouth corner to outer eye corner."""
    corner_out: Floats
    """(n, 2) mouth corner's distance from the face's middle line."""
    mouth_gap: Floats
    """Distance between the lips' inner edges."""
    lip_red: Floats
    """Visible height of upper and lower lip together."""
    lip_forward: Floats
    """How far the lips stand out before the mouth corners."""
    chin_lip: Floats
    """Lower lip's edge to the base of the nose."""
    chin_drop: Floats
    """Chin to the base of the nose."""
    jaw_side: Floats
    """(n, 2) chin and mouth beside the bridge of the nose, to the subject's left."""
    nose_wing: Floats
    """(n, 2) nostril wing to inner eye corner."""
    gaze_across: Floats
    """Iris in the eye's width: positive to the subject's left, 0 in the middle."""
    gaze_up: Floats
    """Iris above the eye corners' line, in eye widths."""

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.times)

    @property
    def openness(self) -> Floats:
        """Mean eye opening of both sides."""
        return np.asarray(self.eye_opening.mean(axis=1))


def measure(
    times: Floats,
    pixels: Pixels,
    spread: Floats | None = None,
    furrow: Floats | None = None,
) -> Measures:
    """Measure (n, 478, 3) pixel landmarks seen at `times` seconds.

    x and y must share one scale: MediaPipe's normalised points times width and height.
    `spread` (n, 2) is how firmly they sit, `furrow` (n,) what is seen between the brows;
    without them the landmarks are believed, and the furrow is not known.
    """
    spread = np.zeros((len(pixels), 2)) if spread is None else spread
    furrow = np.full(len(pixels), np.nan) if furrow is None else furrow
    heads = find_heads(pixels)
    parts = [_measure_part(part, heads) for part in chunks(pixels)]
    found = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Measures(
        times=np.asarray(times, np.float64),
        yaw=heads.yaw,
        pitch=heads.pitch,
        roll=heads.roll,
        sure=sureness(spread, found.pop("misfit")),
        furrow=furrow,
        **found,
    )


def _measure_part(pixels: NDArray[np.float32], heads: Heads) -> dict[str, Floats]:
    """Return what is measured in some of the frames, whose landmarks are then let go."""
    flat = np.asarray(pixels[:, :468, :2], np.float64)
    low, high = flat.min(axis=1), flat.max(axis=1)
    points = straighten(pixels, heads.bones)
    return {
        "centre": (low + high) / 2,
        "size": np.asarray((high - low).max(axis=1)),
        "misfit": np.linalg.norm(points[:, list(RIGID)] - heads.bones, axis=2).mean(axis=1),
        **_eyes(points),
        **_brows(points),
        **_mouth(points),
        **_gaze(points),
    }


def _eyes(p: Floats) -> dict[str, Floats]:
    width = [_distance(p[:, s.eye_outer], p[:, s.eye_inner]) for s in SIDES]
    top = [p[:, list(s.lid_top)] for s in SIDES]
    bottom = [p[:, list(s.lid_bottom)] for s in SIDES]
    opening = [_distance(a, b).mean(axis=1) for a, b in zip(top, bottom, strict=True)]
    line = [p[:, [s.eye_outer, s.eye_inner], 1].mean(axis=1) for s in SIDES]
    return {
        "eye_opening": _pair(*(o / w for o, w in zip(opening, width, strict=True))),
        "upper_lid": _pair(*(t[..., 1].mean(axis=1) - y for t, y in zip(top, line, strict=True))),
        "lower_lid": _pair(
            *(b[..., 1].mean(axis=1) - y for b, y in zip(bottom, line, strict=True))
        ),
    }


def _brows(p: Floats) -> dict[str, Floats]:
    corners = [i for s in SIDES for i in (s.eye_outer, s.eye_inner)]
    line = p[:, corners, 1].mean(axis=1)
    inner = [p[:, list(s.brow_inner), 1].mean(axis=1) - line for s in SIDES]
    outer = [p[:, list(s.brow_outer), 1].mean(axis=1) - line for s in SIDES]
    ends = zip(RIGHT.brow_inner, LEFT.brow_inner, strict=True)
    gap = np.mean([_distance(p[:, r], p[:, m]) for r, m in ends], axis=0)
    return {"brow_inner": _pair(*inner), "brow_outer": _pair(*outer), "brow_gap": gap}


def _mouth(p: Floats) -> dict[str, Floats]:
    right, left = p[:, RIGHT.mouth_corner], p[:, LEFT.mouth_corner]
    upper, upper_in = _mid(p, marks.LIP_UPPER_OUTER), _mid(p, marks.LIP_UPPER_INNER)
    lower, lower_in = _mid(p, marks.LIP_LOWER_OUTER), _mid(p, marks.LIP_LOWER_INNER)
    nose = p[:, marks.SUBNASALE]
    lips = (upper + lower) / 2
    bridge = _mid(p, marks.BRIDGE)[:, 0]
    return {
        "mouth_width": _distance(right, left),
        "corner_rise": _pair(right[:, 1] - upper_in[:, 1], left[:, 1] - upper_in[:, 1]),
        "corner_eye": _pair(*(_distance(p[:, s.mouth_corner], p[:, s.eye_outer]) for s in SIDES)),
        "corner_out": _pair(nose[:, 0] - right[:, 0], left[:, 0] - nose[:, 0]),
        "mouth_gap": _distance(upper_in, lower_in),
        "lip_red": _distance(upper, upper_in) + _distance(lower, lower_in),
        "lip_forward": lips[:, 2] - (right[:, 2] + left[:, 2]) / 2,
        "chin_lip": _distance(lower, nose),
        "chin_drop": _distance(p[:, marks.CHIN], nose),
        "jaw_side": _pair(
            _mid(p, marks.CHIN_MIDDLE)[:, 0] - bridge, (right + left)[:, 0] / 2 - bridge
        ),
        "nose_wing": _pair(*(_distance(p[:, s.ala], p[:, s.eye_inner]) for s in SIDES)),
    }


def _gaze(p: Floats) -> dict[str, Floats]:
    """Where the irises stand in the eyes, mean of both."""
    across, up = [], []
    for side in SIDES:
        low, high = sorted((side.eye_outer, side.eye_inner), key=lambda i: _where(side, i))
        start, end = p[:, low, :2], p[:, high, :2]
        axis = end - start
        width = np.linalg.norm(axis, axis=1)
        offset = p[:, side.iris, :2] - (start + end) / 2
        across.append((offset * axis).sum(axis=1) / width**2)
        up.append((axis[:, 0] * offset[:, 1] - axis[:, 1] * offset[:, 0]) / width**2)
    return {"gaze_across": np.mean(across, axis=0), "gaze_up": np.mean(up, axis=0)}


def _where(side: Side, corner: int) -> int:
    """Order an eye's corners from the picture's left to its right."""
    outer_first = side is RIGHT
    return int((corner == side.eye_inner) == outer_first)


def _distance(a: Floats, b: Floats) -> Floats:
    return np.asarray(np.linalg.norm(a - b, axis=-1))


def _mid(points: Floats, which: tuple[int, ...]) -> Floats:
    return np.asarray(points[:, list(which)].mean(axis=1))


def _pair(right: Floats, left: Floats) -> Floats:
    return np.stack([right, left], axis=1)
