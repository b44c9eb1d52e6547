"""Words burnt into the picture are found and gone; a picture without them is left alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from emer.tools.caption.subtitle_mask import (
    blanked,
    find_subtitles,
    lower_quarter,
    subtitle_lines,
)
from emer.tools.media.clip import Clip
from tests.fixtures.checkpoints.caption import room, with_words

SAID = ("You never told me about that", "What is it?", "I did not want to hurt you")
SIZES = ((240, 320), (360, 640), (480, 854), (640, 360))
Find = Callable[[str], Path]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("words", ["What is it?", "Hello, my friend"])
def test_words_are_found_where_they_are(size, words):
    for seed in range(6):
        bare = room(seed, size)
        written = with_words(bare, words)
        band = find_subtitles([written] * 3)
        assert band is not None
        changed = np.abs(written.astype(int) - bare).max(axis=2) > 8
        rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
        assert band.top <= rows[0] and rows[-1] < band.bottom
        assert band.left <= columns[0] and columns[-1] < band.right
        assert band.bottom - band.top < 0.2 * size[0]


def test_what_was_written_is_gone_and_the_rest_is_untouched():
    bare = room(3)
    one, other = with_words(bare, SAID[0]), with_words(bare, SAID[2])
    band = find_subtitles([one, other, one])
    assert band is not None
    first, second = blanked(one, band), blanked(other, band)
    assert np.array_equal(first, second), "nothing is left of what differed"
    outside = np.ones(bare.shape[:2], bool)
    outside[band.top : band.bottom, band.left : band.right] = False
    assert np.array_equal(first[outside], one[outside])
    assert subtitle_lines(first) is None and not np.array_equal(one, first)
    assert one.flags.writeable and find_subtitles([one]) is not None, "the picture itself is kept"


def test_words_on_two_lines_are_gone_together():
    pictures = [with_words(with_words(room(n), SAID[0], 0.8), SAID[2], 0.92) for n in range(3)]
    band = find_subtitles(pictures)
    assert band is not None and band.top < 0.8 * 240 - 10 and band.bottom > 0.92 * 240
    assert all(subtitle_lines(blanked(picture, band)) is None for picture in pictures)


def test_words_that_come_and_go_are_found_by_the_few_pictures_that_show_them():
    silent, spoken = [room(n) for n in range(20)], [with_words(room(n), SAID[0]) for n in range(3)]
    assert find_subtitles([*silent, *spoken]) is not None
    assert find_subtitles([*silent, spoken[0]]) is None, "one picture alone may be chance"


@pytest.mark.parametrize("seed", range(8))
def test_a_picture_without_words_is_left_alone(seed):
    plain = [room(seed * 10 + n) for n in range(4)]
    assert find_subtitles(plain) is None
    speckled = [np.array(picture) for picture in plain]
    made = np.random.default_rng(seed)
    for picture in speckled:
        for y, x in zip(made.integers(140, 235, 9), made.integers(5, 310, 9), strict=True):
            picture[y : y + 6, x : x + 3] = 240
    assert find_subtitles(speckled) is None


def test_words_at_the_top_or_too_few_are_not_taken_for_subtitles():
    assert (
        find_subtitles([with_words(room(n), "A SIGN ABOVE THE DOOR", 0.2) for n in range(3)])
        is None
    )
    assert find_subtitles([with_words(room(n), "OK") for n in range(3)]) is None


def test_the_lower_part_is_the_lowest_quarter():
    band = lower_quarter(room(0))
    assert (band.top, band.bottom, band.left, band.right) == (180, 240, 0, 320)
    gone = blanked(with_words(room(0), SAID[1]), band)
    assert np.array_equal(gone[:180], with_words(room(0), SAID[1])[:180])
    assert subtitle_lines(gone) is None


@pytest.mark.parametrize(
    "name",
    ["talking/WDA_KatieHill_000.mp4", "faces/WolfgangLanger_Pexels.mp4", "faces/single_face.mp4"],
)
def test_real_clips_have_none_until_we_write_some(name, shared_clip: Find):
    pictures = [frame.rgb(768) for frame in Clip.open(shared_clip(name)).frames(fps=2)]
    assert find_subtitles(pictures) is None
    assert find_subtitles([with_words(picture, "You should have told me") for picture in pictures])
