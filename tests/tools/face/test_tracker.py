"""Faces followed through real pictures: small ones, several, cuts and turns of shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from emer.tools.face.analysis import Person, find_people
from emer.tools.face.detector import region_around
from emer.tools.face.geometry import measure
from emer.tools.face.tracker import (
    CROPS_PER_S,
    SIDE,
    Footage,
    add_crop,
    brightened,
    cut_face,
    follow,
    sharpness_of,
)
from tests.fixtures import puppet

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Still:
    """A frame made for the test."""

    index: int
    time: float
    image: Image

    def rgb(self, max_side: int | None = None) -> Image:
        return self.image


def scene(faces: Sequence[tuple[int, int, int]], size: tuple[int, int] = (360, 640),
          shade: int = 110) -> Image:  # fmt: skip
    """Return a picture with portraits pasted in: (x, y, height of the portrait) each."""
    picture = np.full((*size, 3), shade, np.uint8)
    for x, y, height in faces:
        width = round(height * 512 / 600)
        small = cv2.resize(puppet.portrait(), (width, height), interpolation=cv2.INTER_AREA)
        picture[y : y + height, x : x + width] = small
    return picture


def film(*shots: tuple[int, Image]) -> list[Still]:
    """Return frames at 25 fps: each shot's picture so many times, with a little grain."""
    grain = np.random.default_rng(3)
    frames = []
    for count, picture in shots:
        for _ in range(count):
            noisy = picture.astype(np.int16) + grain.integers(-2, 3, picture.shape)
            index = len(frames)
            frames.append(Still(index, index / 25, np.clip(noisy, 0, 255).astype(np.uint8)))
    return frames


def watch(frames: list[Still]) -> tuple[Footage, tuple[Person, ...]]:
    footage = follow(frames, puppet.networks(), 1280)
    return footage, find_people(footage)


def test_one_face_is_one_track() -> None:
    footage, people = watch(film((30, scene([(200, 20, 320)]))))
    assert len(footage.tracks) == len(people) == 1
    assert len(people[0].measures) == 30
    assert footage.tracks[0].shot == 0


def test_two_faces_are_two_people_the_larger_first() -> None:
    _, people = watch(film((30, scene([(30, 60, 200), (330, 20, 320)]))))
    assert [round(p.place, 1) for p in people] == [0.7, 0.2]


def test_small_faces_are_found() -> None:
    _, people = watch(film((30, scene([(60, 200, 90), (440, 200, 110)], (480, 640)))))
    assert len(people) == 2
    assert all(p.measures.size.max() < 45 for p in people)


def test_a_picture_without_faces_has_no_tracks() -> None:
    footage, people = watch(film((20, scene([]))))
    assert footage.tracks == () and people == ()


def test_a_cut_splits_the_track_and_the_person_survives_it() -> None:
    here, there = scene([(200, 20, 320)], shade=110), scene([(60, 60, 280)], shade=110)
    nobody = scene([], shade=240)
    footage, people = watch(film((20, here), (10, nobody), (20, there)))
    assert [t.shot for t in footage.tracks] == [0, 2]
    assert len(people) == 1
    assert len(people[0].measures) == 40


def test_brightening_at_once_is_not_a_new_person() -> None:
    dim = (scene([(200, 20, 320)]) * 0.45).astype(np.uint8)
    _, people = watch(film((20, scene([(200, 20, 320)])), (20, dim)))
    assert len(people) == 1


def test_dark_pictures_are_brightened_gradually() -> None:
    tones = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    before = brightened(tones, 62.0).astype(int)
    for light in np.arange(61.5, 3.0, -0.5):
        now = brightened(tones, float(light)).astype(int)
        assert np.abs(now - before).max() <= 12
        assert (now >= tones).all()
        before = now
    assert brightened(tones, 10.0).mean() > tones.mean() + 30


def test_different_people_stay_apart(shared_clip: object) -> None:
    from emer.tools.media.clip import Clip

    first = Clip.open(shared_clip("faces/liveportrait_d18.mp4"))  # type: ignore[operator]
    second = Clip.open(shared_clip("faces/liveportrait_d3.mp4"))  # type: ignore[operator]
    pictures = [
        *(f.rgb(480) for f in first.frames(fps=10)),
        *(f.rgb(480) for f in second.frames(fps=10)),
    ]
    frames = [Still(i, i / 10, p) for i, p in enumerate(pictures)]
    footage, people = watch(frames)
    assert max(track.shot for track in footage.tracks) >= 1
    assert len(people) == 2


