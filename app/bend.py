"""Bends a picture over triangles: each carries its part of the picture where its corners go."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Picture = NDArray[np.float64]

STEP = 2
"""Pixels between the places at which the bending is worked out."""

_FINE = 4
"""Binary places of a pixel with which OpenCV draws a triangle."""


class Bend:
    """A picture, points in it, and the triangles between them (Delaunay's)."""

    def __init__(self, pixels: NDArray[np.uint8], still: Points) -> None:
        """Take the picture, uint8 (side, side, 3), and the points, (n, 2) in pixels."""
        from scipy.spatial import Delaunay

        self._pixels = pixels.astype(np.float32)
        self._still = still
        self._triangles = np.sort(Delaunay(still).simplices, axis=1)
        across, down = np.meshgrid(*2 * [np.arange(len(pixels), dtype=np.float32)])
        self._grid = np.stack([across, down], axis=2)

    def draw(self, moved: Points) -> Picture:
        """Return the picture, float64, with the points at `moved`."""
        import cv2

        side = len(self._pixels)
        coarse = cv2.GaussianBlur(self._offsets(moved), (0, 0), 0.8)
        fine = cv2.resize(coarse, None, fx=STEP, fy=STEP, interpolation=cv2.INTER_LINEAR)
        bent = cv2.remap(self._pixels, self._grid + fine[:side, :side], None, cv2.INTER_CUBIC)
        return np.asarray(bent, dtype=np.float64)

    def _offsets(self, moved: Points) -> NDArray[np.float32]:
        """Return how far from each place its colour comes, every STEP pixels: (m, m, 2)."""
        owner = self._owners(moved)
        places = np.arange(len(owner), dtype=np.float64) * STEP
        grid = np.stack(np.meshgrid(places, places), axis=2)
        corners, shifts = moved[self._triangles], (self._still - moved)[self._triangles]
        offsets = (_weights(grid, corners, owner)[..., None] * shifts[owner]).sum(axis=2)
        return np.asarray(offsets, dtype=np.float32)

    def _owners(self, moved: Points) -> NDArray[np.int32]:
        """Return which triangle covers each place: (m, m)."""
        import cv2

        size = len(self._pixels) // STEP + 1
        owner = np.zeros((size, size), dtype=np.int32)
        drawn = np.round(moved[self._triangles] / STEP * 2**_FINE).astype(np.int32)
        for number, triangle in enumerate(drawn):
            cv2.fillConvexPoly(owner, triangle, number, cv2.LINE_8, _FINE)
        return owner


def _weights(grid: Points, corners: Points, owner: NDArray[np.int32]) -> Points:
    """Return how much each corner of its triangle counts for each place: (m, m, 3).

    Barycentric coordinates, held between 0 and 1: a triangle is drawn with its rim, and a
    thin one must not reach further than its corners.
    """
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]
    safe = np.where(np.abs(area) < 1e-6, np.inf, area)[owner]
    x, y = np.moveaxis(grid - corners[owner, 0], 2, 0)
    (ax, ay), (bx, by) = one[owner].T, two[owner].T
    second = np.clip((x * by.T - y * bx.T) / safe, 0, 1)
    third = np.clip((y * ax.T - x * ay.T) / safe, 0, 1)
    over = np.maximum(second + third, 1)
    return np.stack([1 - (second + third) / over, second / over, third / over], axis=2)
