"""Light is named after known brightness, black bars left out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emer.tools.scene.features import kind, measure, overall


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
    assert kind(measure(gradient(low, high))) == name


@given(st.integers(0, 255))
def test_a_flat_grey_measures_as_itself(level: int) -> None:
    light = measure(np.full((10, 10, 3), level, np.uint8))
    assert light.mean == pytest.approx(level, abs=0.5)
    assert light.high - light.low < 0.5


def test_black_bars_do_not_darken_the_picture() -> None:
    picture = gradient(60, 200)
    barred = picture.copy()
    barred[:9], barred[-9:] = 0, 0
    assert measure(barred).mean == pytest.approx(measure(picture).mean, abs=1)


def test_one_flash_does_not_change_the_light_of_the_clip() -> None:
    lights = [measure(gradient(0, 50))] * 9 + [measure(gradient(250, 255))]
    assert kind(overall(lights)) == "dark"
