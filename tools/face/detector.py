"""MediaPipe face detection and landmarks.

MediaPipe's two face networks, run one region at a time.

The stock `FaceMesh` solution finds and follows faces inside its own graph, with a
detector that misses small ones. Here the landmark network is called with a region we
choose, so that any number of faces, of any size, can be followed at about 2 ms each.

MediaPipe's FaceLandmarker from a `.task` file: 478 landmarks and 52 blendshapes of a picture.

The same in mediapipe 0.10.21 and in 1.x, which brings no networks of its own.

A turned square of a picture, set upright and scaled: what a network is shown of a face.

Finding and following faces with the FaceLandmarker alone: where mediapipe brings no networks.

mediapipe 1.x has neither the graphs nor the models of 0.10. Its FaceLandmarker detects a face
anew in each picture; here it is shown the upright square in which the face is expected.
"""

from __future__ import annotations

import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emer.tools.errors import ToolMissing
from emer.tools.face.landmarks import POINTS
from emer.tools.runtime.native import importing
from emer.tools.weights.locate import Need, loading

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


class Outline(NamedTuple):
    """Where a face's landmarks lie: their box's middle and longer side, and their mean; pixels."""

    x: float
    y: float
    side: float
    mean: Points


def outline(points: Points) -> Outline:
    """Return the outline of (478, 3) landmarks, irises left out."""
    flat = np.ascontiguousarray(points[:468, :2].T)
    low, high = flat.min(axis=1), flat.max(axis=1)
    x, y = (low + high) / 2
    return Outline(float(x), float(y), float(max(high - low)), flat.mean(axis=1))


def region_around(points: Points) -> Region:
    """Return the square in which to look for this face in the next frame.

    As MediaPipe's own tracking does: the landmarks' bounding box, turned with the line
    between the outer eye corners, made square and enlarged by half.
    """
    box = outline(points)
    across = points[263, :2] - points[33, :2]
    turn = float(np.arctan2(across[1], across[0]))
    return Region(box.x, box.y, box.side * MARGIN, turn)


def brings_networks() -> bool:
    """Tell whether the installed mediapipe brings these networks: up to 0.10.21, not 1.x.

    `ToolMissing` where it is not installed at all; it is not imported.
    """
    found = find_spec("mediapipe")
    if found is None or found.origin is None:
        raise ToolMissing("mesh", "mediapipe", "pip install mediapipe==0.10.21")
    return (Path(found.origin).parent / "modules" / "face_landmark").is_dir()


class FaceNetworks:
    """The face detector and the landmark network, loaded when made; not thread-safe."""

    def __init__(self) -> None:
        """Load both networks from the mediapipe wheel."""
        try:
            with importing():
                from mediapipe.framework.formats import rect_pb2

                from emer.tools.runtime.mediapipe import Graph, face_detector
        except ImportError as error:
            raise ToolMissing("mesh", "mediapipe", "pip install mediapipe==0.10.21") from error
        self._rect: Any = rect_pb2.NormalizedRect
        self._mesh = Graph(
            _GRAPH, ["landmarks"], protos=["region"], side_inputs={"with_attention": True}
        )
        self._detectors = [face_detector(near, least=0.5) for near in (False, True)]

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
        marks = self._mesh.run(image=patch, region=rect).get("landmarks")
        if marks is None or len(marks.landmark) != POINTS:
            return None
        found = self._mesh.points(marks)
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
            for x0, y0, patch in tiles(image):
                found += self._detect_in(patch, 0, x0, y0)
        found = found or self._detect_in(image, 1, 0, 0)
        return without_doubles(found)

    def is_face(self, image: Image, region: Region) -> bool:
        """Tell whether the detector, too, sees a face in the region."""
        patch = _cut_out(image, region)[2]
        return min(patch.shape[:2]) >= SMALLEST_PICTURE and bool(self._detect_in(patch, 0, 0, 0))

    def _detect_in(self, image: Image, kind: int, x0: int, y0: int) -> list[Found]:
        height, width = image.shape[:2]
        found = []
        for one in self._detectors[kind].run(image=image).get("detections", ()):
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
    patch = image[y0:y1, x0:x1].copy()
    patch.flags.writeable = False  # so that MediaPipe need not copy it once more
    return x0, y0, patch


def tiles(image: Image) -> list[tuple[int, int, Image]]:
    """Return four overlapping quarters of the picture, each with its upper left corner."""
    height, width = image.shape[:2]
    h, w = int(height * 0.6), int(width * 0.6)
    corners = [(x, y) for y in (0, height - h) for x in (0, width - w)]
    return [(x, y, np.ascontiguousarray(image[y : y + h, x : x + w])) for x, y in corners]


def without_doubles(found: list[Found]) -> list[Found]:
    """Return each face once, the most certain find of it."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda f: (-f.score, f.x, f.y)):
        if all(np.hypot(one.x - k.x, one.y - k.y) > 0.5 * max(one.size, k.size) for k in kept):
            kept.append(one)
    return kept


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


class Upright(NamedTuple):
    """The square in pixels of its own, and the way there."""

    picture: Image
    matrix: NDArray[np.float64]
    """(2, 3), from the whole picture's pixels to the square's."""

    def back(self, points: Points) -> Points:
        """Return points (n, 3) of the square in the whole picture's pixels, z scaled likewise."""
        turn = self.matrix[:, :2]
        scale = float(np.sqrt(abs(np.linalg.det(turn))))
        flat = (points[:, :2] - self.matrix[:, 2]) @ np.linalg.inv(turn).T
        return np.column_stack([flat, points[:, 2] / scale]).astype(np.float32)


def upright(image: Image, region: Region, side: int) -> Upright:
    """Return the region at `side` x `side` pixels; what lies beyond the picture repeats its edge.

    A region much larger than that is shrunk by averages first, so that no detail is made up.
    """
    import cv2

    turn = np.array(
        [[np.cos(region.turn), np.sin(region.turn)], [-np.sin(region.turn), np.cos(region.turn)]]
    )
    x0, y0, patch = _around(image, region)
    shrunk = max(1, int(region.side // (2 * side)))
    if shrunk > 1:
        size = (max(1, patch.shape[1] // shrunk), max(1, patch.shape[0] // shrunk))
        patch = cv2.resize(patch, size, interpolation=cv2.INTER_AREA)
    scale = side / max(region.side, 1.0)
    offset = side / 2 - scale * turn @ (region.x, region.y)
    inside = scale * turn @ (x0, y0) + offset
    matrix = np.column_stack([scale * shrunk * turn, inside])
    picture = cv2.warpAffine(patch, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)
    return Upright(np.asarray(picture, np.uint8), np.column_stack([scale * turn, offset]))


def _around(image: Image, region: Region) -> tuple[int, int, Image]:
    """Return the part of the picture that the turned square can touch, and its corner."""
    height, width = image.shape[:2]
    reach = region.side * 0.75
    x0 = int(np.clip(region.x - reach, 0, width - 2))
    y0 = int(np.clip(region.y - reach, 0, height - 2))
    x1 = int(np.clip(region.x + reach, x0 + 2, width))
    y1 = int(np.clip(region.y + reach, y0 + 2, height))
    return x0, y0, np.ascontiguousarray(image[y0:y1, x0:x1])


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
