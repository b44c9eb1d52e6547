"""Sounds that are no speech are told as such and have no speaker's pitch."""

from __future__ import annotations

import numpy as np
import pytest

from emer.tools.prosody.contours import measure_sound
from emer.tools.prosody.sounds import knocks, other_sounds, steadiness
from emer.tools.speech.vad import SILERO, best_detector, levels
from tests.fixtures.sounds import (
    Sound,
    applause,
    barks,
    hiss,
    hum,
    join,
    knock_sounds,
    notes,
    quiet,
    siren,
    voice,
)

TUNE = notes(220, 262, 330, 294, 262, 220)
NO_SPEECH = [
    (TUNE, "music"),
    (knock_sounds(6), "knocks"),
    (barks(6), "other"),
    (siren(4), "other"),
    (applause(3), "other"),
    (hiss(3, 0.1), "other"),
]


@pytest.mark.skipif(best_detector() != SILERO, reason="faster-whisper is not installed")
@pytest.mark.parametrize(
    ("sound", "kind"), NO_SPEECH, ids=["tune", "knocks", "barks", "siren", "applause", "hiss"]
)
def test_a_sound_that_is_no_speech_is_named_and_has_no_pitch(sound: Sound, kind: str) -> None:
    heard = measure_sound(join(quiet(0.5), sound, quiet(0.5)), SILERO)
    assert not heard.voice.speech.any()
    assert not heard.voice.voiced.any()
    found = other_sounds(heard.clean, heard.voice.level, heard.voice.speech)
    assert found and {each.kind for each in found} == {kind}
    assert found[0].span.start == pytest.approx(0.5, abs=0.2)


def test_music_and_hum_are_no_voice_without_the_network_either() -> None:
    assert not measure_sound(join(quiet(0.5), TUNE, quiet(0.5))).voice.voiced.any()
    assert not measure_sound(hum(4, 50.0, 0.05)).voice.voiced.any()
    assert measure_sound(join(quiet(0.5), voice(200, 3), quiet(0.5))).voice.voiced_seconds > 2.5


def test_sounds_beside_speech_are_told_and_the_speech_is_not() -> None:
    sound = join(quiet(0.5), voice(200, 2), quiet(1.5), knock_sounds(5), quiet(0.5))
    speech = np.zeros(len(levels(sound)), dtype=bool)
    speech[50:250] = True
    (found,) = other_sounds(sound, levels(sound), speech)
    assert (found.kind, found.value) == ("knocks", 5)
    assert found.span.start == pytest.approx(4.0, abs=0.1)


def test_knocks_are_counted() -> None:
    assert len(knocks(levels(join(quiet(0.3), knock_sounds(7), quiet(0.3))))) == 7
    assert knocks(levels(siren(3))) == []


def test_notes_are_steady_and_voices_and_noise_are_not() -> None:
    assert steadiness(TUNE).mean() > 0.8
    assert steadiness(voice(200, 3)).mean() < 0.1
    assert steadiness(hiss(3, 0.1)).mean() < 0.1
    assert steadiness(TUNE[:4000]).size == 0


def test_long_sound_is_measured_in_pieces_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = steadiness(TUNE)
    monkeypatch.setattr("emer.tools.prosody.sounds.CHUNK", 50)
    assert np.allclose(steadiness(TUNE), whole, atol=1e-6)
