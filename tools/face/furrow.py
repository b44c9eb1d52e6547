"""The furrow between the brows, read from the picture.

When the corrugators draw the brows together (AU4), the skin between them folds into dark,
upright lines. A mesh hardly sees that: its brows move by a few hundredths of the eye
distance, no more than a turned head or shut eyes feign. The lines are measured in a patch
that follows the face: how fast brightness bends from left to right, relative to the
patch's own brightness. Compared with the same face at rest, clear frowns are two to four
times as strong, and other movements stay below 1.6 (measured by us).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from emer.tools.face.network import Image, Points

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
