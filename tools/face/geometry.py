"""Face geometry free of pose, landmark jitter, and the furrow between the brows.

Measures are distances in units of the distance of the outer eye corners (IOD), one row per
frame. Each follows one muscle's visible work (Facial Action Coding System, Ekman, Friesen &
Hager 2002); which landmarks carry which unit follows OpenFace's and py-feat's practice.

Jitter: a network that sees a hand where it expects a mouth still returns a mouth, but another
one for each way of cutting out the face. So the face is cut out up to four more times, and the
spread of the answers is the network's own doubt. Visible faces differ by 0.4-1.5 % of the IOD
(one pixel of its input is 1.3 %), covered mouths by 2-4 %, profiles by 2-5 % (measured by us).

Furrow: when the corrugators draw the brows together (AU4), the skin between them folds into
dark, upright lines, while the mesh's brows move no more than a turned head or shut eyes feign.
Measured is the second derivative of brightness from left to right in a patch that follows the
face, relative to the patch's own brightness. Against the same face at rest, clear frowns are two
to four times as strong, and other movements stay below 1.6 (measured by us).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emer.tools.face.detector import Image, Networks, Points, Region, region_around
from emer.tools.face.head_pose import RIGID, Heads, Pixels, chunks, find_heads, straighten
from emer.tools.timeseries import Floats, median_of_three, ramp

EYE_OUTER: Final = [33, 263]
EYE_INNER: Final = [133, 362]
LID_TOP: Final = [[160, 159, 158], [387, 386, 385]]
LID_BOTTOM: Final = [[144, 145, 153], [373, 374, 380]]
BROW_INNER: Final = [[107, 55], [336, 285]]
BROW_OUTER: Final = [[70, 63], [300, 293]]
IRIS: Final = [468, 473]
MOUTH_CORNER: Final = [61, 291]
"""Landmarks of MediaPipe's canonical face model, the subject's right side first,
which a camera shows on the left of the picture."""
SUBNASALE: Final = 2
CHIN: Final = 152
CHIN_MIDDLE: Final = (152, 199, 175)
BRIDGE: Final = (168, 6, 197)
"""Bridge of the nose: what the jaw's way to a side is measured from."""
LIP_UPPER_OUTER: Final = (0, 37, 267)
LIP_UPPER_INNER: Final = (13, 82, 312)
LIP_LOWER_INNER: Final = (14, 87, 317)
LIP_LOWER_OUTER: Final = (17, 84, 314)
LIPS: Final = (*LIP_UPPER_OUTER, *LIP_UPPER_INNER, *LIP_LOWER_INNER, *LIP_LOWER_OUTER)

CUTS: Final = (
    (0.05, 0.05, 0.95, 0.12),
    (-0.05, -0.05, 1.05, -0.12),
    (0.06, -0.04, 1.08, 0.10),
    (-0.06, 0.04, 0.93, -0.10),
)
"""Shift right and down in sides of the region, scale, and turn in radians."""
UPPER: Final = [
    point
    for outer, inner, *groups in zip(
        EYE_OUTER, EYE_INNER, LID_TOP, LID_BOTTOM, BROW_INNER, BROW_OUTER, strict=True
    )
    for point in (outer, inner, *chain(*groups))
]
LOWER: Final = [*LIPS, *MOUTH_CORNER, *CHIN_MIDDLE]
LOST: Final = 0.1
"""Spread where the network sees no face in a moved region."""
FIRM_UPPER, LOOSE_UPPER = 0.013, 0.022
FIRM_LOWER, LOOSE_LOWER = 0.017, 0.026
"""Spreads up to which landmarks count fully, and from which on not at all: a good
pixel, and two, of the network's picture (chosen by us; the chin's outline is always looser)."""
AGREED: Final = 0.75
"""Share of these spreads below which two answers are enough."""
FITS, MISFITS = 0.030, 0.040
"""Likewise for how far the bones' points are from where this person's bones are."""


class Spread(NamedTuple):
    """Mean standard deviation of the landmarks over the cuts, in IOD."""

    time: float
    upper: float
    lower: float


@dataclass(frozen=True, slots=True)
class Measures:
    """One row per frame; two columns, the subject's right and left, for paired parts."""

    times: Floats
    yaw: Floats
    pitch: Floats
    roll: Floats
    centre: Floats
    """(n, 2) middle of the face in pixels."""
    size: Floats
    """Side of the landmarks' box in pixels."""
    sure: Floats
    """(n, 2) confidence in upper and lower face, from 0 to 1 (see `sureness`)."""
    eye_opening: Floats
    """(n, 2) lid distance over the eye's width ("eye aspect ratio")."""
    upper_lid: Floats
    """(n, 2) upper lid above the line through the eye's corners."""
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
    gaze_across: Floats
    """Iris in the eye's width: positive to the subject's left, 0 in the middle."""
    gaze_up: Floats
    """Iris above the eye corners' line, in eye widths."""

    def __len__(self) -> int:
        """The number of frames."""
        return len(self.times)

    @property
    def openness(self) -> Floats:
        """Mean eye opening of both sides."""
        return np.asarray(self.eye_opening.mean(axis=1))


