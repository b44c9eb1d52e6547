"""Framing, cuts, company, light and camera are put into true sentences."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emer.tools.scene.detectors import FaceBox
from emer.tools.scene.features import Footage, Light, Sample, Step
from emer.tools.scene.framing import shot_size
from emer.tools.scene.tool import describe_clip
from tests.fixtures.figures import face_at, samples_of

DAY = Light(120.0, 20.0, 220.0)


def footage(samples: list[Sample], cuts: tuple[float, ...] = (), light: Light = DAY) -> Footage:
    shots = [replace(sample, shot=sum(cut <= sample.time for cut in cuts)) for sample in samples]
    times = tuple(sample.time for sample in samples)
    return Footage(times, cuts, (light,) * len(samples), tuple(shots))


def sentences(film: Footage) -> list[str]:
    return [finding.text for finding in describe_clip(film)]


def still(*faces: FaceBox, samples: int = 11, step: Step | None = None) -> list[Sample]:
    return samples_of(*[{"faces": faces, "step": step}] * samples)


@pytest.mark.parametrize(
    ("height", "name"),
    [
        (0.9, "an extreme close-up"),
        (0.5, "a close-up"),
        (0.2, "a medium shot"),
        (0.08, "a wide shot"),
    ],
)
def test_shot_sizes(height: float, name: str) -> None:
    assert shot_size(height) == name


def test_one_still_person_in_one_shot() -> None:
    assert sentences(footage(still(face_at(0.9, 0.5), step=Step(0, 0, 1)))) == [
        "The person is shown in a close-up in one continuous shot with a still camera "
        "(the face fills 40% of the picture height).",
        "One person is visible throughout (counted by the face).",
        "The picture is normally lit (mean brightness 47 %).",
        "The body of the person stays still at 0.0-2.0 s "
        "(the head moves 0.00 face heights per second).",
    ]


def test_an_unknown_camera_is_not_called_still() -> None:
    assert not any("camera" in text for text in sentences(footage(still(face_at(0.9, 0.5)))))


def test_cuts_are_counted_and_each_shot_is_framed() -> None:
    near, far = still(face_at(0.9, 0.5)), still(face_at(0.9, 0.5, height=0.1))
    samples = near + [replace(sample, time=round(sample.time + 2.2, 3)) for sample in far]
    texts = sentences(footage(samples, cuts=(2.2,)))
    assert "The shot changes 1 time (at 2.2 s)." in texts
    assert any("a close-up at 0.0-2.2 s" in text for text in texts)
    assert any("a wide shot at 2.2-4.2 s" in text for text in texts)


def test_two_people_are_counted() -> None:
    texts = sentences(footage(still(face_at(0.4, 0.5, 0.3), face_at(1.3, 0.5, 0.4))))
    assert "2 people are visible at the same time at 0.0-2.0 s (counted by their faces)." in texts
    assert not any("One person" in text for text in texts)


def test_an_empty_picture_says_so_and_no_more_of_people() -> None:
    assert sentences(footage(still(), light=Light(5.0, 2.0, 8.0))) == [
        "No person's face is clearly visible in the picture.",
        "The picture is almost black (mean brightness 2 %).",
    ]


def test_light_that_changes_is_told_by_stretch() -> None:
    film = footage(still(samples=20), cuts=(2.0,))
    dark = Light(10.0, 0.0, 60.0)
    film = replace(film, lights=(DAY,) * 10 + (dark,) * 10)
    assert sentences(film)[-2:] == [
        "The picture is normally lit at 0.0-2.0 s (mean brightness 47 %).",
        "The picture is dark at 2.0-3.8 s (mean brightness 4 %).",
    ]


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (Step(-0.05, 0, 1), "The camera moves to the right at 0.2-1.8 s (by 0.50"),
        (Step(0.05, 0, 1), "The camera moves to the left at"),
        (Step(0, 0.05, 1), "The camera moves up at"),
        (Step(0, 0, 1.03), "The camera moves or zooms in at"),
        (Step(0, 0, 0.97), "The camera moves or zooms out at"),
    ],
)
def test_the_camera_moves_against_the_background(step: Step, text: str) -> None:
    assert any(t.startswith(text) for t in sentences(footage(still(step=step))))


def test_a_background_seen_too_seldom_says_nothing_of_the_camera() -> None:
    samples = still()
    samples = [
        replace(sample, step=Step(-0.1, 0, 1) if i < 4 else None)
        for i, sample in enumerate(samples)
    ]
    assert not any("camera" in text for text in sentences(footage(samples)))


def test_a_head_that_moves_much_moves_and_one_the_camera_follows_too() -> None:
    bobbing = samples_of(*[{"faces": (face_at(0.9, 0.5 + 0.1 * (i % 2)),)} for i in range(12)])
    assert any("The body of the person moves a lot" in t for t in sentences(footage(bobbing)))
    followed = still(face_at(0.9, 0.5), step=Step(-0.1, 0, 1))
    assert any("The body of the person moves a lot" in t for t in sentences(footage(followed)))
