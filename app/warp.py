"""Bends a still face along its mesh, so that chosen muscles seem to move.

Each movement pulls a few mesh points; the points around follow the less the further away
they are, and the picture is bent piecewise over the triangles between them. Distances are
in eye units: 1 is the distance between the outer corners of the eyes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emer.app.bend import Bend
from emer.app.paint import LID, MOUTH, fill
from emer.app.portrait import EYE_CORNERS, UPPER_LIDS, Portrait

Points = NDArray[np.float64]


class Pull(NamedTuple):
    """Mesh points and where they go: `out` from the face's middle line, `up` to the cap."""

    points: tuple[int, ...]
    out: float
    up: float
    reach: float
    """How far the pull is felt: the standard deviation of its Gaussian."""


LOWER_LIDS = (7, 163, 144, 145, 153, 154, 155, 249, 390, 373, 374, 380, 381, 382)
"""In the order of the upper ones above them."""
LID_CORNERS = (33, 133, 362, 263)
EYES = (*UPPER_LIDS, *LOWER_LIDS, *LID_CORNERS)
BROWS = (70, 63, 105, 66, 107, 300, 293, 334, 296, 336)
INNER_BROWS = (107, 55, 9, 336, 285)
RIMS = (46, 53, 52, 65, 55, 225, 224, 223, 222, 276, 283, 282, 295, 285, 445, 444, 443, 442)
"""The lower edge of the brows; in this portrait the upper rims of the glasses, which ride up
with them: FaceMesh takes the rims for part of the brows and would not see a raise without."""
CREASES = (247, 30, 29, 27, 28, 467, 260, 259, 257, 258)
NOSE = (168, 6, 197, 195, 5, 4, 2, 98, 327)
UPPER_LIP = (191, 80, 81, 82, 13, 312, 311, 310, 415)
LOWER_LIP = (95, 88, 178, 87, 14, 317, 402, 318, 324)
MOUTH_CORNERS = (78, 308)

PULLS: Mapping[str, tuple[Pull, ...]] = {
    "brows up": (
        Pull(BROWS, 0, 0.15, 0.05),
        Pull(INNER_BROWS, 0, 0.19, 0.05),
        Pull(RIMS, 0, 0.115, 0.04),
        Pull((151, 108, 337, 69, 104, 68, 299, 333, 298), 0, 0.08, 0.08),
        Pull((*EYES, 6, 197, 35, 124, 265, 353), 0, 0, 0.04),
    ),
    "smile": (
        Pull((61, 291), 0.10, 0.105, 0.07),
        Pull(MOUTH_CORNERS, 0.08, 0.085, 0.05),
        Pull((0, 17, 13, 14), 0, -0.005, 0.07),
        Pull((205, 425, 207, 427, 50, 280), 0.025, 0.065, 0.09),
        Pull(LOWER_LIDS, 0, 0.05, 0.03),
        Pull(UPPER_LIDS, 0, -0.03, 0.03),
        Pull((*LID_CORNERS, *NOSE, 152), 0, 0, 0.05),
    ),
}
"""The movements that are drawn with pulls. Their sizes are about those of a clear, ordinary
expression (FACS intensity C to D), chosen by us and looked at."""

JAW_DROP = 0.11
"""How far the lower lip goes down when the mouth opens, in eye units; chosen by us."""


