"""Face detection and landmarks by MediaPipe, one region of the picture at a time.

The stock `FaceMesh` solution misses small faces. `FaceNetworks` calls its landmark network with
a region that the caller chooses: any number of faces, of any size, at about 2 ms each.

mediapipe 1.x has neither the graphs nor the models of 0.10. There `LandmarkerNetworks` gives the
FaceLandmarker of a `.task` file, which detects a face anew in each picture, the upright square in
which the face is expected. `Landmarker` also gives 52 blendshapes.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emer.tools.errors import ToolMissing
from emer.tools.runtime.native import importing
from emer.tools.weights.locate import Need, loading

Image = NDArray[np.uint8]
Points = NDArray[np.float32]
"""Landmarks of a face, (478, 3) in pixels of the picture: x right, y down, z away
from the camera. 468 mesh points, then five per iris."""
POINTS: Final = 478
MARGIN: Final = 1.5
"""Side of the landmark network's square in face sizes (MediaPipe's own)."""
SMALLEST_PICTURE: Final = 16
"""Side in pixels below which MediaPipe's graph fails."""
INSTALL: Final = "pip install mediapipe==0.10.21"


class Region(NamedTuple):
    """A turned square of the picture: centre and side in pixels, turn in radians."""

    x: float
    y: float
    side: float
    turn: float


class Detection(NamedTuple):
    """A detected face: centre and size in pixels, and the detector's score."""

    x: float
    y: float
    size: float
    score: float

    @property
    def region(self) -> Region:
        """The upright square around the face."""
        return Region(self.x, self.y, self.size * MARGIN, 0.0)


class Outline(NamedTuple):
    """The landmarks' box, its middle and longer side, and their mean, in pixels."""

    x: float
    y: float
    side: float
    mean: Points


def outline(points: Points) -> Outline:
    """The outline of (478, 3) landmarks, irises left out."""
    flat = np.ascontiguousarray(points[:468, :2].T)
    low, high = flat.min(axis=1), flat.max(axis=1)
    x, y = (low + high) / 2
    return Outline(float(x), float(y), float(max(high - low)), flat.mean(axis=1))


def region_around(points: Points) -> Region:
    """The square in which this face is expected in the next frame.

    As in MediaPipe's own tracking: the landmarks' bounding box, turned with the line
    between the outer eye corners, made square and enlarged by half.
    """
    box = outline(points)
    across = points[263, :2] - points[33, :2]
    turn = float(np.arctan2(across[1], across[0]))
    return Region(box.x, box.y, box.side * MARGIN, turn)


class UprightCrop(NamedTuple):
    """A region of a picture, set upright and scaled."""

    picture: Image
    matrix: NDArray[np.float64]
    """(2, 3), from the whole picture's pixels to the crop's."""

    def to_picture(self, points: Points) -> Points:
        """Points (n, 3) of the crop in the whole picture's pixels, z scaled likewise."""
        turn = self.matrix[:, :2]
        scale = float(np.sqrt(abs(np.linalg.det(turn))))
        flat = (points[:, :2] - self.matrix[:, 2]) @ np.linalg.inv(turn).T
        return np.column_stack([flat, points[:, 2] / scale]).astype(np.float32)


