"""What the tracker takes from whole pictures: a thumbnail, more light, colours around a face."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from emer.tools.face.network import Image, Points, region_around

DARK: Final = 60
"""Mean brightness (of 255) below which pictures are brightened before looking."""


def thumbnail(image: Image) -> NDArray[np.float32]:
    """Return the picture in grey at about 24 x 24 points, for comparing pictures."""
    rows, columns = (max(1, side // 24) for side in image.shape[:2])
    coarse = image[rows // 2 :: rows, columns // 2 :: columns].astype(np.float32)
    grey: NDArray[np.float32] = coarse.mean(axis=2)
    return grey


def brightened(image: Image, light: float) -> Image:
    """Return a dark picture with its tones stretched; others as they are.

    The stretch sets in gradually: a clip whose light wavers about the limit must not jump.
    """
    if light >= DARK:
        return image
    full = float(np.clip(np.log(100 / 255) / np.log(max(light, 2.0) / 255), 0.35, 1.0))
    gamma = 1.0 - (1.0 - full) * min((DARK - light) / (DARK / 3), 1.0)
    curve = (255 * (np.arange(256) / 255) ** gamma).astype(np.uint8)
    return curve[image]


def look_of(image: Image, points: Points) -> NDArray[np.float32]:
    """Return mean colours on a 5 x 5 grid around the face, shape (25, 3), brightness removed."""
    region = region_around(points)
    reach = region.side * 0.7
    xs = np.clip(np.linspace(region.x - reach, region.x + reach, 25), 0, image.shape[1] - 1)
    ys = np.clip(np.linspace(region.y - reach, region.y + reach, 25), 0, image.shape[0] - 1)
    patch = image[ys.astype(int)][:, xs.astype(int)].astype(np.float32)
    grid = patch.reshape(5, 5, 5, 5, 3).mean(axis=(1, 3)).reshape(25, 3)
    coloured: NDArray[np.float32] = grid / (grid.mean() + 1.0)
    return coloured
