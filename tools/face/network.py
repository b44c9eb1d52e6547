"""MediaPipe's two face networks, run one region at a time.

The stock `FaceMesh` solution finds and follows faces inside its own graph, with a
detector that misses small ones. Here the landmark network is called with a region we
choose, so that any number of faces, of any size, can be followed at about 2 ms each.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emer.tools.errors import ToolMissing
from emer.tools.face.landmarks import POINTS
from emer.tools.imports import importing

Image = NDArray[np.uint8]
Points = NDArray[np.float32]

_GRAPH: Final = """
input_stream: "image"
input_stream: "region"
input_side_packet: "with_attention"
output_stream: "landmarks"
node {
  calculator: "FaceLandmarkCpu"
  input_stream: "IMAGE:image"
  input_stream: "ROI:region"
  input_side_packet: "WITH_ATTENTION:with_attention"
  output_stream: "LANDMARKS:landmarks"
}
"""
MARGIN: Final = 1.5
"""Side of the square given to the landmark network, in face sizes (MediaPipe's own)."""


SMALLEST_PICTURE: Final = 16
"""Below this side in pixels there is nothing to look at, and MediaPipe's graph fails."""


class Region(NamedTuple):
    """A turned square of the picture: centre and side in pixels, turn in radians."""

    x: float
    y: float
    side: float
    turn: float


class Found(NamedTuple):
    """A detected face: centre and size in pixels, and the detector's score."""

    x: float
    y: float
    size: float
    score: float

    @property
    def region(self) -> Region:
        """The upright square around the face."""
        return Region(self.x, self.y, self.size * MARGIN, 0.0)


def region_around(points: Points) -> Region:
    """Return the square in which to look for this face in the next frame.

    As MediaPipe's own tracking does: the landmarks' bounding box, turned with the line
    between the outer eye corners, made square and enlarged by half.
    """
    low, high = points[:468, :2].min(axis=0), points[:468, :2].max(axis=0)
    across = points[263, :2] - points[33, :2]
    turn = float(np.arctan2(across[1], across[0]))
    centre = (low + high) / 2
    return Region(float(centre[0]), float(centre[1]), float(max(high - low)) * MARGIN, turn)


class FaceNetworks:
    """The face detector and the landmark network, loaded when made; not thread-safe."""

    def __init__(self) -> None:
        """Load both networks from the mediapipe wheel."""
        try:
            with importing():
                from mediapipe.framework.formats import rect_pb2
                from mediapipe.python import solution_base
                from mediapipe.python.solutions import face_detection
        except ImportError as error:
            raise ToolMissing("mesh", "mediapipe", "pip install mediapipe==0.10.21") from error
        self._rect: Any = rect_pb2.NormalizedRect
        self._mesh: Any = solution_base.SolutionBase(
            graph_config=_GRAPH,
            side_inputs={"with_attention": True},
            outputs=["landmarks"],
            stream_type_hints={"region": solution_base.PacketDataType.PROTO},
        )
        self._detectors: Any = [
            face_detection.FaceDetection(model_selection=kind, min_detection_confidence=0.5)
            for kind in (1, 0)
        ]

    def mesh(self, image: Image, region: Region) -> Points | None:
        """Return the (478, 3) landmarks in pixels, or None when no face is in the region.

        x runs right, y down, z away from the camera, all in pixels of `image`.
        """
        x0, y0, patch = _cut_out(image, region)
        height, width = patch.shape[:2]
        rect = self._rect(
            x_center=(region.x - x0) / width,
            y_center=(region.y - y0) / height,
            width=region.side / width,
            height=region.side / height,
            rotation=region.turn,
        )
        marks = self._mesh.process({"image": patch, "region": rect}).landmarks
        if marks is None:
            return None
        found = np.array([(m.x, m.y, m.z) for m in marks.landmark], np.float32)
        if len(found) != POINTS:
            return None
        found *= np.array((width, height, width), np.float32)
        found += np.array((x0, y0, 0), np.float32)
        return found

    def detect(self, image: Image, tiled: bool) -> list[Found]:
        """Return the faces in the picture, most certain first.

        With `tiled`, four overlapping quarters are searched too, which finds faces of
        about half the size. The close-range detector is asked only when the far-range one
        sees nothing.
        """
        if min(image.shape[:2]) < SMALLEST_PICTURE:
            return []
        found = self._detect_in(image, 0, 0, 0)
        if tiled:
            for x0, y0, patch in _tiles(image):
                found += self._detect_in(patch, 0, x0, y0)
        found = found or self._detect_in(image, 1, 0, 0)
        return _without_doubles(found)

    def is_face(self, image: Image, region: Region) -> bool:
        """Tell whether the detector, too, sees a face in the region."""
        patch = _cut_out(image, region)[2]
        return min(patch.shape[:2]) >= SMALLEST_PICTURE and bool(self._detect_in(patch, 0, 0, 0))

    def _detect_in(self, image: Image, kind: int, x0: int, y0: int) -> list[Found]:
        height, width = image.shape[:2]
        found = []
        for one in self._detectors[kind].process(image).detections or ():
            box = one.location_data.relative_bounding_box
            x = x0 + (box.xmin + box.width / 2) * width
            y = y0 + (box.ymin + box.height / 2) * height
            size = max(box.width * width, box.height * height)
            found.append(Found(float(x), float(y), float(size), float(one.score[0])))
        return found

    def close(self) -> None:
        """Release the graphs."""
        for graph in (self._mesh, *self._detectors):
            graph.close()


def _cut_out(image: Image, region: Region) -> tuple[int, int, Image]:
    """Return the part of the picture that the turned square can touch, and its corner."""
    reach = region.side * 0.75
    height, width = image.shape[:2]
    x0 = int(np.clip(region.x - reach, 0, width - 2))
    y0 = int(np.clip(region.y - reach, 0, height - 2))
    x1 = int(np.clip(region.x + reach, x0 + 2, width))
    y1 = int(np.clip(region.y + reach, y0 + 2, height))
    return x0, y0, np.ascontiguousarray(image[y0:y1, x0:x1])


def _tiles(image: Image) -> list[tuple[int, int, Image]]:
    height, width = image.shape[:2]
    h, w = int(height * 0.6), int(width * 0.6)
    corners = [(x, y) for y in (0, height - h) for x in (0, width - w)]
    return [(x, y, np.ascontiguousarray(image[y : y + h, x : x + w])) for x, y in corners]


def _without_doubles(found: list[Found]) -> list[Found]:
    kept: list[Found] = []
    for one in sorted(found, key=lambda f: (-f.score, f.x, f.y)):
        if all(np.hypot(one.x - k.x, one.y - k.y) > 0.5 * max(one.size, k.size) for k in kept):
            kept.append(one)
    return kept