def measure(
    times: Floats, pixels: Pixels, spread: Floats | None = None, furrow: Floats | None = None
) -> Measures:
    """Measure (n, 478, 3) pixel landmarks seen at `times` seconds.

    Args:
        times: Seconds, one per frame.
        pixels: x and y share one scale: MediaPipe's normalised points times width and height.
        spread: Landmark jitter (n, 2), see `spread_at`; without it the landmarks are trusted.
        furrow: Strength of the furrow (n,), see `furrow_of`; NaN without it.
    """
    spread = np.zeros((len(pixels), 2)) if spread is None else spread
    furrow = np.full(len(pixels), np.nan) if furrow is None else furrow
    heads = find_heads(pixels)
    parts = [_measure_part(part, heads) for part in chunks(pixels)]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Measures(
        times=np.asarray(times, np.float64),
        yaw=heads.yaw,
        pitch=heads.pitch,
        roll=heads.roll,
        sure=sureness(spread, columns.pop("misfit")),
        furrow=furrow,
        **columns,
    )


def _measure_part(pixels: NDArray[np.float32], heads: Heads) -> dict[str, Floats]:
    flat = np.asarray(pixels[:, :468, :2], np.float64)
    low, high = flat.min(axis=1), flat.max(axis=1)
    points = straighten(pixels, heads.bones)
    return {
        "centre": (low + high) / 2,
        "size": np.asarray((high - low).max(axis=1)),
        "misfit": np.linalg.norm(points[:, list(RIGID)] - heads.bones, axis=2).mean(axis=1),
        **_eyes_and_brows(points),
        **_mouth(points),
        **_gaze(points),
    }


def _eyes_and_brows(p: Floats) -> dict[str, Floats]:
    width = _distance(p[:, EYE_OUTER], p[:, EYE_INNER])
    opening = _distance(p[:, LID_TOP], p[:, LID_BOTTOM]).mean(axis=-1)
    each_line = (p[:, EYE_OUTER, 1] + p[:, EYE_INNER, 1]) / 2
    corners = [i for pair in zip(EYE_OUTER, EYE_INNER, strict=True) for i in pair]
    line = p[:, corners, 1].mean(axis=1, keepdims=True)
    right, left = (p[:, ends] for ends in BROW_INNER)
    return {
        "eye_opening": opening / width,
        "upper_lid": p[:, LID_TOP, 1].mean(axis=-1) - each_line,
        "brow_inner": p[:, BROW_INNER, 1].mean(axis=-1) - line,
        "brow_outer": p[:, BROW_OUTER, 1].mean(axis=-1) - line,
        "brow_gap": _distance(right, left).mean(axis=1),
    }


def _mouth(p: Floats) -> dict[str, Floats]:
    right, left = (p[:, corner] for corner in MOUTH_CORNER)
    upper, upper_in = _mid(p, LIP_UPPER_OUTER), _mid(p, LIP_UPPER_INNER)
    lower, lower_in = _mid(p, LIP_LOWER_OUTER), _mid(p, LIP_LOWER_INNER)
    nose = p[:, SUBNASALE]
    lips = (upper + lower) / 2
    bridge, chin = _mid(p, BRIDGE)[:, 0], _mid(p, CHIN_MIDDLE)[:, 0]
    return {
        "mouth_width": _distance(right, left),
        "corner_rise": np.stack([right[:, 1], left[:, 1]], axis=1) - upper_in[:, 1:2],
        "corner_eye": _distance(p[:, MOUTH_CORNER], p[:, EYE_OUTER]),
        "mouth_gap": _distance(upper_in, lower_in),
        "lip_red": _distance(upper, upper_in) + _distance(lower, lower_in),
        "lip_forward": lips[:, 2] - (right[:, 2] + left[:, 2]) / 2,
        "chin_lip": _distance(lower, nose),
        "chin_drop": _distance(p[:, CHIN], nose),
        "jaw_side": np.stack([chin - bridge, (right + left)[:, 0] / 2 - bridge], axis=1),
    }


