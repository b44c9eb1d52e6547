"""MediaPipe's FaceLandmarker from a `.task` file: 478 landmarks and 52 blendshapes of a picture.

The same in mediapipe 0.10.21 and in 1.x, which brings no networks of its own.
"""

from __future__ import annotations

import zipfile
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emer.tools.face.landmarks import POINTS
from emer.tools.face.network import Image, Points
from emer.tools.imports import importing
from emer.tools.weights.locate import Need, loading

TOOL: Final = "blendshapes"
SHAPES: Final = "face_blendshapes.tflite"
PARTS: Final = ("face_detector.tflite", "face_landmarks_detector.tflite")


class Seen(NamedTuple):
    """One face in a picture."""

    points: Points
    """(478, 3) in pixels of the picture: x right, y down, z away from the camera."""
    shapes: dict[str, float]
    """The score of each blendshape by name, about 0 to 1; empty when it was not asked for."""


class Landmarker:
    """The networks of one file; not for two threads at once."""

    def __init__(self, need: Need, *, shapes: bool, faces: int = 1) -> None:
        """Load them. `WeightsBroken` for a file that is damaged, of another kind or incomplete."""
        with importing():
            import mediapipe
            from mediapipe.tasks.python import BaseOptions, vision
        with loading(TOOL, need):
            require_parts(need, (*PARTS, SHAPES) if shapes else PARTS)
            options = vision.FaceLandmarkerOptions(
                base_options=BaseOptions(model_asset_path=str(need.path)),
                output_face_blendshapes=shapes,
                num_faces=faces,
            )
            self._task: Any = vision.FaceLandmarker.create_from_options(options)
        self._picture: Any = mediapipe.Image
        self._format: Any = mediapipe.ImageFormat.SRGB

    def see(self, image: Image) -> list[Seen]:
        """Return the faces in the picture (RGB)."""
        whole = self._picture(image_format=self._format, data=np.ascontiguousarray(image))
        found = self._task.detect(whole)
        scale = np.array((image.shape[1], image.shape[0], image.shape[1]), np.float32)
        scores = found.face_blendshapes or [()] * len(found.face_landmarks)
        return [
            Seen(_points(marks) * scale, {c.category_name: float(c.score) for c in categories})
            for marks, categories in zip(found.face_landmarks, scores, strict=True)
            if len(marks) == POINTS
        ]

    def close(self) -> None:
        """Let the networks go."""
        self._task.close()


def require_parts(need: Need, wanted: tuple[str, ...]) -> None:
    """Raise `ValueError` unless the file is a whole bundle with these networks."""
    with zipfile.ZipFile(need.path) as bundle:
        names = {*bundle.namelist()}
        lacking = [name for name in wanted if name not in names]
        if lacking:
            told = "landmarks alone" if lacking == [SHAPES] else "no face landmarker"
            raise ValueError(f"a bundle without {', '.join(lacking)} ({told})")
        broken = bundle.testzip()
        if broken is not None:
            raise ValueError(f"{broken} in the bundle is damaged")


def _points(marks: Any) -> NDArray[np.float32]:
    return np.array([(mark.x, mark.y, mark.z) for mark in marks], np.float32)
