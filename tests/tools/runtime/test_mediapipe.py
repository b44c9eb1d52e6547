"""MediaPipe's graphs: in the caller's thread, with nothing left of what they saw before."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

from emer.tools.media.clip import Clip
from emer.tools.scene.detectors import Networks
from tests.fixtures import puppet

pytestmark = pytest.mark.slow

Find = Callable[[str], Path]


def landmarks(points: NDArray[np.float32], **rest: float) -> Any:
    from mediapipe.framework.formats import landmark_pb2

    made = landmark_pb2.NormalizedLandmarkList()
    for x, y, z in points:
        made.landmark.add(x=x, y=y, z=z, **rest)
    return made


@pytest.mark.parametrize("rest", [{}, {"visibility": 0.5}])
def test_landmarks_are_read_from_the_wire_as_they_are(rest: dict[str, float]) -> None:
    from emer.tools.runtime.mediapipe import Graph

    points = np.random.default_rng(0).normal(size=(478, 3)).astype(np.float32)
    points[3] = 0.0
    assert np.array_equal(Graph.points(landmarks(points, **rest)), points)
    assert Graph.points(landmarks(points[:0])).shape == (0, 3)


def test_a_landmark_without_depth_is_not_read_as_its_neighbours() -> None:
    from emer.tools.runtime.mediapipe import Graph

    made = landmarks(np.ones((3, 3), np.float32))
    made.landmark[1].ClearField("z")
    assert Graph.points(made).tolist() == [[1, 1, 1], [1, 1, 0], [1, 1, 1]]


def test_a_graph_finds_what_the_stock_solution_finds_and_starts_no_thread() -> None:
    from mediapipe.python.solutions.face_detection import FaceDetection

    from emer.tools.runtime.mediapipe import face_detector

    picture = puppet.portrait()
    threads = psutil.Process().num_threads()
    detector = face_detector(near=False, least=0.5)
    ours = detector.run(picture)["detections"]
    assert psutil.Process().num_threads() == threads
    with FaceDetection(0.5, model_selection=1) as stock:
        theirs = stock.process(np.ascontiguousarray(picture)).detections
    assert len(ours) == 1
    assert ours == theirs
    detector.close()


def test_what_is_not_found_is_absent() -> None:
    from emer.tools.runtime.mediapipe import face_detector

    detector = face_detector(near=True, least=0.5)
    assert detector.run(np.zeros((64, 64, 3), np.uint8)) == {}
    detector.close()


def test_after_forgetting_nothing_is_followed(shared_clip: Find) -> None:
    """Hands and bodies of another clip leave no trace in what is found next."""
    before, after = (
        [frame.rgb(640) for frame in Clip.open(shared_clip(name)).frames(fps=4)][:8]
        for name in ("faces/WolfgangLanger_Pexels.mp4", "labelled/test_Anger_0001.mp4")
    )
    used, fresh = Networks(), Networks()
    for picture in before:
        used.pose(picture), used.hands(picture)
    used.forget()
    found = [_seen(used, picture) for picture in after]
    assert found == [_seen(fresh, picture) for picture in after]
    assert any(pose for pose, _ in found)
    assert any(hands for _, hands in found)


def _seen(networks: Networks, picture: NDArray[np.uint8]) -> tuple[Any, Any]:
    pose, hands = networks.pose(picture), networks.hands(picture)
    return pose and pose.points.tolist(), [(h.points.tolist(), h.score) for h in hands]


def test_a_graph_that_was_never_asked_loads_nothing_when_it_goes() -> None:
    code = (
        "from emer.tools.runtime.mediapipe import face_detector\n"
        "face_detector(near=False, least=0.5).close()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stderr == ""
