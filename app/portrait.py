"""The portrait that the demo animates, and the points of its face.

It is the photograph of Rear Admiral Grace Hopper that matplotlib carries as sample data:
an official picture of the US Navy, in the public domain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emer.tools.errors import ToolMissing

SIDE = 512
"""Width and height of the crop, in pixels."""

TOP = 16
"""First row of the crop: the cap's crown keeps some sky above it."""

UPPER_LIDS = (246, 161, 160, 159, 158, 157, 173, 466, 388, 387, 386, 385, 384, 398)
LIDS_LIFT = 5.0
"""Pixels by which the mesh puts the lids behind these glasses too low; seen by eye."""

EYE_CORNERS = (33, 263)


@dataclass(frozen=True, slots=True)
class Portrait:
    """A still face: `pixels` uint8 (SIDE, SIDE, 3) RGB and `points` float64 (468, 2) in pixels.

    The points are MediaPipe's face mesh without the irises, in its own order.
    """

    pixels: NDArray[np.uint8]
    points: NDArray[np.float64]

    @property
    def unit(self) -> float:
        """The distance between the outer corners of the eyes, in pixels."""
        left, right = (self.points[corner] for corner in EYE_CORNERS)
        return float(np.hypot(*(right - left)))


def load_portrait() -> Portrait:
    """Return the portrait with its mesh; `ToolMissing` when a package lacks."""
    try:
        import mediapipe

        pixels = portrait_pixels()
    except ModuleNotFoundError as error:
        raise ToolMissing("demo", f"the package {error.name}", "pip install emer") from error
    return Portrait(pixels, _mesh(mediapipe, pixels))


def portrait_pixels() -> NDArray[np.uint8]:
    """Return the portrait alone, uint8 (SIDE, SIDE, 3) RGB."""
    from matplotlib.cbook import get_sample_data
    from matplotlib.image import imread

    file: Any = get_sample_data("grace_hopper.jpg")
    with file:
        whole = np.asarray(imread(file, format="jpg"), dtype=np.uint8)
    return np.ascontiguousarray(whole[TOP : TOP + SIDE, :SIDE])


def _mesh(mediapipe: Any, pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    solution = mediapipe.solutions.face_mesh
    with solution.FaceMesh(static_image_mode=True, refine_landmarks=True) as mesh:
        found = mesh.process(pixels).multi_face_landmarks
    if not found:
        raise RuntimeError("no face was found in the demo's portrait")
    points = np.array([(point.x * SIDE, point.y * SIDE) for point in found[0].landmark[:468]])
    points[list(UPPER_LIDS), 1] -= LIDS_LIFT
    return points
