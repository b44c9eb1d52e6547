"""Word times and voice activity: words begin where speech does, in their order."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from emer.tools.speech.transcript import TimedWord
from emer.tools.speech.vad import RATE
from emer.tools.speech.word_times import Activity, placed
from emer.tools.types import Span
from tests.fixtures.sounds import join, quiet, voice

EDGES = ((0.5, 1.5), (2.3, 3.3))


def sound() -> np.ndarray:
    """Return two seconds of voice in known stretches of a quiet room."""
    return join(quiet(0.5), voice(150, 1.0, depth=0.0), quiet(0.8), voice(150, 1.0, depth=0.0),
                quiet(0.7))  # fmt: skip


def activity(late: float = 0.0) -> Activity:
    """Return what a detector finds that is late by so many seconds at both edges."""
    return Activity(sound(), [Span(start=a + late, end=b + late) for a, b in EDGES])


def spoken(*timed: tuple[float, float]) -> list[TimedWord]:
    return [TimedWord(f" w{n}", start, end, 0.9) for n, (start, end) in enumerate(timed)]


def times(words: list[TimedWord], of: Activity) -> list[tuple[float, float]]:
    return [(word.start, word.end) for word in placed(words, of)]


@pytest.mark.parametrize("late", [-0.12, 0.0, 0.12])
def test_edges_of_speech_are_where_the_level_rises_and_falls(late):
    found = [edge for stretch in activity(late).stretches for edge in stretch]
    assert found == pytest.approx([0.5, 1.5, 2.3, 3.3], abs=0.025)


def test_noise_leaves_the_detector_s_edges():
    noise = np.random.default_rng(0).normal(0, 0.1, 4 * RATE).astype(np.float32)
    (stretch,) = Activity(noise, [Span(start=1.0, end=2.0)]).stretches
    assert stretch == pytest.approx((1.0, 2.0), abs=0.25)


def test_a_pause_does_not_count_to_the_word_behind_it():
    words = spoken((0.1, 0.9), (0.9, 1.45), (1.45, 2.6), (2.6, 3.2))
    found = times(words, activity())
    assert [start for start, _ in found] == pytest.approx([0.5, 0.9, 2.3, 2.6], abs=0.03)
    assert found[1][1] == pytest.approx(1.45, abs=0.03)


def test_a_word_in_a_pause_goes_to_the_nearest_speech_and_one_far_from_all_is_left_out():
    assert times(spoken((2.0, 2.2)), activity())[0][0] == pytest.approx(2.3, abs=0.03)
    assert times(spoken((4.3, 4.6)), activity()) == []
    assert times(spoken((0.6, 1.0)), Activity(sound(), [])) == []


def test_words_stay_in_speech_and_in_order_whatever_a_recogniser_says():
    made, of = np.random.default_rng(4), activity()
    for _ in range(200):
        starts = np.sort(made.uniform(0, 4, 6))
        ends = np.minimum(starts + made.uniform(0.02, 1.0, 6), 4.0)
        found = placed(spoken(*zip(starts.tolist(), ends.tolist(), strict=True)), of)
        for word in found:
            inside = [s for s in of.stretches if s.start - 0.02 <= word.start <= s.end]
            assert inside and word.start < word.end
        assert all(a.start <= b.start for a, b in itertools.pairwise(found))
