"""Lines are followed by their strokes; rows, candidates and votes by known answers."""

from __future__ import annotations

import numpy as np
import pytest

from emer.tools.ocr.band import Written, legible, subtitles
from emer.tools.ocr.line_tracks import Line, candidates, moved, rows, standing
from emer.tools.ocr.networks import Box, Letters, vote
from emer.tools.types import Span

BOX = Box(40, 10, 140, 30)
SHAPE = (360, 640)


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 20, (60, 200)).astype(np.float32)


def letters(seed: int = 1) -> np.ndarray:
    picture = np.zeros((60, 200), np.float32)
    picture[10:30, 40:140] = np.random.default_rng(seed).choice([-60.0, 60.0], (20, 100))
    return picture


def test_a_line_stands_while_the_ground_changes_and_not_when_it_is_another() -> None:
    pattern = letters()[10:30, 40:140]
    assert standing(pattern, letters() + noise(2), BOX) > 0.8
    assert standing(pattern, letters(5) + noise(3), BOX) < 0.3
    assert standing(pattern, noise(4), BOX) < 0.3


def test_something_that_passes_behind_few_letters_does_not_end_a_line() -> None:
    picture = letters()
    picture[10:30, 100:140] = noise(6)[10:30, 100:140] * 10
    assert standing(letters()[10:30, 40:140], picture, BOX) > 0.8


@pytest.mark.parametrize("shift", [-12, 9])
def test_running_text_is_found_beside_its_place(shift: int) -> None:
    pattern = letters()[10:30, 40:140]
    assert moved(pattern, np.roll(letters(), shift, axis=1), BOX)
    assert not moved(pattern, letters(), BOX)


def test_neighbours_of_one_height_are_one_row_and_a_sign_beside_is_none() -> None:
    left, right = Box(200, 100, 300, 120), Box(320, 101, 440, 121)
    assert rows([right, left]) == [Box(200, 100, 440, 121)]
    far, small, below = Box(500, 100, 560, 120), Box(445, 104, 470, 116), Box(200, 140, 440, 160)
    assert len(rows([left, right, far, small, below])) == 4


def test_only_a_centred_line_of_a_subtitle_s_height_is_a_candidate() -> None:
    line, aside = Box(220, 100, 420, 122), Box(20, 100, 120, 122)
    assert candidates([line, aside], SHAPE) == [line]
    assert candidates([Box(220, 100, 420, 104)], SHAPE) == []
    assert candidates([Box(100, 40, 540, 160)], SHAPE) == []


def test_a_sign_close_to_a_line_does_not_hide_it() -> None:
    line, close = Box(220, 100, 420, 122), Box(440, 101, 500, 121)
    assert candidates([line, close], SHAPE) == [line]


def test_the_vote_takes_the_letter_with_the_most() -> None:
    reads = [
        Letters("cat", (0.9, 0.4, 0.9)),
        Letters("cut", (0.9, 0.8, 0.9)),
        Letters("cut", (0.9, 0.7, 0.9)),
    ]
    chosen = vote(reads)
    assert chosen.text == "cut"
    assert chosen.probabilities == pytest.approx((0.9, 0.5, 0.9))
    assert vote([Letters("", ()), Letters("", ())]).text == ""


def test_letters_that_are_not_read_are_an_ellipsis() -> None:
    assert legible(Letters("abcd", (0.9, 0.2, 0.1, 0.9))) == "a…d"


def line(
    text: str, at: tuple[float, float], middle: float = 0.88, runs: bool = False, **rest: float
) -> Written:
    span = Span(start=at[0], end=at[1])
    values = {"height": 0.06, "width": 0.4, "off": 0.0, **rest}
    shown = Line(span=span, middle=middle, runs=runs, picture=None, **values)
    return Written(shown, Letters(text, (0.99,) * len(text)))


def texts(*lines: Written) -> list[str]:
    return [each.letters.text for each in subtitles(lines)]


def test_the_band_of_the_lines_is_the_subtitles() -> None:
    first, second = line("one", (0, 2)), line("two", (2, 4))
    other = line("an advertisement", (0, 5), middle=0.96, height=0.04)
    assert texts(first, other, second) == ["one", "two"]


def test_running_text_is_no_band() -> None:
    assert texts(*(line("news", (n, n + 0.9), runs=True) for n in range(4))) == []


def test_rows_of_one_time_are_one_subtitle_and_of_another_time_two() -> None:
    upper = line("I said", (0, 2), middle=0.80)
    assert texts(upper, line("nothing", (0, 2)), line("more", (2, 4))) == ["I said nothing", "more"]


def test_a_line_that_was_lost_for_a_moment_is_one() -> None:
    (joined,) = subtitles([line("same", (0, 1)), line("same", (1.3, 2))])
    assert joined.span == Span(start=0, end=2)
    assert len(subtitles([line("same", (0, 1)), line("same", (3, 4))])) == 2


def test_single_letters_alone_are_no_subtitle() -> None:
    assert texts(line("就", (0, 1)), line("V", (2, 3))) == []
    assert texts(line("就", (0, 1)), line("你们走", (2, 3))) == ["就", "你们走"]