class Warp:
    """Draws the portrait with its points moved."""

    def __init__(self, portrait: Portrait) -> None:
        """Work out once what each movement does to each point."""
        self._portrait = portrait
        self._still = np.vstack([portrait.points, _anchors(portrait)])
        self._bend = Bend(portrait.pixels, self._still)
        self._moves = {name: _displace(portrait, pulls) for name, pulls in PULLS.items()}
        self._moves |= {"blink": _blink(portrait), "jaw down": _drop(portrait)}

    def draw(self, levels: Mapping[str, float], sway: tuple[float, float] = (0.0, 0.0)) -> Points:
        """Return the picture, float64 (SIDE, SIDE, 3), with every movement at its level.

        `sway` shifts the whole head by so many pixels to the right and down.
        """
        moved = self._still.copy()
        face = len(self._portrait.points)
        for name, level in levels.items():
            moved[:face] += level * self._moves[name]
        moved += np.asarray(sway) * _headness(self._portrait, self._still)[:, None]
        picture = self._bend.draw(moved)
        picture = fill(picture, moved[[78, *UPPER_LIP, 308, *reversed(LOWER_LIP)]], MOUTH, 1.0)
        for lid in (UPPER_LIDS[:7], UPPER_LIDS[7:]):
            skin = np.vstack([self._still[list(lid)], moved[list(reversed(lid))]])
            picture = fill(picture, skin, LID, 0.7 * levels.get("blink", 0.0))
        return picture


def _displace(portrait: Portrait, pulls: tuple[Pull, ...]) -> Points:
    """Return where the pulls take each mesh point, in pixels: (468, 2).

    Nearer pulls count more; far from all of them a point stays where it is.
    """
    centres = np.concatenate([portrait.points[list(pull.points)] for pull in pulls])
    reach = np.concatenate([[pull.reach] * len(pull.points) for pull in pulls])
    shift = np.concatenate([_shift(portrait, pull) for pull in pulls])
    apart = np.linalg.norm(portrait.points[:, None] - centres, axis=2) / portrait.unit
    weight = np.exp(-0.5 * (apart / reach) ** 2) + 1e-12
    blended = (weight @ shift) / weight.sum(axis=1, keepdims=True)
    moved: Points = blended * weight.max(axis=1, keepdims=True) * portrait.unit
    return moved


def _shift(portrait: Portrait, pull: Pull) -> Points:
    middle = portrait.points[list(EYE_CORNERS), 0].mean()
    side = np.sign(portrait.points[list(pull.points), 0] - middle)
    return np.column_stack([pull.out * side, np.full(len(side), -pull.up)])


def _blink(portrait: Portrait) -> Points:
    """Return the displacement that lays each upper lid on the lower one: (468, 2)."""
    moved = np.zeros_like(portrait.points)
    upper, lower = (portrait.points[list(lids)] for lids in (UPPER_LIDS, LOWER_LIDS))
    moved[list(UPPER_LIDS)] = 0.97 * (lower - upper)
    moved[list(CREASES)] = (0, 0.07 * portrait.unit)
    return moved


def _drop(portrait: Portrait) -> Points:
    """Return the displacement that lowers the jaw and parts the lips: (468, 2)."""
    left, right = portrait.points[list(MOUTH_CORNERS)]
    across, down = ((portrait.points - (left + right) / 2) / portrait.unit).T
    below = down > 0.02
    below[list(UPPER_LIP)], below[list(LOWER_LIP)] = False, True
    amount = below * np.exp(-0.5 * (across / 0.2) ** 2) * JAW_DROP * portrait.unit
    return np.column_stack([np.zeros_like(amount), amount])


def _anchors(portrait: Portrait) -> Points:
    """Return points around the face that hold the rest of the picture: rings and the frame."""
    middle, side = portrait.points.mean(axis=0), len(portrait.pixels) - 1
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    circle = np.column_stack([np.cos(turn), np.sin(turn)])
    rings = [middle + circle * portrait.unit * size * (1.0, 1.15) for size in (1.05, 1.35)]
    edge = np.linspace(0, side, 9)
    frame = [(x, y) for x in edge for y in edge if {x, y} & {0, side}]
    return np.vstack([*rings, frame])


def _headness(portrait: Portrait, points: Points) -> NDArray[np.float64]:
    """Return how much each point belongs to the head, from 1 on the face to 0 far away."""
    middle = portrait.points.mean(axis=0)
    far = np.linalg.norm((points - middle) / (1.0, 1.15), axis=1) / portrait.unit
    share: NDArray[np.float64] = np.clip((1.6 - far) / 0.5, 0, 1)
    return share
