"""Pitch, level and their changes are measured on sounds whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest

from emer.tools.prosody import contours as module
from emer.tools.prosody.baseline import hertz, shifts
from emer.tools.prosody.contours import measure, power_mean, without_jumps
from emer.tools.prosody.speech_rate import timing
from tests.fixtures.sounds import hiss, join, quiet, up, voice


@pytest.mark.parametrize("pitch", [90.0, 150.0, 220.0, 330.0])
def test_pitch_is_the_tone_s_frequency(pitch: float) -> None:
    found = measure(join(quiet(0.5), voice(pitch, 2), quiet(0.5)))
    assert hertz(float(np.nanmedian(found.pitch))) == pytest.approx(pitch, rel=0.01)


def test_pitch_is_found_where_the_voice_sounds() -> None:
    found = measure(join(quiet(1), voice(200, 2), quiet(1)))
    heard = np.flatnonzero(found.voiced)
    assert heard[0] / 100 == pytest.approx(1.0, abs=0.05)
    assert heard[-1] / 100 == pytest.approx(3.0, abs=0.05)
    assert found.voiced[heard[0] : heard[-1]].mean() > 0.95


def test_noise_has_no_pitch() -> None:
    found = measure(join(quiet(0.5), hiss(2, 0.1), quiet(0.5)))
    assert found.voiced_seconds < 0.1


def test_the_later_speech_is_measured_against_the_rest_of_the_clip() -> None:
    later = voice(up(3), 2, gain=0.1 * 10 ** (4 / 20))
    found = measure(join(quiet(0.5), voice(200, 8), quiet(0.5), later, quiet(0.5)))
    (shift,) = shifts(found, timing(found).phrases)
    assert shift.pitch == pytest.approx(3, abs=0.1)
    assert shift.level == pytest.approx(4, abs=0.3)
    assert shift.span.start == pytest.approx(9.0, abs=0.05)
    assert shift.against == "the speaker's other speech in the clip"


def test_little_speech_is_measured_against_its_first_part() -> None:
    found = measure(join(quiet(0.5), voice(200, 1.2), voice(up(5), 1.8), quiet(0.5)))
    (shift,) = shifts(found, timing(found).phrases)
    assert shift.pitch == pytest.approx(5, abs=0.1)
    assert shift.against == "the first part of the speech"
    assert shift.reliability < 1


def test_too_little_voice_has_no_baseline() -> None:
    found = measure(join(quiet(0.5), voice(200, 0.8), quiet(0.5)))
    assert shifts(found, timing(found).phrases) == ()


def test_octave_errors_are_dropped_and_steps_kept() -> None:
    pitch = np.full(100, 34.0)
    pitch[60:] = 39.0
    error = pitch.copy()
    error[30:36] += 12
    cleaned = without_jumps(error)
    assert np.isnan(cleaned[30:36]).all()
    # openSMILE smooths over three frames: those beside a jump are no true pitch either.
    assert np.isfinite(np.delete(cleaned, range(27, 39))).all()
    assert np.array_equal(without_jumps(pitch), pitch)


def test_long_sound_is_measured_in_pieces_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = join(quiet(0.3), voice(lambda t: 200 + 20 * np.sin(t), 6), quiet(0.3))
    whole = measure(sound)
    monkeypatch.setattr(module, "CHUNK", 2 * module.RATE)
    pieces = measure(sound)
    assert np.array_equal(whole.voiced, pieces.voiced)
    assert np.allclose(whole.pitch, pieces.pitch, atol=0.01, equal_nan=True)


def test_power_mean_is_over_power() -> None:
    assert power_mean(np.array([-20.0, -20.0])) == pytest.approx(-20)
    assert power_mean(np.array([0.0, -100.0])) == pytest.approx(-3.01, abs=0.01)
