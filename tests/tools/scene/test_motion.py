"""The camera's step is measured on textures moved by known amounts."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from emer.tools.scene.features import body_mask, camera_step, grey_of, stir
from tests.fixtures.figures import face_at, texture

NOBODY = np.zeros((90, 160), np.uint8)


def moved(picture: NDArray[np.uint8], dx: float, dy: float, zoom: float = 1.0) -> NDArray[np.uint8]:
    """The picture's content shifted by pixels and zoomed about its middle."""
    height, width = picture.shape[:2]
    middle = (1 - zoom) * width / 2 + dx, (1 - zoom) * height / 2 + dy
    matrix = np.array([[zoom, 0, middle[0]], [0, zoom, middle[1]]])
    return np.asarray(
        cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REFLECT), np.uint8
    )


@pytest.mark.parametrize(("dx", "dy"), [(0, 0), (5, 0), (-7, 3), (0, -6), (2.5, 1.5)])
def test_a_shift_is_measured_in_picture_heights(dx: float, dy: float) -> None:
    before = texture(seed=1)
    step = camera_step(grey_of(before), grey_of(moved(before, dx, dy)), NOBODY)
    assert step is not None
    assert step.dx == pytest.approx(dx / 90, abs=0.006)
    assert step.dy == pytest.approx(dy / 90, abs=0.006)
    assert step.zoom == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("zoom", [0.94, 1.06])
def test_a_zoom_is_measured(zoom: float) -> None:
    before = texture(seed=2)
    step = camera_step(grey_of(before), grey_of(moved(before, 0, 0, zoom)), NOBODY)
    assert step is not None
    assert step.zoom == pytest.approx(zoom, abs=0.01)
    assert abs(step.dx) < 0.01


def test_a_moving_person_is_not_the_camera() -> None:
    face = face_at(0.9, 0.4, height=0.35)
    mask = body_mask((90, 160), [face])
    before = texture(seed=3)
    after = before.copy()
    after[mask > 0] = moved(before, 9, 0)[mask > 0]
    step = camera_step(grey_of(before), grey_of(after), mask)
    assert step is not None
    assert abs(step.dx) < 0.006
    assert (stir(grey_of(before), grey_of(after), mask, step) or 0) > 0.3
    assert stir(grey_of(before), grey_of(before), mask, step) == 0.0


def test_nothing_is_said_of_the_camera_before_a_plain_wall() -> None:
    plain = np.full((90, 160), 128, np.uint8)
    assert camera_step(plain, plain, NOBODY) is None


def test_one_moving_thing_before_a_plain_wall_is_not_the_camera() -> None:
    before, after = (np.full((90, 160, 3), 128, np.uint8) for _ in range(2))
    before[30:55, 60:100] = texture(25, 40, seed=4, grain=4)
    after[24:49, 60:100] = texture(25, 40, seed=4, grain=4)
    assert camera_step(grey_of(before), grey_of(after), NOBODY) is None


def test_a_step_is_not_made_up_for_unlike_pictures() -> None:
    step = camera_step(grey_of(texture(seed=5)), grey_of(texture(seed=6)), NOBODY)
    assert step is None


def test_the_body_lies_below_the_face() -> None:
    mask = body_mask((100, 200), [face_at(1.0, 0.3, height=0.2)])
    assert mask[30, 100] == 255
    assert mask[95, 110] == 255
    assert mask[30, 20] == mask[95, 20] == 0
