"""Finding and following faces with the FaceLandmarker alone: where mediapipe brings no networks.

mediapipe 1.x has neither the graphs nor the models of 0.10. Its FaceLandmarker detects a face
anew in each picture; here it is shown the upright square in which the face is expected.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from emer.tools.face.landmarker import Landmarker
from emer.tools.face.network import (
    MARGIN,
    SMALLEST_PICTURE,
    Found,
    Image,
    Points,
    Region,
    outline,
    tiles,
    without_doubles,
)
from emer.tools.face.upright import upright
from emer.tools.weights.locate import Need

LOOK_PX: Final = 320
"""Side of the square that the landmarker is shown."""
ROOM: Final = 1.8
"""Side of that square in face sizes, room for the detector to find the face in: it finds all
between 1.3 and 3.0 (measured by us on six clips)."""
OFF_CENTRE: Final = 0.3
"""How far from the square's middle, in its sides, a face may lie to be the one looked for."""
MOST: Final = 6


class LandmarkerNetworks:
    """The landmarker as `tracks.Look`; not thread-safe."""

    def __init__(self, need: Need) -> None:
        """Load the file twice: to look at one face, and for several."""
        self._one = Landmarker(need, shapes=False)
        self._many = Landmarker(need, shapes=False, faces=MOST)

    def mesh(self, image: Image, region: Region) -> Points | None:
        """Return the (478, 3) landmarks in pixels, or None when no face is in the region."""
        wider = region._replace(side=region.side * ROOM / MARGIN)
        square = upright(image, wider, LOOK_PX)
        for seen in self._one.see(square.picture):
            x, y = outline(seen.points).mean / LOOK_PX - 0.5
            if np.hypot(x, y) < OFF_CENTRE:
                return square.back(seen.points)
        return None

    def detect(self, image: Image, tiled: bool) -> list[Found]:
        """Return the faces in the picture; with `tiled`, also in four overlapping quarters."""
        if min(image.shape[:2]) < SMALLEST_PICTURE:
            return []
        found = self._detect_in(image, 0, 0)
        if tiled:
            for x0, y0, patch in tiles(image):
                found += self._detect_in(patch, x0, y0)
        return without_doubles(found)

    def is_face(self, image: Image, region: Region) -> bool:
        """Tell whether a face is detected in the region."""
        return self.mesh(image, region) is not None

    def _detect_in(self, image: Image, x0: int, y0: int) -> list[Found]:
        found = []
        for seen in self._many.see(image):
            box = outline(seen.points)
            found.append(Found(box.x + x0, box.y + y0, box.side, 1.0))
        return found

    def close(self) -> None:
        """Let the networks go."""
        self._one.close()
        self._many.close()
