"""Posture is told from the face's size and from shoulders the picture really shows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emer.tools.scene.detectors import FaceBox, Pose
from emer.tools.scene.features import Sample, Step
from emer.tools.scene.people import find_people
from emer.tools.scene.posture import arms_crossed, describe_posture, is_consistent
from tests.fixtures.figures import face_at, pose_at, samples_of

FACE = face_at(0.9, 0.35, height=0.3)


def texts(samples: list[Sample]) -> list[str]:
    (person,) = find_people(samples)
    return [finding.text for finding in describe_posture(samples, person)]


def growing(factor: float, **more: object) -> list[Sample]:
    """Two seconds at one size, a change over 0.6 s, two seconds at the other."""
    sizes = [0.3] * 10 + [0.3 * factor ** (i / 3) for i in (1, 2)] + [0.3 * factor] * 10
    return samples_of(*[{"faces": (face_at(0.9, 0.4, size),), **more} for size in sizes])


@pytest.mark.parametrize(
    ("factor", "text"),
    [
        (1.3, "The person clearly leans forward at 1.8-2.4 s (the face becomes 30% larger"),
        (1 / 1.25, "The person slightly leans back at 1.8-2.4 s (the face becomes 20% smaller"),
    ],
)
def test_a_face_that_grows_or_shrinks_leans(factor: float, text: str) -> None:
    (found,) = texts(growing(factor))
    assert found.startswith(text)


def test_a_small_change_is_no_lean() -> None:
    assert texts(growing(1.1)) == []


def test_a_zoom_of_the_camera_is_no_lean() -> None:
    samples = growing(1.3)
    zoomed = [
        replace(sample, step=Step(0, 0, 1.3 ** (1 / 3) if 10 <= i <= 12 else 1.0))
        for i, sample in enumerate(samples)
    ]
    assert texts(zoomed) == []


def test_a_mouth_opened_wide_is_no_lean() -> None:
    rows = [{"faces": (face_at(0.9, 0.4, 0.3, stretch=1 if i < 10 else 1.3),)} for i in range(20)]
    assert texts(samples_of(*rows)) == []


def test_a_small_face_walks_and_does_not_lean() -> None:
    sizes = [0.08] * 10 + [0.11] * 10
    assert texts(samples_of(*[{"faces": (face_at(0.9, 0.4, s),)} for s in sizes])) == []


def shrugging(move: float, head: float = 0.0) -> list[Sample]:
    rows = []
    for i in range(20):
        face = face_at(0.9, 0.35 + (head if i >= 10 else 0.0), 0.3)
        pose = pose_at(face, 0.7 + (move if i >= 10 else 0.0), width=2.0)
        rows.append({"faces": (face,), "pose": pose, "posed": True})
    return samples_of(*rows)


@pytest.mark.parametrize(("move", "way"), [(-0.09, "rise"), (0.09, "drop")])
def test_shoulders_that_move_against_the_face_are_told(move: float, way: str) -> None:
    (found,) = texts(shrugging(move))
    assert found == f"The person's shoulders {way} at 1.8-2.0 s (by 0.30 face heights)."


def test_a_lowered_head_is_no_shrug() -> None:
    assert texts(shrugging(0.0, head=0.1)) == []


def test_still_shoulders_are_not_mentioned() -> None:
    assert texts(shrugging(0.0)) == []


@pytest.mark.parametrize(
    ("pose", "fits"),
    [
        (pose_at(FACE, 0.7, width=2.0), True),
        (pose_at(FACE, 0.7, width=2.0, visible=0.4), False),
        (pose_at(FACE, 1.1, width=2.0), False),
        (pose_at(FACE, 0.2, width=2.0), False),
        (pose_at(FACE, 0.7, width=0.3), False),
        (pose_at(face_at(0.3, 0.6, 0.3), 0.9, width=2.0), False),
    ],
)
def test_a_pose_must_fit_the_face_and_show_the_shoulders(pose: Pose, fits: bool) -> None:
    assert is_consistent(pose, FACE) is fits


def crossed(face: FaceBox) -> Pose:
    x, half = face.centre[0], face.height
    return pose_at(face, 0.6, width=2.0, wrists=((x - 0.7 * half, 0.85), (x + 0.7 * half, 0.85)))


def test_crossed_arms_are_told_only_while_crossed() -> None:
    face = face_at(0.9, 0.3, height=0.3)
    open_arms = pose_at(face, 0.6, width=2.0)
    assert arms_crossed(crossed(face))
    assert not arms_crossed(open_arms)
    rows = [
        {"faces": (face,), "posed": True, "pose": crossed(face) if 5 <= i <= 12 else open_arms}
        for i in range(20)
    ]
    assert texts(samples_of(*rows)) == ["The person crosses the arms at 1.0-2.4 s."]
