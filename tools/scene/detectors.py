"""Faces, hands, bodies and their detectors: MediaPipe 0.10.21, models included.

All places are in picture heights from the top left corner (x right, y down), so that a
distance means the same along both axes.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emer.tools.errors import ToolMissing
from emer.tools.media.decoder import Rgb
from emer.tools.runtime.native import importing

Points = NDArray[np.float32]

FACE_SCORE: Final = 0.5
HAND_SCORE: Final = 0.5
"""Least scores of a detection; persistence is judged later (people, gestures)."""
SURE_FACE: Final = 0.85
"""Faces detected with less are checked by the other detector."""
AGREED_SCORE: Final = 0.6
SHORT_RANGE_GROWTH: Final = 1.12
"""Factor by which the short-range detector's boxes are smaller than the other's."""
_HANDS: Final = ("multi_hand_landmarks", "multi_hand_world_landmarks", "multi_handedness")
_LEAST_HANDS: Final = {
    "palmdetectioncpu__TensorsToDetectionsCalculator.min_score_thresh": HAND_SCORE,
    "handlandmarkcpu__ThresholdingCalculator.threshold": 0.5,
}
_LEAST_POSE: Final = {
    "posedetectioncpu__TensorsToDetectionsCalculator.min_score_thresh": 0.6,
    "poselandmarkbyroicpu__tensorstoposelandmarksandsegmentation"
    "__ThresholdingCalculator.threshold": 0.5,
}
"""Least scores of MediaPipe's calculators to detect and follow hands and bodies."""


@dataclass(frozen=True, slots=True)
class FaceBox:
    """A detected face: its box from the brows to the chin, and six points in it."""

    x: float
    y: float
    width: float
    height: float
    score: float
    points: Points
    """Right eye, left eye, nose tip, mouth, right ear, left ear; shape (6, 2)."""

    @property
    def centre(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2

    @property
    def bottom(self) -> float:
        """The box's lower edge, at the chin."""
        return self.y + self.height

    @property
    def mouth(self) -> tuple[float, float]:
        return float(self.points[3, 0]), float(self.points[3, 1])


@dataclass(frozen=True, slots=True)
class Hand:
    """A detected hand."""

    points: Points
    """MediaPipe's 21 hand landmarks, shape (21, 2)."""
    world: Points
    """The same landmarks in metres around the hand's middle, shape (21, 3)."""
    score: float

    @property
    def centre(self) -> tuple[float, float]:
        """The mean of the landmarks."""
        x, y = self.points.mean(axis=0)
        return float(x), float(y)

    @property
    def size(self) -> float:
        """The longer side of the landmarks' box."""
        return float(np.ptp(self.points, axis=0).max())


@dataclass(frozen=True, slots=True)
class Pose:
    """A body's 33 BlazePose landmarks."""

    points: Points
    """Shape (33, 2)."""
    visibility: Points
    """How likely each landmark is in the picture and not hidden, shape (33,)."""


class Faces:
    """MediaPipe's two face detectors; for one picture at a time."""

    def __init__(self, tool: str = "camera") -> None:
        """Load the models; `ToolMissing` names the tool that lacks them."""
        try:
            with importing():
                from emer.tools.runtime.mediapipe import face_detector
        except ModuleNotFoundError as error:
            raise ToolMissing(
                tool, "the package mediapipe", "pip install mediapipe==0.10.21"
            ) from error
        self._far, self._close = (face_detector(near, FACE_SCORE) for near in (False, True))
        for graph in (self._far, self._close):
            weakref.finalize(self, graph.close)

    def __call__(self, image: Rgb) -> tuple[FaceBox, ...]:
        """The faces in the picture: far and near ones, else very near ones."""
        found = [_face(d, image, 1.0) for d in self._far.run(image).get("detections", ())]
        real = tuple(face for face in found if face.score >= SURE_FACE or self._agrees(face, image))
        if real:
            return real
        near = self._close.run(image).get("detections", ())
        return tuple(_face(d, image, SHORT_RANGE_GROWTH) for d in near)

    def largest(self, image: Rgb) -> float:
        """Height of the largest face in heights of the picture, 0 without one."""
        return max((face.height for face in self(image)), default=0.0)

    def _agrees(self, face: FaceBox, image: Rgb) -> bool:
        (x, y), reach = face.centre, face.height
        edges = x - reach, x + reach, y - reach, y + reach
        left, right, top, bottom = (max(0, round(edge * image.shape[0])) for edge in edges)
        part = np.ascontiguousarray(image[top:bottom, left:right])
        found = self._close.run(part).get("detections", ()) if part.size else ()
        return any(detection.score[0] >= AGREED_SCORE for detection in found)


class Networks:
    """MediaPipe graphs, for one pass at a time; `forget` between two passes.

    Reused between clips: making graphs anew for each costs time and scatters memory.
    """

    def __init__(self) -> None:
        """Load the models, which takes about 0.2 s."""
        self.faces = Faces()
        from emer.tools.runtime.mediapipe import Graph

        self._hands = Graph(
            "hand_landmark/hand_landmark_tracking_cpu.binarypb",
            _HANDS,
            side_inputs={"model_complexity": 0, "num_hands": 2, "use_prev_landmarks": True},
            calculator_params=_LEAST_HANDS,
        )
        self._pose = Graph(
            "pose_landmark/pose_landmark_cpu.binarypb",
            ["pose_landmarks"],
            side_inputs={
                "model_complexity": 1,
                "smooth_landmarks": False,
                "enable_segmentation": False,
                "smooth_segmentation": True,
                "use_prev_landmarks": True,
            },
            calculator_params=_LEAST_POSE,
        )
        for graph in (self._hands, self._pose):
            weakref.finalize(self, graph.close)

    def forget(self) -> None:
        """Stop following hands and bodies: the shot, or the clip, has changed."""
        self._hands.clear()
        self._pose.clear()

    def hands(self, image: Rgb) -> tuple[Hand, ...]:
        """At most two hands, followed from the picture before."""
        found = self._hands.run(image)
        rows = zip(*(found.get(name, ()) for name in _HANDS), strict=True)
        return tuple(
            Hand(
                _in_heights(flat.landmark, image),
                self._hands.points(solid),
                side.classification[0].score,
            )
            for flat, solid, side in rows
        )

    def pose(self, image: Rgb) -> Pose | None:
        """The most prominent body's landmarks, followed from the picture before."""
        found = self._pose.run(image).get("pose_landmarks")
        if found is None:
            return None
        visibility = np.array([point.visibility for point in found.landmark], dtype=np.float32)
        return Pose(_in_heights(found.landmark, image), visibility)


def _face(detection: Any, image: Rgb, growth: float) -> FaceBox:
    data = detection.location_data
    box, aspect = data.relative_bounding_box, image.shape[1] / image.shape[0]
    width, height = box.width * aspect * growth, box.height * growth
    middle = (box.xmin + box.width / 2) * aspect, box.ymin + box.height / 2
    return FaceBox(
        x=middle[0] - width / 2,
        y=middle[1] - height / 2,
        width=width,
        height=height,
        score=float(detection.score[0]),
        points=_in_heights(data.relative_keypoints, image),
    )


def _in_heights(landmarks: Any, image: Rgb) -> Points:
    aspect = image.shape[1] / image.shape[0]
    return np.array([(point.x * aspect, point.y) for point in landmarks], dtype=np.float32)