@pytest.mark.parametrize("shape", [(600, 512), (600, 1067), (900, 512)])
def test_the_pictures_shape_does_not_change_the_measures(shape: tuple[int, int]) -> None:
    """MediaPipe divides x by the width and y by the height: a trap on wide pictures."""
    wide = np.full((*shape, 3), 90, np.uint8)
    wide[:600, :512] = puppet.portrait()
    points = []
    for picture in (puppet.portrait(), wide):
        found = puppet.networks().detect(picture, tiled=False)[0]
        first = puppet.networks().mesh(picture, found.region)
        assert first is not None
        again = puppet.networks().mesh(picture, region_around(first))
        assert again is not None
        points.append(again)
    plain, padded = (measure(np.zeros(1), p[None]) for p in points)
    for name in ("brow_inner", "brow_gap", "mouth_width", "corner_eye", "chin_drop"):
        assert getattr(padded, name) == pytest.approx(getattr(plain, name), abs=0.03), name


def points() -> np.ndarray:
    found = puppet.networks().detect(puppet.portrait(), tiled=False)[0]
    marks = puppet.networks().mesh(puppet.portrait(), found.region)
    assert marks is not None
    return marks


def moved(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the portrait and its landmarks under an affine map."""
    height, width = puppet.portrait().shape[:2]
    picture = cv2.warpAffine(puppet.portrait(), matrix, (width, height))
    marks = points().copy()
    marks[:, :2] = marks[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    return picture, marks


@pytest.mark.parametrize(("turn", "scale"), [(25.0, 1.0), (-40.0, 1.0), (0.0, 0.6), (15.0, 0.5)])
def test_a_turned_or_smaller_face_gives_the_same_picture(turn, scale):
    plain = cut_face(puppet.portrait(), points()).astype(float)
    centre = tuple(float(v) for v in points()[:, :2].mean(axis=0))
    picture, marks = moved(cv2.getRotationMatrix2D(centre, turn, scale))
    cut = cut_face(picture, marks).astype(float)
    assert cut.shape == (SIDE, SIDE) and np.corrcoef(plain.ravel(), cut.ravel())[0, 1] > 0.93


def test_a_large_face_is_shrunk_without_false_detail():
    big = cv2.resize(puppet.portrait(), None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    marks = points() * np.array((4, 4, 4), np.float32)
    plain, cut = cut_face(puppet.portrait(), points()), cut_face(big, marks)
    assert np.abs(plain.astype(float) - cut).mean() < 6


def test_a_face_at_the_edge_is_filled_up():
    marks = points() - np.array((*points()[:, :2].mean(axis=0), 0), np.float32)
    cut = cut_face(puppet.portrait(), marks)
    assert cut.shape == (SIDE, SIDE) and (cut > 0).mean() > 0.9


def test_blur_lowers_the_sharpness_contrast_does_not():
    cut = cut_face(puppet.portrait(), points())
    blurred = cv2.GaussianBlur(cut, (0, 0), 2)
    assert sharpness_of(blurred) < 0.5 * sharpness_of(cut)
    assert sharpness_of((cut // 2).astype(np.uint8)) == pytest.approx(sharpness_of(cut), rel=0.1)
    assert sharpness_of(np.full((SIDE, SIDE), 9, np.uint8)) == 0


def test_of_each_quarter_second_the_sharpest_stays():
    crops, sharp, marks = [], puppet.portrait(), points()
    soft = cv2.GaussianBlur(sharp, (0, 0), 4)
    for number in range(50):
        add_crop(crops, number / 25, sharp if number % 6 in (3, 4, 5) else soft, marks)
    assert len(crops) == 2 * CROPS_PER_S
    assert [int(crop.time * CROPS_PER_S) for crop in crops] == list(range(8))
    assert np.median([crop.sharpness for crop in crops]) > 2 * sharpness_of(cut_face(soft, marks))
