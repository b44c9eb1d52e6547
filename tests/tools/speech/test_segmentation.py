"""What is cut out of the sound is put back in time."""

from __future__ import annotations

import numpy as np
import pytest

from emer.tools.speech.segmentation import LONGEST, PAD, Segment, cut
from emer.tools.types import Span

RATE = 16_000


def ramp(seconds: float) -> np.ndarray:
    return np.linspace(0.1, 1, round(seconds * RATE), dtype=np.float32)


def test_only_long_silences_are_cut() -> None:
    speech = [Span(start=1, end=2), Span(start=2.3, end=3), Span(start=6, end=7)]
    (piece,) = cut(ramp(10), speech)
    bounds = [(start / RATE, end / RATE) for start, end in piece.parts]
    assert bounds == [(1 - PAD, 3 + PAD), (6 - PAD, 7 + PAD)]


def test_pauses_up_to_a_length_stay_in_the_sound() -> None:
    speech = [Span(start=1, end=2), Span(start=3.5, end=4), Span(start=8, end=9)]
    (piece,) = cut(ramp(10), speech, 28.0, pad=0.5, bridged=2.0)
    bounds = [(start / RATE, end / RATE) for start, end in piece.parts]
    assert bounds == [(0.5, 4.5), (7.5, 9.5)]


def test_long_speech_is_cut_at_its_longest_pause_and_not_where_it_is_full() -> None:
    edges = [(0, 12), (12.3, 15), (16.2, 27.5), (27.8, 40)]
    speech = [Span(start=a, end=b) for a, b in edges]
    first, second = cut(ramp(41), speech, 28.0, pad=0.5, bridged=2.0)
    assert first.parts[-1][1] / RATE == pytest.approx(15.6, abs=0.01)
    assert second.parts[0][0] == first.parts[-1][1]


def test_times_lead_back_to_the_clip() -> None:
    piece = Segment(((RATE, 2 * RATE), (5 * RATE, 6 * RATE)))
    assert piece.clip_time(0.0) == 1.0
    assert piece.clip_time(0.5) == 1.5
    assert piece.clip_time(1.25) == 5.25
    assert piece.clip_time(9.0) == 6.0
    samples = ramp(8)
    sound = piece.sound(samples)
    for seconds in (0.3, 0.9, 1.1, 1.7):
        at = round(piece.clip_time(seconds) * RATE)
        assert sound[round(seconds * RATE)] == samples[at]


def test_no_piece_is_too_long_and_nothing_is_lost() -> None:
    samples = ramp(70)
    samples[18 * RATE : 18 * RATE + 2000] = 0
    pieces = cut(samples, [Span(start=0, end=70)])
    assert all(piece.size <= LONGEST * RATE for piece in pieces)
    assert np.array_equal(np.concatenate([p.sound(samples) for p in pieces]), samples)
    assert pieces[0].parts[-1][1] / RATE == pytest.approx(18, abs=0.15)


def test_speech_at_the_edges_stays_in_the_clip() -> None:
    (piece,) = cut(ramp(2), [Span(start=0, end=2)])
    assert piece.parts == ((0, 2 * RATE),)
