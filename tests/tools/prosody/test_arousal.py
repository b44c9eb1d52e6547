"""Arousal of a voice without a baseline: scale, bounds, what it does not depend on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emer.tools.media.clip import Clip
from emer.tools.prosody.arousal import OPEN, Arousal, arousal
from emer.tools.prosody.contours import Contours, measure
from emer.tools.prosody.egemaps import EGeMAPS
from emer.tools.prosody.sentences import aroused, effort
from emer.tools.types import Span
from tests.fixtures.sounds import RATE, Sound, join, quiet

SPAN = Span(start=0.5, end=2.5)
SOFT, LOUD = (-20.0, 30.0), (-7.0, 16.0)
MIDDLE = (-13.5, 23.0)


def contours(alpha: float, hammarberg: float, hertz: float) -> Contours:
    """Contours of a voice that never changes, with a stretch of silence."""
    voiced = np.arange(200) < 150

    def curve(value: float) -> np.ndarray:
        return np.where(voiced, value, np.nan)

    pitch, flat = curve(12 * np.log2(hertz / 27.5)), curve(0.1)
    level = np.where(voiced, -20.0, -80.0)
    return Contours(level, voiced, pitch, curve(alpha), curve(hammarberg), flat, flat, flat)


@pytest.mark.parametrize(
    ("balance", "hertz", "score"),
    [
        (SOFT, 150, -1.0),
        (LOUD, 150, 1.0),
        (MIDDLE, 119, 0.0),
        (MIDDLE, 207, 0.0),
        (MIDDLE, 207 * 2 ** (2.5 / 12), 0.5),
        (MIDDLE, 119 * 2 ** (-1.25 / 12), -0.25),
        (MIDDLE, 500, 0.5),
        (LOUD, 60, 0.5),
        ((-7.0, 30.0), 150, 0.0),
    ],
)
def test_the_score_lies_between_soft_and_loud(balance, hertz: float, score: float) -> None:
    assert arousal(contours(*balance, hertz)).score == pytest.approx(score, abs=1e-6)


@given(st.floats(-35, 0), st.floats(5, 45), st.floats(60, 500), st.floats(0.5, 10))
def test_more_effort_never_lowers_it(alpha: float, hammarberg: float, hertz: float, more: float):
    here = arousal(contours(alpha, hammarberg, hertz)).score
    assert arousal(contours(alpha + more, hammarberg, hertz)).score > here
    assert arousal(contours(alpha, hammarberg - more, hertz)).score > here
    assert arousal(contours(alpha, hammarberg, hertz + more)).score >= here


def spoken(tilt: float, hertz: float, gain: float = 0.1, seed: int = 0) -> Sound:
    """Vowel-like sound whose harmonics fall as k ** -tilt, with syllables of random height."""
    made = np.random.default_rng(seed)
    time = np.arange(2 * RATE) / RATE
    moved = hertz * 2 ** (0.15 * np.sin(2 * np.pi * 0.9 * time + made.uniform(0, 6)))
    phase = 2 * np.pi * np.cumsum(moved) / RATE
    harmonics = range(1, int(5000 / hertz))
    wave = np.sum([np.sin(k * phase + made.uniform(0, 6)) * k**-tilt for k in harmonics], axis=0)
    swell = 0.55 - 0.45 * np.cos(2 * np.pi * 4 * time)
    sound = gain * wave / wave.std() * swell
    return join(quiet(0.4), sound.astype(np.float32), quiet(0.4))


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 99), st.sampled_from([110.0, 150.0, 210.0]))
def test_a_steeper_spectrum_is_lower_and_the_gain_counts_for_nothing(seed: int, hertz: float):
    bright, dull = (arousal(measure(spoken(tilt, hertz, seed=seed))) for tilt in (0.6, 2.4))
    assert bright.score > 0.5 and dull.score < -0.5
    faint = arousal(measure(spoken(0.6, hertz, gain=0.02, seed=seed)))
    assert faint.score == pytest.approx(bright.score, abs=0.15)


def told(score: float, balance: float) -> list[str]:
    voice = Arousal(score, balance, -9.0, 18.0, 240.0)
    return [each.text for each in (*aroused(voice, SPAN), *effort(voice, SPAN))]


def test_the_sentences_say_what_was_measured() -> None:
    assert told(0.5, 0.7) == [
        "The voice is slightly high in arousal (index +0.5 of alpha ratio -9 dB, Hammarberg index "
        "18 dB and a median of 240 Hz) at 0.5-2.5 s, against typical values.",
        "The voice sounds tense and sharp (alpha ratio -9 dB, Hammarberg index 18 dB) at "
        "0.5-2.5 s, against typical values.",
    ]
    assert told(-1.2, -1.1)[0].startswith("The voice is low in arousal (index -1.2 of")
    assert told(-1.2, -1.1)[1].startswith("The voice sounds soft and dull (alpha ratio")
    assert told(OPEN - 0.01, 0.5) == []
    assert told(-OPEN + 0.01, -0.5) == []


@pytest.mark.slow
def test_labelled_voices_are_told_on_their_side(shared_clip: Callable[[str], Path]) -> None:
    """Anger (W) and boredom (L) of EmoDB: most are told, and most of them right."""
    folder = shared_clip("speech/emodb")
    for letter, right, wrong in (("W", "high", "low"), ("L", "low", "high")):
        files = sorted(folder.glob(f"?????{letter}?.flac"))[::4]
        cues = [{m.cue for c in EGeMAPS().observe(Clip.open(f)) for m in c.cues} for f in files]
        rightly, wrongly = (
            sum(f"voice_{side}_arousal" in each for each in cues) for side in (right, wrong)
        )
        assert rightly >= 0.6 * len(files) and wrongly <= 0.25 * len(files)
