"""Tell the camera's motion from the body's: the background's step, and what remains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emer.tools.scene.records import FaceBox, Grey, Rgb, Step

SIDE: Final = 192
"""Longer side in pixels of the pictures that motion is measured in."""
FEWEST_POINTS: Final = 12
LEAST_SUPPORT: Final = 0.5
FEWEST_CELLS: Final = 5
"""Of a 4 x 4 raster, cells that must hold points that agree."""
CHANGED: Final = 24
"""Grey levels (of 255) by which a pixel has changed."""

Mask = NDArray[np.uint8]


def grey_of(image: Rgb) -> Grey:
    """Return the picture in grey, its longer side at most SIDE pixels."""
    import cv2

    scale = min(1.0, SIDE / max(image.shape[:2]))
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def body_mask(shape: tuple[int, int], faces: Sequence[FaceBox]) -> Mask:
    """Return 255 where people are likely: each face, its hair and the body below it.

    The body is taken as three face widths wide from the chin down and the head as two.
    """
    mask = np.zeros(shape, dtype=np.uint8)
    height = shape[0]
    for face in faces:
        x, y = face.centre
        _fill(mask, height, (x - face.width, x + face.width), (y - 1.1 * face.height, 2.0))
        wide = 1.6 * face.width
        _fill(mask, height, (x - wide, x + wide), (face.bottom, 2.0))
    return mask


def _fill(mask: Mask, height: int, across: tuple[float, float], down: tuple[float, float]) -> None:
    left, right = (max(0, round(edge * height)) for edge in across)
    top, bottom = (max(0, round(edge * height)) for edge in down)
    mask[top:bottom, left:right] = 255


def camera_step(before: Grey, after: Grey, people: Mask) -> Step | None:
    """Return how the background moved between two grey pictures of one size.

    Corner points outside `people` are followed (Lucas and Kanade 1981) and a shift,
    turn and zoom fitted to them by RANSAC. None where too little background can be
    followed to say.
    """
    import cv2

    corners = cv2.goodFeaturesToTrack(before, 120, 0.02, 5, mask=255 - people)
    if corners is None or len(corners) < FEWEST_POINTS:
        return None
    moved, found, _ = cv2.calcOpticalFlowPyrLK(before, after, corners, None, winSize=(15, 15))
    back, found_back, _ = cv2.calcOpticalFlowPyrLK(after, before, moved, None, winSize=(15, 15))
    kept = (found & found_back).ravel().astype(bool)
    kept &= np.linalg.norm((back - corners).reshape(-1, 2), axis=1) < 1.0
    if kept.sum() < FEWEST_POINTS:
        return None
    model, agree = cv2.estimateAffinePartial2D(
        corners[kept], moved[kept], ransacReprojThreshold=1.0
    )
    if model is None or agree.mean() < LEAST_SUPPORT:
        return None
    if _cells(corners[kept][agree.ravel() > 0], before.shape) < FEWEST_CELLS:
        return None
    return _step(model, before.shape, float(agree.mean()))


def _cells(points: NDArray[np.float32], shape: tuple[int, ...]) -> int:
    """Return in how many cells of a 4 x 4 raster points lie: what moves may be one object."""
    places = points.reshape(-1, 2) * 4 / np.array([shape[1], shape[0]])
    return len({(int(x), int(y)) for x, y in places})


def _step(model: NDArray[np.float64], shape: tuple[int, ...], support: float) -> Step:
    """Return the shift of the picture's middle, and the zoom, of a similarity transform."""
    height, width = shape[:2]
    middle = np.array([width / 2, height / 2])
    dx, dy = (model[:, :2] @ middle + model[:, 2] - middle) / height
    zoom = float(np.hypot(model[0, 0], model[1, 0]))
    return Step(float(dx), float(dy), zoom, support)


def stir(before: Grey, after: Grey, people: Mask, step: Step | None) -> float | None:
    """Return the share of the people's region that changed, the camera's move taken out.

    None where there are no people or the camera's move is unknown.
    """
    import cv2

    inside = people > 0
    if step is None or not inside.any():
        return None
    height, width = before.shape
    shift = np.array(
        [
            [step.zoom, 0, (1 - step.zoom) * width / 2 + step.dx * height],
            [0, step.zoom, (1 - step.zoom) * height / 2 + step.dy * height],
        ]
    )
    held = cv2.warpAffine(before, shift, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return float((cv2.absdiff(held, after)[inside] > CHANGED).mean())
