"""MediaPipe's landmarker from a `.task` file, on the wheel's own networks."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from emer.tools.errors import WeightsBroken
from emer.tools.face.detector import (
    Landmarker,
    LandmarkerNetworks,
    Region,
    outline,
    region_around,
    upright,
)
from emer.tools.weights.locate import find
from tests.fixtures import puppet
from tests.fixtures.checkpoints.landmarker import NAMES, ORDER, by_mouth, coordinates, write_task

pytestmark = pytest.mark.slow


def need(path: Path):
    return find("blendshapes", str(path))


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Path:
    return write_task(tmp_path_factory.mktemp("task") / "plain.task", None)


@pytest.fixture(scope="module")
def networks(plain: Path) -> LandmarkerNetworks:
    return LandmarkerNetworks(need(plain))


@pytest.fixture(scope="module")
def mesh_points() -> np.ndarray:
    found = puppet.networks().detect(puppet.portrait(), tiled=False)[0]
    points = puppet.networks().mesh(puppet.portrait(), found.region)
    assert points is not None
    return points


def test_the_blendshape_model_is_given_the_face_s_points_in_pixels(tmp_path):
    """So that a test's model has a known answer; the order is MediaPipe's."""
    landmarker = Landmarker(need(write_task(tmp_path / "xy.task", coordinates(20))), shapes=True)
    ((points, shapes),) = landmarker.faces(puppet.portrait())
    landmarker.close()
    assert list(shapes) == NAMES and points.shape == (478, 3)
    found = np.array([shapes[name] for name in NAMES]).reshape(-1, 2)
    assert found == pytest.approx(points[list(ORDER[20:46]), :2], abs=0.01)


def test_the_landmarks_are_those_of_the_mesh(networks, mesh_points):
    (found,) = networks.detect(puppet.portrait(), tiled=False)
    assert found.size == pytest.approx(outline(mesh_points).side, rel=0.1)
    points = networks.mesh(puppet.portrait(), found.region)
    assert points is not None and points.shape == (478, 3)
    size = outline(mesh_points).side
    assert np.abs(points[:468, :2] - mesh_points[:468, :2]).mean() < 0.03 * size
    assert np.corrcoef(points[:468, 2], mesh_points[:468, 2])[0, 1] > 0.95
    assert networks.is_face(puppet.portrait(), region_around(points))


def test_no_face_is_seen_where_there_is_none(networks, mesh_points):
    grey = np.full((300, 300, 3), 120, np.uint8)
    assert networks.detect(grey, tiled=True) == []
    assert networks.mesh(grey, Region(150, 150, 100, 0)) is None
    assert networks.detect(np.zeros((4, 4, 3), np.uint8), tiled=False) == []
    beside = outline(mesh_points)
    region = Region(beside.x + 1.2 * beside.side, beside.y, beside.side * 1.5, 0)
    assert networks.mesh(puppet.portrait(), region) is None, "the face is not in that region"


@pytest.mark.parametrize("turn", [0.0, 0.6])
def test_points_come_back_from_the_upright_square(turn, mesh_points):
    box = outline(mesh_points)
    square = upright(puppet.portrait(), Region(box.x, box.y, box.side * 2, turn), 320)
    corner = np.array([[160.0, 160.0, 8.0], [0.0, 0.0, 0.0]], np.float32)
    middle, first = square.to_picture(corner)
    assert middle == pytest.approx((box.x, box.y, 8 * box.side * 2 / 320), abs=0.1)
    assert np.hypot(*(first[:2] - middle[:2])) == pytest.approx(box.side * np.sqrt(2), rel=0.01)


@pytest.mark.parametrize(
    ("how", "message"),
    [("cut short", "not a zip file"), ("another format", "not a zip file"),
     ("another task", "without face_landmarks_detector.tflite"), ("damaged", "damaged"),
     ("no blendshapes", r"without face_blendshapes\.tflite \(landmarks alone\)"),
     ("no network inside", "RuntimeError|ValueError")],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_told_on_one_line(how, message, tmp_path):
    path = write_task(tmp_path / "w.task", *by_mouth("noseSneerLeft"))
    whole = path.read_bytes()
    if how == "cut short":
        path.write_bytes(whole[:100_000])
    elif how == "another format":
        path.write_bytes(b"not a bundle")
    elif how == "damaged":
        path.write_bytes(whole[:5_000] + b"\xff" * 64 + whole[5_064:])
    elif how == "no blendshapes":
        write_task(path, None)
    else:
        with zipfile.ZipFile(path, "w") as bundle:
            parts = ["face_detector", "face_landmarks_detector", "face_blendshapes"]
            for name in parts[:1] if how == "another task" else parts:
                bundle.writestr(f"{name}.tflite", b"nothing")
    with pytest.raises(WeightsBroken, match=message) as error:
        Landmarker(need(path), shapes=True)
    assert str(error.value).startswith(f"blendshapes cannot load {path}")
    assert "\n" not in str(error.value)
