"""Pose-free distances, landmark jitter, brow furrow.

How firmly the landmarks sit: how far they move when the network is asked again.

A network that sees a hand where it expects a mouth still returns a mouth, but another one
for each way of cutting out the face. So the face is cut out four more times, shifted,
scaled and turned a little; the spread of the answers is the network's own doubt. Seen
faces differ by 0.4-1.5 % of the eye distance (one pixel of the network's picture is
1.3 %), covered mouths by 2-4 %, profiles by 2-5 % (measured by us).

What is measured on a face without pose, frame by frame, in eye distances (IOD).

Each measure follows one muscle's visible work (Facial Action Coding System, Ekman,
Friesen & Hager 2002); which landmarks carry which unit follows OpenFace's and py-feat's
practice.

The furrow between the brows, read from the picture.

When the corrugators draw the brows together (AU4), the skin between them folds into dark,
upright lines. A mesh hardly sees that: its brows move by a few hundredths of the eye
distance, no more than a turned head or shut eyes feign. The lines are measured in a patch
that follows the face: how fast brightness bends from left to right, relative to the
patch's own brightness. Compared with the same face at rest, clear frowns are two to four
times as strong, and other movements stay below 1.6 (measured by us).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from emer.tools.face import landmarks as marks
from emer.tools.face.detector import Image, Points, Region, region_around
from emer.tools.face.head_pose import Floats, Heads, Pixels, chunks, find_heads, straighten
from emer.tools.face.landmarks import CHIN_MIDDLE, LEFT, LIPS, RIGHT, RIGID, SIDES, Side
from emer.tools.timeseries import ramp

CUTS: Final = (
    (0.05, 0.05, 0.95, 0.12),
    (-0.05, -0.05, 1.05, -0.12),
    (0.06, -0.04, 1.08, 0.10),
    (-0.06, 0.04, 0.93, -0.10),
)
"""Shift right and down in sides of the region, scale, and turn in radians."""
UPPER: Final = tuple(
    point
    for s in SIDES
    for point in (s.eye_outer, s.eye_inner, *s.lid_top, *s.lid_bottom, *s.brow_inner, *s.brow_outer)
)
LOWER: Final = (*LIPS, *(s.mouth_corner for s in SIDES), *CHIN_MIDDLE)
LOST: Final = 0.1
"""The spread noted where the network sees no face in a moved region."""
FIRM_UPPER, LOOSE_UPPER = 0.013, 0.022
FIRM_LOWER, LOOSE_LOWER = 0.017, 0.026
"""Spreads up to which landmarks count fully, and from which on not at all: a good pixel,
and two, of the network's picture (chosen by us; the chin's outline is always looser)."""
AGREED: Final = 0.75
"""Share of these spreads below which two answers settle it."""
FITS, MISFITS = 0.030, 0.040
"""Likewise for how far the bones' points are from where this person's bones are."""


class Mesh(Protocol):
    """What is asked again."""

    def mesh(self, image: Image, region: Region) -> Points | None:
        """Return the landmarks of the face in the region, or None."""
        ...


class Spread(NamedTuple):
    """Mean standard deviation of the landmarks over the cuts, in IOD."""

    time: float
    upper: float
    lower: float


def measure_spread(network: Mesh, image: Image, points: Points, time: float) -> Spread:
    """Return how far the landmarks of a face differ between moved regions.

    Two of them are enough where the answers agree well.
    """
    found, spread = [points], Spread(time, LOST, LOST)
    for count, cut in enumerate(CUTS, start=1):
        again = network.mesh(image, _moved(region_around(points), *cut))
        if again is None:
            return Spread(time, LOST, LOST)
        found.append(again)
        if count in (2, len(CUTS)):
            spread = _spread_of(np.array(found), time)
        if spread.upper < AGREED * FIRM_UPPER and spread.lower < AGREED * FIRM_LOWER:
            break
    return spread


def _moved(base: Region, right: float, down: float, scale: float, turn: float) -> Region:
    x, y = base.x + right * base.side, base.y + down * base.side
    return Region(x, y, base.side * scale, base.turn + turn)


def _spread_of(found: NDArray[np.float32], time: float) -> Spread:
    apart = np.linalg.norm(np.std(found[..., :2], axis=0), axis=1)
    apart = apart / max(float(np.linalg.norm(found[0, 33, :2] - found[0, 263, :2])), 1.0)
    return Spread(time, float(apart[list(UPPER)].mean()), float(apart[list(LOWER)].mean()))


def spread_at(times: Floats, found: list[Spread]) -> Floats:
    """Return the spread at each time, (n, 2) upper and lower: medians of three, joined."""
    if not found:
        return np.zeros((len(times), 2))
    seen = np.array(found)
    padded = np.pad(seen[:, 1:], ((1, 1), (0, 0)), mode="edge")
    level = np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0)
    columns = [np.interp(times, seen[:, 0], column) for column in level.T]
    return np.stack(columns, axis=1)


def sureness(spread: Floats, misfit: Floats) -> Floats:
    """Return how far upper and lower face can be believed, (n, 2), from 0 to 1."""
    upper = ramp(spread[:, 0], LOOSE_UPPER, FIRM_UPPER) * ramp(misfit, MISFITS, FITS)
    return np.stack([upper, ramp(spread[:, 1], LOOSE_LOWER, FIRM_LOWER)], axis=1)


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


PATCH: Final = (40, 34)
"""Width and height of the patch in its own pixels."""
STRONG: Final = round(0.9 * PATCH[0] * PATCH[1])
"""Rank of the point whose bend is taken: nine in ten of the patch are weaker."""
WIDE, HIGH = 0.26, 0.22
"""The same in eye distances: the room between the inner ends of the brows."""
LEAST_IOD_PX: Final = 45.0
"""Below this eye distance a fold is under a pixel wide (chosen by us)."""
BETWEEN_BROWS: Final = (9, 8)
FLOOR: Final = 0.02
"""The weakest lines told from a smooth, noisy patch."""


def furrow_of(image: Image, points: Points) -> float:
    """Return the logarithm of the lines' strength between the brows; NaN in a small face."""
    across = points[263, :2] - points[33, :2]
    iod = float(np.hypot(*across))
    if iod < LEAST_IOD_PX:
        return float("nan")
    patch = _patch(image, points[list(BETWEEN_BROWS), :2].mean(axis=0), across)
    bends = _bends(patch / (patch.mean() + 5.0)).ravel()
    strongest = np.partition(bends, STRONG)[STRONG]
    return float(np.log(max(float(strongest), FLOOR)))


def _patch(image: Image, centre: NDArray[np.float32], across: NDArray[np.float32]
           ) -> NDArray[np.float32]:  # fmt: skip
    """Return the grey patch around a point, turned with the line of the eyes."""
    import cv2

    right, down = across * WIDE / 2, np.array((-across[1], across[0])) * HIGH / 2
    corners = np.array([centre - right - down, centre + right - down, centre - right + down])
    width, height = PATCH
    goal = np.array([(0, 0), (width, 0), (0, height)], np.float32)
    turn = cv2.getAffineTransform(corners.astype(np.float32), goal)
    cut = cv2.warpAffine(image, turn, PATCH, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut.mean(axis=2), np.float32)


def _bends(patch: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the second derivative of brightness from left to right."""
    import cv2

    smooth = cv2.GaussianBlur(patch, (0, 0), 1.2)
    return np.asarray(cv2.Sobel(smooth, cv2.CV_32F, 2, 0, ksize=5), np.float32)
