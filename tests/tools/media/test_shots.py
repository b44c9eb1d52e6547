"""Cuts are found where they are; flashes, motion and noise are not cuts."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from emer.tools.media.shots import cuts_between, describe, difference, differences
from tests.fixtures.figures import texture

FPS = 25
Picture = NDArray[np.uint8]


def scene(seed: int) -> Picture:
    """A smooth picture of its own colours and layout."""
    import cv2

    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 255, (3, 5, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (64, 36), interpolation=cv2.INTER_LINEAR), np.uint8)


def noisy(picture: Picture, frames: int, seed: int = 1) -> list[Picture]:
    rng = np.random.default_rng(seed)
    return [
        np.clip(picture + rng.normal(0, 3, picture.shape), 0, 255).astype(np.uint8)
        for _ in range(frames)
    ]


def cuts_of(frames: list[Picture]) -> tuple[float, ...]:
    return cuts_between([*map(describe, frames)], [i / FPS for i in range(len(frames))])


def test_the_first_picture_of_each_new_shot_is_found() -> None:
    frames = noisy(scene(1), 20) + noisy(scene(2), 30) + noisy(scene(3), 25)
    assert cuts_of(frames) == pytest.approx((20 / FPS, 50 / FPS))


@pytest.mark.parametrize("seed", range(6))
def test_cuts_between_dark_scenes_are_found(seed: int) -> None:
    one, two = scene(10 + seed) // 4, scene(20 + seed) // 4
    assert cuts_of(noisy(one, 20) + noisy(two, 20)) == pytest.approx((20 / FPS,))


def test_one_steady_picture_has_no_cut() -> None:
    assert cuts_of(noisy(scene(4), 60)) == ()


@pytest.mark.parametrize("length", [1, 2, 4])
def test_a_flash_is_no_cut(length: int) -> None:
    frames = noisy(scene(5), 50)
    for i in range(20, 20 + length):
        frames[i] = np.full_like(frames[i], 255)
    assert cuts_of(frames) == ()


def test_a_cut_beside_a_flash_is_still_found() -> None:
    frames = noisy(scene(5), 30) + noisy(scene(6), 30)
    frames[10] = np.full_like(frames[10], 255)
    assert cuts_of(frames) == pytest.approx((30 / FPS,))


def test_fast_motion_is_no_cut() -> None:
    wide = np.tile(texture(36, 320, seed=3, grain=12), (1, 2, 1))
    frames = [np.ascontiguousarray(wide[:, 8 * i : 8 * i + 64]) for i in range(40)]
    assert cuts_of(frames) == ()


def test_a_change_of_light_is_no_cut() -> None:
    base = scene(7).astype(float)
    frames = [(base * (0.4 + 0.6 * i / 40)).astype(np.uint8) for i in range(40)]
    assert cuts_of(frames) == ()


def test_a_dissolve_is_found_near_its_middle() -> None:
    one, two = scene(1).astype(float), scene(2).astype(float)
    mixed = [(one * (1 - a) + two * a).astype(np.uint8) for a in np.linspace(0, 1, 20)]
    found = cuts_of(noisy(scene(1), 30) + mixed + noisy(scene(2), 30))
    assert len(found) == 1
    assert found[0] == pytest.approx(40 / FPS, abs=0.3)


def test_a_black_moment_between_shots_is_one_change() -> None:
    black = [np.zeros((36, 64, 3), np.uint8)] * 3
    found = cuts_of(noisy(scene(1), 25) + black + noisy(scene(2), 25))
    assert found == pytest.approx((25 / FPS,))


def test_single_pixels_and_single_pictures_are_compared_too() -> None:
    dot = [np.full((1, 1, 3), level, np.uint8) for level in (10, 10, 240, 240)]
    assert cuts_between([*map(describe, dot)], [0.0, 1.0, 2.0, 3.0]) == (2.0,)
    assert cuts_between([describe(dot[0])], [0.0]) == ()
    assert cuts_between([], []) == ()


def test_many_pairs_are_compared_as_each_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emer.tools.media.shots.PAIRS", 3)
    seen = [describe(scene(seed)) for seed in range(8)]
    whole, layout = differences([*pairwise(seen)])
    assert whole.tolist() == [difference(a, b) for a, b in pairwise(seen)]
    assert ((layout >= 0) & (layout <= 1)).all()
    assert whole.min() > 0