def _gaze(p: Floats) -> dict[str, Floats]:
    across, up = [], []
    # each eye's corners from the picture's left to its right
    eyes = ((EYE_OUTER[0], EYE_INNER[0], IRIS[0]), (EYE_INNER[1], EYE_OUTER[1], IRIS[1]))
    for first, second, iris in eyes:
        start, end = p[:, first, :2], p[:, second, :2]
        axis = end - start
        width = np.linalg.norm(axis, axis=1)
        offset = p[:, iris, :2] - (start + end) / 2
        across.append((offset * axis).sum(axis=1) / width**2)
        up.append((axis[:, 0] * offset[:, 1] - axis[:, 1] * offset[:, 0]) / width**2)
    return {"gaze_across": np.mean(across, axis=0), "gaze_up": np.mean(up, axis=0)}


def _distance(a: Floats, b: Floats) -> Floats:
    return np.asarray(np.linalg.norm(a - b, axis=-1))


def _mid(points: Floats, which: tuple[int, ...]) -> Floats:
    return np.asarray(points[:, list(which)].mean(axis=1))


def measure_spread(networks: Networks, image: Image, points: Points, time: float) -> Spread:
    """The landmarks' jitter between moved regions, of two only where these agree well."""
    base, iod = region_around(points), float(np.linalg.norm(points[33, :2] - points[263, :2]))
    answers, spread = [points], Spread(time, LOST, LOST)
    for right, down, scale, turn in CUTS:
        x, y = base.x + right * base.side, base.y + down * base.side
        answer = networks.mesh(image, Region(x, y, base.side * scale, base.turn + turn))
        if answer is None:
            return Spread(time, LOST, LOST)
        answers.append(answer)
        if len(answers) in (3, 1 + len(CUTS)):
            apart = np.linalg.norm(np.std(np.array(answers)[..., :2], axis=0), axis=1)
            apart = apart / max(iod, 1.0)
            spread = Spread(time, float(apart[UPPER].mean()), float(apart[LOWER].mean()))
        if spread.upper < AGREED * FIRM_UPPER and spread.lower < AGREED * FIRM_LOWER:
            break
    return spread


def spread_at(times: Floats, spreads: list[Spread]) -> Floats:
    """The jitter at each time, (n, 2) upper and lower: interpolated medians of three."""
    if not spreads:
        return np.zeros((len(times), 2))
    rows = np.array(spreads)
    levels = (median_of_three(column.tolist()) for column in rows[:, 1:].T)
    return np.stack([np.interp(times, rows[:, 0], level) for level in levels], axis=1)


def sureness(spread: Floats, misfit: Floats) -> Floats:
    """Confidence in upper and lower face, (n, 2), from 0 to 1."""
    upper = ramp(spread[:, 0], LOOSE_UPPER, FIRM_UPPER) * ramp(misfit, MISFITS, FITS)
    return np.stack([upper, ramp(spread[:, 1], LOOSE_LOWER, FIRM_LOWER)], axis=1)


PATCH: Final = (40, 34)
"""Width and height of the patch in its own pixels."""
STRONG: Final = round(0.9 * PATCH[0] * PATCH[1])
"""Rank of the point whose second derivative counts: nine in ten are weaker."""
WIDE, HIGH = 0.26, 0.22
"""The same in eye distances: the room between the inner ends of the brows."""
LEAST_IOD_PX: Final = 45.0
"""Below this eye distance a fold is under a pixel wide (chosen by us)."""
BETWEEN_BROWS: Final = (9, 8)
FLOOR: Final = 0.02
"""The weakest lines that differ from a smooth, noisy patch."""


def furrow_of(image: Image, points: Points) -> float:
    """Logarithm of the strength of the lines between the brows; NaN in a small face."""
    import cv2

    across = points[263, :2] - points[33, :2]
    iod = float(np.hypot(*across))
    if iod < LEAST_IOD_PX:
        return float("nan")
    centre = points[list(BETWEEN_BROWS), :2].mean(axis=0)
    right, down = across * WIDE / 2, np.array((-across[1], across[0])) * HIGH / 2
    corners = np.array([centre - right - down, centre + right - down, centre - right + down])
    width, height = PATCH
    goal = np.array([(0, 0), (width, 0), (0, height)], np.float32)
    turn = cv2.getAffineTransform(corners.astype(np.float32), goal)
    cut = cv2.warpAffine(image, turn, PATCH, borderMode=cv2.BORDER_REPLICATE)
    patch = np.asarray(cut.mean(axis=2), np.float32)
    smooth = cv2.GaussianBlur(patch / (patch.mean() + 5.0), (0, 0), 1.2)
    bends = np.asarray(cv2.Sobel(smooth, cv2.CV_32F, 2, 0, ksize=5), np.float32)
    strongest = np.partition(bends.ravel(), STRONG)[STRONG]
    return float(np.log(max(float(strongest), FLOOR)))
