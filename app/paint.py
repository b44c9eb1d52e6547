"""Fills in what no bending of a still picture can show: the open mouth and the closed lid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float64]
Colour = tuple[float, float, float]

MOUTH: Colour = (52.0, 20.0, 22.0)
"""The colour between parted lips, RGB; chosen by us."""

LID: Colour = (200.0, 128.0, 98.0)
"""The colour of the skin above the eyes in the portrait, RGB."""

_FINE = 16
"""Steps per pixel in which OpenCV draws an outline (its `shift` of 4)."""


def fill(
    picture: Picture, outline: NDArray[np.float64], colour: Colour, strength: float
) -> Picture:
    """Return the picture with the outline, (n, 2) in pixels, filled softly.

    `strength` runs from 0, as it was, to 1, the colour alone.
    """
    import cv2

    if strength <= 0:
        return picture
    inside = np.zeros(picture.shape[:2], dtype=np.float32)
    points = np.round(outline * _FINE).astype(np.int32)
    cv2.fillPoly(inside, [points], 1.0, cv2.LINE_8, 4)
    share = strength * cv2.GaussianBlur(inside, (0, 0), 1.0)[..., None]
    filled: Picture = picture * (1 - share) + np.asarray(colour) * share
    return filled
