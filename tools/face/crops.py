"""Upright pictures of a face, kept in passing: what a model of expressions is shown.

They are cut while the face is followed, so that nobody decodes the clip a second time; of each
quarter of a second the sharpest stays.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emer.tools.face.network import Image, Points

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
    across = across / max(float(np.hypot(*across)), 1e-6)
    turn = np.array([[across[0], across[1]], [-across[1], across[0]]])
    inside = points[:468, :2] @ turn.T
    low, high = inside.min(axis=0), inside.max(axis=0)
    side = max(float((high - low).max()) * MARGIN, 1.0)
    x0, y0, patch = _around(image, turn.T @ ((low + high) / 2), side)
    shrunk = max(1, int(side // (2 * SIDE)))
    grey = cv2.cvtColor(patch, cv2.COLOR_RGB2GRAY)
    if shrunk > 1:
        size = (max(1, grey.shape[1] // shrunk), max(1, grey.shape[0] // shrunk))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    scale = SIDE * shrunk / side
    middle = turn @ ((turn.T @ ((low + high) / 2) - (x0, y0)) / shrunk)
    matrix = np.column_stack([scale * turn, SIDE / 2 - scale * middle])
    cut = cv2.warpAffine(grey, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut, np.uint8)


def sharpness_of(picture: NDArray[np.uint8]) -> float:
    """Return the deviation of the Laplacian over that of the picture: 0 for a plain one."""
    import cv2

    fine = float(cv2.Laplacian(picture, cv2.CV_32F).std())
    return fine / (float(picture.std()) + 1.0)


def _slot(time: float) -> int:
    return int(time * KEPT_PER_S + 1e-6)


def _around(image: Image, middle: NDArray[np.float64], side: float) -> tuple[int, int, Image]:
    """Return the part of the picture that the turned square can touch, and its corner."""
    height, width = image.shape[:2]
    reach = side * 0.75
    x0 = int(np.clip(middle[0] - reach, 0, width - 2))
    y0 = int(np.clip(middle[1] - reach, 0, height - 2))
    x1 = int(np.clip(middle[0] + reach, x0 + 2, width))
    y1 = int(np.clip(middle[1] + reach, y0 + 2, height))
    return x0, y0, np.ascontiguousarray(image[y0:y1, x0:x1])