def upright(image: Image, region: Region, side: int) -> UprightCrop:
    """The region at `side` x `side` pixels; beyond the picture its edge is repeated.

    A region much larger than that is shrunk by averages first, against aliasing.
    """
    import cv2

    turn = np.array(
        [[np.cos(region.turn), np.sin(region.turn)], [-np.sin(region.turn), np.cos(region.turn)]]
    )
    x0, y0, patch = _patch(image, region)
    shrunk = max(1, int(region.side // (2 * side)))
    if shrunk > 1:
        size = (max(1, patch.shape[1] // shrunk), max(1, patch.shape[0] // shrunk))
        patch = np.asarray(cv2.resize(patch, size, interpolation=cv2.INTER_AREA), np.uint8)
    scale = side / max(region.side, 1.0)
    offset = side / 2 - scale * turn @ (region.x, region.y)
    inside = scale * turn @ (x0, y0) + offset
    matrix = np.column_stack([scale * shrunk * turn, inside])
    picture = cv2.warpAffine(patch, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)
    return UprightCrop(np.asarray(picture, np.uint8), np.column_stack([scale * turn, offset]))


def _patch(image: Image, region: Region) -> tuple[int, int, Image]:
    """A copy of what the turned square can touch, after its left and upper edge."""
    reach = region.side * 0.75
    height, width = image.shape[:2]
    x0 = int(np.clip(region.x - reach, 0, width - 2))
    y0 = int(np.clip(region.y - reach, 0, height - 2))
    x1 = int(np.clip(region.x + reach, x0 + 2, width))
    y1 = int(np.clip(region.y + reach, y0 + 2, height))
    patch = image[y0:y1, x0:x1].copy()
    patch.flags.writeable = False  # so that MediaPipe need not copy it once more
    return x0, y0, patch


def search(
    image: Image, tiled: bool, detect: Callable[[Image], list[Detection]]
) -> list[Detection]:
    """Each face in the picture once, its most certain detection, these first.

    With `tiled`, four overlapping quarters are searched too, which finds faces of about half
    the size.
    """
    height, width = image.shape[:2]
    if min(height, width) < SMALLEST_PICTURE:
        return []
    faces = detect(image)
    h, w = int(height * 0.6), int(width * 0.6)
    for y, x in product((0, height - h), (0, width - w)) if tiled else ():
        patch = np.ascontiguousarray(image[y : y + h, x : x + w])
        faces += [face._replace(x=face.x + x, y=face.y + y) for face in detect(patch)]
    single: list[Detection] = []
    for one in sorted(faces, key=lambda f: (-f.score, f.x, f.y)):
        if all(np.hypot(one.x - k.x, one.y - k.y) > 0.5 * max(one.size, k.size) for k in single):
            single.append(one)
    return single


def brings_networks() -> bool:
    """Whether the installed mediapipe brings these networks: up to 0.10.21, not 1.x.

    `ToolMissing` where it is not installed at all; it is not imported.
    """
    spec = find_spec("mediapipe")
    if spec is None or spec.origin is None:
        raise ToolMissing("mesh", "mediapipe", INSTALL)
    return (Path(spec.origin).parent / "modules" / "face_landmark").is_dir()


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


class FaceNetworks:
    """Face detector and landmark network of mediapipe's wheel; not thread-safe."""

    def __init__(self) -> None:
        try:
            with importing():
                from mediapipe.framework.formats import rect_pb2

                from emer.tools.runtime.mediapipe import Graph, face_detector
        except ImportError as error:
            raise ToolMissing("mesh", "mediapipe", INSTALL) from error
        self._rect: Any = rect_pb2.NormalizedRect
        self._mesh = Graph(
            _GRAPH, ["landmarks"], protos=["region"], side_inputs={"with_attention": True}
        )
        self._far, self._close_up = (face_detector(near, least=0.5) for near in (False, True))

    def mesh(self, image: Image, region: Region) -> Points | None:
        """The landmarks of the face in the region, or None."""
        x0, y0, patch = _patch(image, region)
        height, width = patch.shape[:2]
        rect = self._rect(
            x_center=(region.x - x0) / width,
            y_center=(region.y - y0) / height,
            width=region.side / width,
            height=region.side / height,
            rotation=region.turn,
        )
        marks = self._mesh.run(image=patch, region=rect).get("landmarks")
        if marks is None or len(marks.landmark) != POINTS:
            return None
        points = self._mesh.points(marks)
        points *= np.array((width, height, width), np.float32)
        points += np.array((x0, y0, 0), np.float32)
        return points

    def detect(self, image: Image, tiled: bool) -> list[Detection]:
        """The faces in the picture; those close to the camera where there are no others."""
        far = search(image, tiled, partial(_detections, self._far))
        return far or search(image, False, partial(_detections, self._close_up))

    def is_face(self, image: Image, region: Region) -> bool:
        """Whether the detector, too, finds a face in the region."""
        return bool(search(_patch(image, region)[2], False, partial(_detections, self._far)))


def _detections(detector: Any, image: Image) -> list[Detection]:
    height, width = image.shape[:2]
    faces = []
    for one in detector.run(image=image).get("detections", ()):
        box = one.location_data.relative_bounding_box
        x, y = (box.xmin + box.width / 2) * width, (box.ymin + box.height / 2) * height
        size = max(box.width * width, box.height * height)
        faces.append(Detection(float(x), float(y), float(size), float(one.score[0])))
    return faces


TOOL: Final = "blendshapes"
SHAPES: Final = "face_blendshapes.tflite"
PARTS: Final = ("face_detector.tflite", "face_landmarks_detector.tflite")


class LandmarkedFace(NamedTuple):
    """One face in a picture."""

    points: Points
    shapes: dict[str, float]
    """Score of each blendshape by name, about 0 to 1; empty when not asked for."""


class Landmarker:
    """MediaPipe's FaceLandmarker of a `.task` file, 0.10.21 or 1.x; not thread-safe."""

    def __init__(self, need: Need, *, shapes: bool, faces: int = 1) -> None:
        """Load it; `WeightsBroken` for a damaged, incomplete or other file."""
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

    def faces(self, image: Image) -> list[LandmarkedFace]:
        """The faces in the picture (RGB)."""
        whole = self._picture(image_format=self._format, data=np.ascontiguousarray(image))
        result = self._task.detect(whole)
        scale = np.array((image.shape[1], image.shape[0], image.shape[1]), np.float32)
        scores = result.face_blendshapes or [()] * len(result.face_landmarks)
        return [
            LandmarkedFace(
                np.array([(mark.x, mark.y, mark.z) for mark in marks], np.float32) * scale,
                {c.category_name: float(c.score) for c in categories},
            )
            for marks, categories in zip(result.face_landmarks, scores, strict=True)
            if len(marks) == POINTS
        ]

    def close(self) -> None:
        self._task.close()


def require_parts(need: Need, parts: tuple[str, ...]) -> None:
    """Raise `ValueError` unless the file is a whole bundle with these networks."""
    with zipfile.ZipFile(need.path) as bundle:
        lacking = [name for name in parts if name not in bundle.namelist()]
        if lacking:
            content = "landmarks alone" if lacking == [SHAPES] else "no face landmarker"
            raise ValueError(f"a bundle without {', '.join(lacking)} ({content})")
        if broken := bundle.testzip():
            raise ValueError(f"{broken} in the bundle is damaged")


CROP_PX: Final = 320
"""Side of the square that the landmarker is given."""
CROP_MARGIN: Final = 1.8
"""Side of that square in face sizes, room for the detector to find the face in: it
finds all between 1.3 and 3.0 (measured by us on six clips)."""
OFF_CENTRE: Final = 0.3
"""Largest distance of the expected face from the square's middle, in its sides."""
MOST_FACES: Final = 6


class LandmarkerNetworks:
    """The interface of `FaceNetworks` by a `Landmarker`; not thread-safe."""

    def __init__(self, need: Need) -> None:
        self._one = Landmarker(need, shapes=False)
        self._many = Landmarker(need, shapes=False, faces=MOST_FACES)

    def mesh(self, image: Image, region: Region) -> Points | None:
        wider = region._replace(side=region.side * CROP_MARGIN / MARGIN)
        crop = upright(image, wider, CROP_PX)
        for face in self._one.faces(crop.picture):
            x, y = outline(face.points).mean / CROP_PX - 0.5
            if np.hypot(x, y) < OFF_CENTRE:
                return crop.to_picture(face.points)
        return None

    def detect(self, image: Image, tiled: bool) -> list[Detection]:
        return search(image, tiled, self._detections)

    def is_face(self, image: Image, region: Region) -> bool:
        return self.mesh(image, region) is not None

    def _detections(self, image: Image) -> list[Detection]:
        boxes = [outline(face.points) for face in self._many.faces(image)]
        return [Detection(box.x, box.y, box.side, 1.0) for box in boxes]

    def close(self) -> None:
        self._one.close()
        self._many.close()


Networks = FaceNetworks | LandmarkerNetworks
