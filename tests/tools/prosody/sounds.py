"""Voices made to measure: harmonic tones with known pitch, level, rhythm and pauses."""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
Sound = NDArray[np.float32]
Times = NDArray[np.float64]


def voice(
    pitch: float | Callable[[Times], Times],
    seconds: float,
    rate: float = 4.0,
    gain: float = 0.1,
    depth: float = 0.9,
) -> Sound:
    """Return 24 harmonics of `pitch` Hz falling as 1/k, swelling `rate` times per second.

    The same `gain` is the same power at every pitch.
    """
    time = np.arange(round(seconds * RATE)) / RATE
    hertz = pitch(time) if callable(pitch) else np.full(time.shape, pitch)
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    wave_form = np.sum([np.sin(k * phase) / k for k in range(1, 25)], axis=0)
    swell = 1 - depth * (0.5 + 0.5 * np.cos(2 * np.pi * rate * time))
    return np.asarray(0.5 * gain * wave_form / wave_form.std() * swell, dtype=np.float32)


def quiet(seconds: float) -> Sound:
    """Return a room's noise, 80 dB below full scale."""
    noise = np.random.default_rng(7).normal(0, 1e-4, round(seconds * RATE))
    return noise.astype(np.float32)


def hiss(seconds: float, gain: float) -> Sound:
    """Return white noise."""
    noise = np.random.default_rng(3).normal(0, gain, round(seconds * RATE))
    return noise.astype(np.float32)


def up(semitones: float, hertz: float = 200.0) -> float:
    """Return the frequency that many semitones above `hertz`."""
    return float(hertz * 2 ** (semitones / 12))


def join(*sounds: Sound) -> Sound:
    """Return the sounds one after the other."""
    return np.concatenate(sounds)


def write(path: Path, sound: Sound) -> Path:
    """Write the sound as a 16 bit WAV file that a clip can be opened from."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return path
