"""Upright pictures of a face, kept in passing."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from emer.tools.face.tracker import KEPT_PER_S, SIDE, cut_face, keep, sharpness_of
from tests.fixtures import puppet


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
        keep(crops, number / 25, sharp if number % 6 in (3, 4, 5) else soft, marks)
    assert len(crops) == 2 * KEPT_PER_S
    assert [int(crop.time * KEPT_PER_S) for crop in crops] == list(range(8))
    assert np.median([crop.sharpness for crop in crops]) > 2 * sharpness_of(cut_face(soft, marks))
