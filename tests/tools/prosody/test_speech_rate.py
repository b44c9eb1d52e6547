"""Pauses, syllables and other sounds are found where they were put."""

from __future__ import annotations

import numpy as np
import pytest

from emer.tools.prosody import vocal_bursts
from emer.tools.prosody.contours import measure
from emer.tools.prosody.pitch import final_change, level_excursions, pitch_excursions, pitch_range
from emer.tools.prosody.speech_rate import timing
from tests.fixtures.sounds import RATE, Sound, hiss, join, quiet, up, voice


def test_pauses_are_where_they_were_put() -> None:
    sound = join(quiet(0.5), voice(200, 2), quiet(0.4), voice(200, 1), quiet(1.2), voice(200, 1))
    found = timing(measure(join(sound, quiet(0.5))))
    ends = [(pause.start, pause.end) for pause in found.pauses]
    assert np.allclose(ends, [(2.5, 2.9), (3.9, 5.1)], atol=0.06)


@pytest.mark.parametrize("rate", [2.5, 4.0, 5.5, 7.0])
def test_syllables_are_counted_by_their_swells(rate: float) -> None:
    found = timing(measure(join(quiet(0.5), voice(180, 4, rate=rate), quiet(0.5))))
    assert found.rate == pytest.approx(rate, rel=0.06)


def test_a_final_rise_and_fall_are_told_apart() -> None:
    def ends_with(semitones: float) -> float | None:
        def pitch(time: np.ndarray) -> np.ndarray:
            return 180 * 2 ** (np.clip(time - 1.7, 0, 0.3) / 0.3 * semitones / 12)

        found = measure(join(quiet(0.5), voice(pitch, 2, depth=0.5), quiet(0.6)))
        return final_change(found, timing(found).phrases[-1])

    assert ends_with(5) == pytest.approx(5, abs=1.2)
    assert ends_with(-5) == pytest.approx(-5, abs=1.2)
    assert ends_with(0) == pytest.approx(0, abs=0.5)


def test_an_utterance_that_the_clip_cuts_off_has_no_end() -> None:
    found = measure(join(quiet(0.5), voice(lambda t: 150 + 60 * t, 2)))
    assert final_change(found, timing(found).phrases[-1]) is None


def test_intonation_range_is_that_of_the_melody() -> None:
    # A sine of amplitude a spends its middle 60 % within 0.809 a: the range is 1.618 a.
    sound = voice(lambda t: 200 * 2 ** (3 * np.sin(2 * np.pi * 0.5 * t) / 12), 8)
    found = measure(join(quiet(0.3), sound, quiet(0.3)))
    assert pitch_range(found) == pytest.approx(1.618 * 3, abs=0.3)


def test_a_sharp_rise_is_found_and_ordinary_accents_are_not() -> None:
    def with_rise(semitones: float) -> Sound:
        return join(quiet(0.5), voice(200, 2), voice(up(semitones), 0.5), voice(200, 2), quiet(0.5))

    (rise,) = pitch_excursions(measure(with_rise(8)))
    assert rise.amount == pytest.approx(8, abs=0.2)
    assert rise.span.overlaps(type(rise.span)(start=2.5, end=3.0))
    assert pitch_excursions(measure(with_rise(4))) == ()


def test_a_burst_of_loudness_is_found() -> None:
    loud = voice(200, 0.6, gain=0.4)
    found = measure(join(quiet(0.5), voice(200, 4), loud, voice(200, 4), quiet(0.5)))
    (burst,) = level_excursions(found)
    assert burst.span.start == pytest.approx(4.5, abs=0.3)


def test_a_trembling_voice_is_told_from_a_steady_and_a_gliding_one() -> None:
    def trembling(depth: float, rate: float) -> tuple[vocal_bursts.Burst, ...]:
        pitch = lambda t: 200 * 2 ** (depth * np.sin(2 * np.pi * rate * t) / 12)  # noqa: E731
        return vocal_bursts.tremor(measure(join(quiet(0.5), voice(pitch, 2, rate=1), quiet(0.5))))

    (found,) = trembling(1.0, 7.0)
    assert found.value == pytest.approx(7.0, abs=0.3)
    assert trembling(0.0, 7.0) == trembling(3.0, 1.0) == ()


def laugh(step: float, fade: float) -> Sound:
    notes = [quiet(0.8)]
    for k in range(7):
        note = voice(300, 0.09, depth=0, gain=0.2 * fade**k)
        shape = np.hanning(note.size).astype(np.float32)
        notes += [note * shape, hiss(step - 0.09, 0.004 * fade**k)]
    return join(*notes, quiet(0.8))


def test_even_fading_breathy_pulses_are_laughter_like() -> None:
    (found,) = vocal_bursts.laughter(measure(laugh(0.21, 0.75)))
    assert found.value == 7
    assert found.span.start == pytest.approx(0.8, abs=0.1)


def test_syllables_are_no_laughter() -> None:
    assert (
        vocal_bursts.laughter(measure(join(quiet(0.5), voice(200, 3, rate=4.5), quiet(0.5)))) == ()
    )
    assert vocal_bursts.laughter(measure(laugh(0.4, 0.75))) == ()
    assert vocal_bursts.laughter(measure(laugh(0.21, 1.0))) == ()


def test_a_breath_out_after_speech_is_sigh_like_and_one_before_it_is_not() -> None:
    fading = np.exp(-np.arange(round(0.8 * RATE)) / RATE / 0.3).astype(np.float32)
    breath = hiss(0.8, 0.006) * fading
    speech = voice(200, 2, gain=0.3)
    (after,) = vocal_bursts.sighs(measure(join(quiet(0.5), speech, quiet(0.5), breath, quiet(1))))
    assert after.span.start == pytest.approx(3.0, abs=0.1)
    assert (
        vocal_bursts.sighs(measure(join(quiet(0.5), breath, quiet(0.2), speech, quiet(0.5)))) == ()
    )
