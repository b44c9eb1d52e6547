"""Voices are told apart by channel, or by embeddings that form two groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from emer.tools.speakers.encoder import BANDS, LENGTH, Floats, mel_frames
from emer.tools.speakers.voices import voices_by_channel, voices_by_embedding
from emer.tools.speech.vad import Flags, speech_frames
from tests.fixtures.sounds import Sound, hiss, join, quiet, voice


def band_of(windows: Sequence[Floats]) -> Sequence[Floats]:
    """Embed a window by where its energy lies: two directions, with a common part."""
    random = np.random.default_rng(5)
    found = []
    for window in windows:
        assert window.shape == (LENGTH, BANDS)
        high = float(window[:, 20:].sum() / window.sum()) > 0.5
        vector = 0.4 + np.array([*([1.0, 0.0] if high else [0.0, 1.0]), *random.uniform(0, 0.1, 6)])
        vector[:2] **= 2
        found.append((vector / np.linalg.norm(vector)).astype(np.float32))
    return found


def tones(*hertz: float) -> tuple[Sound, Flags]:
    """Swelling tones of 2 s, one after the other with short pauses, and where they are."""
    time = np.arange(32_000) / 16_000
    swell = 0.1 * (1.2 - np.cos(2 * np.pi * 4 * time))
    each = [
        join((swell * np.sin(2 * np.pi * f * time)).astype(np.float32), quiet(0.4)) for f in hertz
    ]
    sound = join(*each)
    frames = np.ones(len(sound) // 160, dtype=bool)
    for k in range(len(hertz)):
        frames[k * 240 + 200 : (k + 1) * 240] = False
    return sound, frames


def test_two_groups_of_windows_are_two_voices_in_the_order_of_their_turns() -> None:
    sound, speech = tones(400, 400, 4000, 400, 4000)
    found = voices_by_embedding(sound, speech, band_of)
    assert found.certain and found.similarity is not None and found.similarity < 0.54
    one, two = found.voices
    assert [(round(t.start, 1), round(t.end, 1)) for t in one.turns] == [(0.0, 4.4), (7.2, 9.2)]
    assert [(round(t.start, 1), round(t.end, 1)) for t in two.turns] == [(4.8, 6.8), (9.6, 11.6)]
    assert not (one.frames & two.frames).any()
    assert (one.frames | two.frames).sum() == speech.sum()


def test_one_group_is_one_voice_and_a_word_of_another_is_none() -> None:
    sound, speech = tones(400, 430, 400, 420)
    assert voices_by_embedding(sound, speech, band_of).voices == ()
    assert voices_by_embedding(sound[:16_000], speech[:100], band_of).voices == ()
    sound, speech = tones(400, 400, 400, 4000)
    speech[720 + 70 :] = False  # 0.7 s of the other
    assert voices_by_embedding(sound, speech, band_of).voices == ()


def test_voices_with_a_channel_each_are_two_and_one_in_the_middle_is_not() -> None:
    left = join(voice(120, 2), quiet(2.5))
    right = join(quiet(2.5), voice(230, 2))
    speech = speech_frames((left + right) / 2)
    found = voices_by_channel(np.stack([left, right], axis=1), speech)
    assert [v.channel for v in found.voices] == [0, 1]
    assert [round(t.start, 1) for v in found.voices for t in v.turns] == [0.0, 2.5]
    swapped = voices_by_channel(np.stack([right, left], axis=1), speech)
    assert [(v.number, v.channel) for v in swapped.voices] == [(1, 1), (2, 0)]
    middle = join(voice(120, 2), quiet(0.5), voice(230, 2))
    noise = hiss(4.5, 0.001)
    both = np.stack([middle, middle + noise], axis=1)
    assert voices_by_channel(both, speech_frames(middle)).voices == ()
    assert voices_by_channel(middle[:, None], speech_frames(middle)).voices == ()


@pytest.mark.parametrize("hertz", [300.0, 1500.0, 6000.0])
def test_mel_energies_lie_where_the_tone_is(hertz: float) -> None:
    time = np.arange(16_000) / 16_000
    frames = mel_frames((0.1 * np.sin(2 * np.pi * hertz * time)).astype(np.float32))
    assert frames.shape == (101, BANDS)
    mel = hertz * 15 / 1000 if hertz < 1000 else 15 + 27 * np.log(hertz / 1000) / np.log(6.4)
    top = 15 + 27 * np.log(8) / np.log(6.4)
    assert int(np.argmax(frames[50])) == pytest.approx(mel * (BANDS + 1) / top - 1, abs=1)


def test_faint_speech_is_raised_and_loud_speech_is_not() -> None:
    sound = voice(200, 1)
    assert np.allclose(mel_frames(sound * np.float32(1e-3)), mel_frames(sound * np.float32(1e-4)))
    assert mel_frames(sound * 2).sum() == pytest.approx(4 * mel_frames(sound).sum(), rel=1e-3)
