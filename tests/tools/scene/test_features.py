"""Light is named after known brightness; the camera's step is measured on moved textures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from emer.tools.scene.features import (
    body_mask,
    camera_step,
    grey_of,
    light_kind,
    measure_light,
    median_light,
    stir,
)
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


def gradient(low: int, high: int) -> np.ndarray:
    row = np.linspace(low, high, 64).astype(np.uint8)
    return np.repeat(np.tile(row, (36, 1))[..., None], 3, axis=2)


@pytest.mark.parametrize(
    ("low", "high", "name"),
    [
        (0, 8, "almost black"),
        (0, 50, "dark"),
        (0, 85, "somewhat dark"),
        (20, 220, "normally lit"),
        (150, 255, "bright"),
        (100, 140, "low in contrast"),
    ],
)
def test_known_brightness_has_its_name(low: int, high: int, name: str) -> None:
    assert light_kind(measure_light(gradient(low, high))) == name


@given(st.integers(0, 255))
def test_a_flat_grey_measures_as_itself(level: int) -> None:
    light = measure_light(np.full((10, 10, 3), level, np.uint8))
    assert light.mean == pytest.approx(level, abs=0.5)
    assert light.high - light.low < 0.5


def test_black_bars_do_not_darken_the_picture() -> None:
    picture = gradient(60, 200)
    barred = picture.copy()
    barred[:9], barred[-9:] = 0, 0
    assert measure_light(barred).mean == pytest.approx(measure_light(picture).mean, abs=1)


def test_one_flash_does_not_change_the_light_of_the_clip() -> None:
    lights = [measure_light(gradient(0, 50))] * 9 + [measure_light(gradient(250, 255))]
    assert light_kind(median_light(lights)) == "dark"
