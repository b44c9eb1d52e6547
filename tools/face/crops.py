"""Upright pictures of a face, kept in passing: what a model of expressions is shown.

They are cut while the face is followed, so that nobody decodes the clip a second time; of each
quarter of a second the sharpest stays.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emer.tools.face.network import Image, Points, Region
from emer.tools.face.upright import upright

SIDE: Final = 96
"""Pixels of a crop's side: twice what models trained on FER2013 (48 pixels) are shown."""
MARGIN: Final = 1.1
"""Side of the crop in sides of the landmarks' box, from hairline to chin (chosen by us)."""
KEPT_PER_S: Final = 4
TRIED_PER_S: Final = 12
"""Crops kept, and looked at, in a second (chosen by us: a display lasts 0.5-4 s)."""


class Crop(NamedTuple):
    """A face, its eyes level, in grey: (96, 96) uint8."""

    time: float
    picture: NDArray[np.uint8]
    sharpness: float
    """Fine detail against contrast; see `sharpness_of`."""


def keep(crops: list[Crop], time: float, image: Image, points: Points) -> None:
    """Look at the face when it is time to; keep it if it is its quarter second's sharpest."""
    if crops and time - crops[-1].time < 1.0 / TRIED_PER_S:
        return
    picture = cut_face(image, points)
    found = Crop(time, picture, sharpness_of(picture))
    if not crops or _slot(crops[-1].time) != _slot(time):
        crops.append(found)
    elif crops[-1].sharpness < found.sharpness:
        crops[-1] = found


def cut_face(image: Image, points: Points) -> NDArray[np.uint8]:
    """Return the face in grey, (96, 96), turned so that the eyes are level; edges are repeated."""
    import cv2

    across = points[263, :2] - points[33, :2]
    turn = float(np.arctan2(across[1], across[0]))
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    inside = points[:468, :2] @ axes.T
    low, high = inside.min(axis=0), inside.max(axis=0)
    x, y = axes.T @ ((low + high) / 2)
    region = Region(float(x), float(y), float((high - low).max()) * MARGIN, turn)
    cut = upright(image, region, SIDE).picture
    return np.asarray(cv2.cvtColor(cut, cv2.COLOR_RGB2GRAY), np.uint8)


def sharpness_of(picture: NDArray[np.uint8]) -> float:
    """Return the deviation of the Laplacian over that of the picture: 0 for a plain one."""
    import cv2

    fine = float(cv2.Laplacian(picture, cv2.CV_32F).std())
    return fine / (float(picture.std()) + 1.0)


def _slot(time: float) -> int:
    return int(time * KEPT_PER_S + 1e-6)
