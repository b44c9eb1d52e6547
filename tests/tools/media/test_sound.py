"""Channels are mixed so that none cancels; level, clipping and length are told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emer.tools.media.clip import Clip
from emer.tools.media.sound import mixed
from tests.fixtures.clips import Written, write_clip
from tests.fixtures.sounds import Sound, hiss, join, quiet, voice, write

SPEECH = join(quiet(0.2), voice(180, 1.5, gain=0.4), quiet(0.3))


def opened(folder: Path, *channels: Sound) -> Clip:
    sound = channels[0] if len(channels) == 1 else np.stack(channels, axis=1)
    return Clip.open(write(folder / "sound.wav", sound))


def test_channels_of_opposite_phase_do_not_cancel(tmp_path: Path) -> None:
    clip = opened(tmp_path, SPEECH, -SPEECH)
    assert np.abs(clip.samples() - SPEECH).max() < 1e-3
    assert clip.sound().inverted and clip.sound().channels.shape[1] == 1
    assert any("channel is inverted" in note for note in clip.notes)


def test_an_inverted_channel_of_another_level_is_turned_round(tmp_path: Path) -> None:
    clip = opened(tmp_path, SPEECH, np.float32(-0.5) * SPEECH)
    assert np.abs(clip.samples() - np.float32(0.75) * SPEECH).max() < 1e-3


def test_channels_of_their_own_are_kept_and_equal_ones_are_one(tmp_path: Path) -> None:
    other = join(hiss(1.0, 0.1), quiet(1.0))
    two = opened(tmp_path, SPEECH, other).sound()
    assert two.channels.shape == (32_000, 2) and not two.inverted
    assert np.abs(two.channels[:, 1] - other).max() < 1e-3
    assert np.abs(two.mono - (SPEECH + other) / 2).max() < 1e-3
    assert opened(tmp_path, SPEECH, SPEECH).sound().channels.shape == (32_000, 1)


def test_a_quiet_recording_and_a_clipped_one_are_told(tmp_path: Path) -> None:
    faint = opened(tmp_path, SPEECH * np.float32(0.01))
    assert faint.sound().is_quiet and not faint.sound().is_clipped
    assert any("recorded quietly" in note for note in faint.notes)
    cut = opened(tmp_path, SPEECH * np.float32(20))
    assert cut.sound().is_clipped and not cut.sound().is_quiet
    assert any("clipped" in note for note in cut.notes)
    usual = opened(tmp_path, SPEECH)
    assert usual.sound().clipped == 0 and not usual.sound().is_quiet
    assert usual.notes == ()
    assert not opened(tmp_path, SPEECH * 0).sound().is_quiet  # silent, which is told elsewhere


def test_a_peak_that_just_fits_is_not_clipped() -> None:
    sound = (SPEECH / np.abs(SPEECH).max())[:, None].copy()
    assert mixed(sound).clipped < 0.01


@pytest.mark.parametrize(
    ("start", "seconds", "told"),
    [
        (0.0, 1.0, ["the sound ends at 1.0 s of 2.0 s"]),
        (1.0, 1.0, ["the sound begins at 1.0 s of 2.0 s"]),
        (0.0, 1.9, []),
    ],
)
def test_sound_shorter_than_the_picture_is_told(
    tmp_path: Path, start: float, seconds: float, told: list[str]
) -> None:
    pictures = [k / 25 for k in range(50)]
    what = Written(pictures, [90] * 50, sound=voice(200, seconds), sound_start=start)
    clip = Clip.open(write_clip(tmp_path / "clip.mkv", what))
    clip.samples()
    assert [note for note in clip.notes if "the sound" in note] == told
