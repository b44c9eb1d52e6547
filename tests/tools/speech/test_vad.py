"""Speech is found where it was put, and nowhere else."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emer.tools.media.clip import Clip
from emer.tools.speech.vad import is_silent, join_runs, levels, speech_spans, true_runs
from tests.fixtures.sounds import hiss, join, quiet, voice

SPEECH = Path(__file__).parents[3] / "tests/fixtures/demo/speech.flac"


def test_levels_are_decibels_of_full_scale() -> None:
    tone = np.sin(2 * np.pi * 400 * np.arange(16_000) / 16_000).astype(np.float32)
    assert levels(tone)[5:-5] == pytest.approx(-3.01, abs=0.05)
    assert levels(tone / 10)[5:-5] == pytest.approx(-23.01, abs=0.05)
    assert levels(np.zeros(1600, dtype=np.float32)) == pytest.approx(-120)
    assert levels(np.zeros(0, dtype=np.float32)).size == 0


def test_speech_is_where_it_was_put() -> None:
    sound = join(quiet(0.8), voice(150, 2), quiet(0.6), voice(220, 1), quiet(1))
    found = [(span.start, span.end) for span in speech_spans(sound)]
    assert np.allclose(found, [(0.8, 2.8), (3.4, 4.4)], atol=0.12)


@pytest.mark.parametrize("gain", [0.001, 0.01, 0.3])
def test_a_soft_recording_has_the_same_speech_as_a_loud_one(gain: float) -> None:
    sound = join(quiet(0.8) * 0.01, voice(150, 2), quiet(0.8) * 0.01) * np.float32(gain / 0.1)
    (span,) = speech_spans(sound)
    assert (span.start, span.end) == pytest.approx((0.8, 2.8), abs=0.12)


def test_silence_hiss_and_hum_are_no_speech() -> None:
    hum = np.sin(2 * np.pi * 100 * np.arange(48_000) / 16_000).astype(np.float32) * 0.1
    assert is_silent(np.zeros(48_000, dtype=np.float32))
    assert is_silent(hiss(3, 0.00003))
    assert not is_silent(hum.astype(np.float32))
    for sound in (np.zeros(48_000, dtype=np.float32), hiss(3, 0.1), hum.astype(np.float32)):
        assert speech_spans(sound) == ()


def test_spoken_sentences_are_found_in_the_demo_s_recording() -> None:
    """The file says what is in it: a sentence to 1.9 s, 0.2 s of silence, another one."""
    samples = Clip.open(SPEECH).samples()
    spans = speech_spans(samples, gap=0.1)
    assert spans[0].start < 0.2
    assert spans[-1].end > 3.2
    assert any(a.end <= 2.15 and b.start >= 1.85 for a, b in pairwise(spans))


@given(st.lists(st.booleans(), max_size=60), st.integers(0, 8))
@settings(max_examples=80, deadline=None)
def test_runs_are_what_was_true_and_joining_only_fills_short_gaps(
    flags: list[bool], gap: int
) -> None:
    runs = true_runs(np.array(flags, dtype=bool))
    covered = np.zeros(len(flags), dtype=bool)
    for start, end in runs:
        covered[start:end] = True
    assert covered.tolist() == flags
    joined = join_runs(runs, gap)
    gaps = [b[0] - a[1] for a, b in pairwise(joined)]
    assert all(each >= max(gap, 1) for each in gaps)
    assert sum(end - start for start, end in joined) >= sum(flags)
