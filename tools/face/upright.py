"""A turned square of a picture, set upright and scaled: what a network is shown of a face."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emer.tools.face.network import Image, Points, Region


class Upright(NamedTuple):
    """The square in pixels of its own, and the way there."""

    picture: Image
    matrix: NDArray[np.float64]
    """(2, 3), from the whole picture's pixels to the square's."""

    def back(self, points: Points) -> Points:
        """Return points (n, 3) of the square in the whole picture's pixels, z scaled likewise."""
        turn = self.matrix[:, :2]
        scale = float(np.sqrt(abs(np.linalg.det(turn))))
        flat = (points[:, :2] - self.matrix[:, 2]) @ np.linalg.inv(turn).T
        return np.column_stack([flat, points[:, 2] / scale]).astype(np.float32)


def upright(image: Image, region: Region, side: int) -> Upright:
    """Return the region at `side` x `side` pixels; what lies beyond the picture repeats its edge.

    A region much larger than that is shrunk by averages first, so that no detail is made up.
    """
    import cv2

    turn = np.array(
        [[np.cos(region.turn), np.sin(region.turn)], [-np.sin(region.turn), np.cos(region.turn)]]
    )
    x0, y0, patch = _around(image, region)
    shrunk = max(1, int(region.side // (2 * side)))
    if shrunk > 1:
        size = (max(1, patch.shape[1] // shrunk), max(1, patch.shape[0] // shrunk))
        patch = cv2.resize(patch, size, interpolation=cv2.INTER_AREA)
    scale = side / max(region.side, 1.0)
    offset = side / 2 - scale * turn @ (region.x, region.y)
    inside = scale * turn @ (x0, y0) + offset
    matrix = np.column_stack([scale * shrunk * turn, inside])
    picture = cv2.warpAffine(patch, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)
    return Upright(np.asarray(picture, np.uint8), np.column_stack([scale * turn, offset]))


def _around(image: Image, region: Region) -> tuple[int, int, Image]:
    """Return the part of the picture that the turned square can touch, and its corner."""
    height, width = image.shape[:2]
    reach = region.side * 0.75
    x0 = int(np.clip(region.x - reach, 0, width - 2))
    y0 = int(np.clip(region.y - reach, 0, height - 2))
    x1 = int(np.clip(region.x + reach, x0 + 2, width))
    y1 = int(np.clip(region.y + reach, y0 + 2, height))
    return x0, y0, np.ascontiguousarray(image[y0:y1, x0:x1])
