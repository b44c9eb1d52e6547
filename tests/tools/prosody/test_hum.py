"""Hum under a voice is found and taken out; a voice is not taken for one."""

from __future__ import annotations

import numpy as np
import pytest

from emer.tools.prosody.baseline import hertz
from emer.tools.prosody.contours import measure
from emer.tools.prosody.hum import find_hum, without_hum
from tests.fixtures.sounds import hiss, hum, join, quiet, voice


@pytest.mark.parametrize(("mains", "pitch"), [(50.0, 220.0), (60.0, 130.0), (60.0, 330.0)])
def test_pitch_survives_mains_hum_as_loud_as_the_voice(mains: float, pitch: float) -> None:
    speech = join(quiet(0.5), voice(pitch, 2.5), quiet(0.8), voice(pitch, 1.5), quiet(0.5))
    found = measure(speech + hum(5.8, mains, 0.05))
    assert hertz(float(np.nanmedian(found.pitch))) == pytest.approx(pitch, rel=0.02)
    assert found.voiced_seconds > 3


def test_the_tones_of_hum_are_named_and_only_they() -> None:
    speech = join(quiet(0.5), voice(200, 2.5), quiet(0.8), voice(200, 1.5), quiet(0.5))
    found = find_hum(speech + hum(5.8, 60.0, 0.05))
    assert found.rumble
    assert {60, 120, 180} <= {round(tone) for tone in found.tones}
    assert all(min(tone % 60, 60 - tone % 60) < 2 for tone in found.tones)
    assert find_hum(speech) == (False, ())


def test_the_level_is_brought_to_the_usual_one_and_nothing_is_delayed() -> None:
    speech = join(quiet(0.5), voice(200, 2), quiet(0.5))
    faint, _ = without_hum(speech * np.float32(0.003))
    loud, _ = without_hum(speech)
    assert np.percentile(np.abs(faint), 99.5) == pytest.approx(0.25, rel=0.01)
    shift = np.argmax(np.correlate(loud[8000:24000], speech[7900:24100], mode="valid"))
    assert abs(int(shift) - 100) <= 8  # half a millisecond


def test_long_sound_is_filtered_in_pieces_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    speech = join(quiet(0.5), voice(200, 5), hiss(0.5, 0.01))
    whole, _ = without_hum(speech)
    monkeypatch.setattr("emer.tools.prosody.hum.CHUNK", 32_000)
    pieces, _ = without_hum(speech)
    assert np.abs(whole - pieces).max() < 1e-3
