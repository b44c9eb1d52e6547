"""Contours of a voice: pitch, level and voice quality every 10 ms."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emer.tools.prosody.hum import Hum, without_hum
from emer.tools.prosody.sounds import music_frames
from emer.tools.runtime.native import importing
from emer.tools.speech.vad import (
    RATE,
    WEBRTC,
    Flags,
    Samples,
    levels,
    noise_floor,
    speech_frames,
    true_runs,
    voice_frames,
)

HOP = 0.01
"""Seconds per frame; frame k is centred on (k + 0.5) * HOP."""
CHUNK = 60 * RATE
MARGIN = RATE // 2
"""Samples measured twice at each seam, so that none shows in the curves."""
PITCH_DELAY = 2
"""openSMILE stamps a 60 ms pitch window with its start: 30 ms before its centre."""
JUMP = 10.0
"""Semitones within 30 ms that no voice moves: an octave error (chosen by us)."""

_COLUMNS = {
    "pitch": "F0semitoneFrom27.5Hz_sma3nz",
    "alpha": "alphaRatio_sma3",
    "hammarberg": "hammarbergIndex_sma3",
    "hnr": "HNRdBACF_sma3nz",
    "jitter": "jitterLocal_sma3nz",
    "shimmer": "shimmerLocaldB_sma3nz",
}
_lock = threading.Lock()

Curve = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Contours:
    """Curves of one clip, each of shape (n,) with a frame every 10 ms.

    `pitch` is in semitones above 27.5 Hz, NaN in unvoiced frames, as are the curves of voice
    quality. `level` is in dB, of sound brought to a usual level, and never NaN.
    """

    level: Curve
    speech: Flags
    pitch: Curve
    alpha: Curve
    hammarberg: Curve
    hnr: Curve
    jitter: Curve
    shimmer: Curve
    others: Flags | None = None
    """Frames in which another voice speaks, where several are distinguished."""

    @property
    def voiced(self) -> Flags:
        """Mask of the frames of speech with a pitch."""
        return np.isfinite(self.pitch)

    @property
    def voiced_seconds(self) -> float:
        """Seconds of voiced speech."""
        return float(self.voiced.sum() * HOP)

    @property
    def voiced_share(self) -> float:
        """Share of the speech frames that are voiced, 0 when there is no speech."""
        return float(self.voiced.sum() / max(1, self.speech.sum()))

    @property
    def snr(self) -> float:
        """Level of the voice over the level between the words, in dB."""
        spoken = self.speech if self.others is None else self.speech | self.others
        voice, quiet = self.level[self.voiced], self.level[~spoken]
        if not voice.size:
            return 0.0
        floor = np.percentile(quiet, 25) if quiet.size >= 20 else noise_floor(self.level)
        return float(power_mean(voice) - max(floor, -90.0))

    def part(self, start: float, end: float) -> Contours:
        """Curves with everything outside [start, end) s masked as silence."""
        inside = np.zeros(self.level.shape, dtype=bool)
        inside[round(start / HOP) : round(end / HOP)] = True
        return self.masked(inside)

    def masked(self, frames: Flags, others: Flags | None = None) -> Contours:
        """Curves with all but these frames masked as silence, and those of other voices."""
        masked = {name: np.where(frames, getattr(self, name), np.nan) for name in _COLUMNS}
        kept = self.others if others is None else others
        return replace(self, speech=self.speech & frames, others=kept, **masked)


@dataclass(frozen=True, slots=True)
class Heard:
    """What is heard of a clip.

    Args:
        voice: Contours of the speech.
        every: Contours of every sound that rises above the noise and is like a voice.
        clean: The sound without hum, at a usual level, mono at 16 kHz.
        hum: What was taken out.
    """

    voice: Contours
    every: Contours
    clean: Samples
    hum: Hum


def measure(samples: Samples, detector: str = WEBRTC) -> Contours:
    """Contours of the speech in mono 16 kHz sound in [-1, 1], float32 of shape (n,).

    `detector` is the name of one of speech, silero or webrtc.
    """
    return measure_sound(samples, detector).voice


def measure_sound(samples: Samples, detector: str = WEBRTC) -> Heard:
    """Contours of the speech, and of all sound that is like a voice; as `measure`.

    Long sound is measured in pieces of a minute, to bound openSMILE's memory.
    """
    clean, hum = without_hum(samples)
    level = levels(clean)
    raw = _descriptors(clean, level.size)
    found = raw.pop("pitch")

    def of(frames: Flags) -> Contours:
        pitch = without_jumps(np.where(frames & (found > 0), found, np.nan))
        others = {name: np.where(np.isfinite(pitch), curve, np.nan) for name, curve in raw.items()}
        return Contours(level=level, speech=frames, pitch=pitch, **others)

    loose = speech_frames(clean)
    if detector == WEBRTC:
        voice = of(loose & ~music_frames(clean, loose))
    else:
        voice = of(voice_frames(clean, detector))
    return Heard(voice=voice, every=of(loose), clean=clean, hum=hum)


def without_jumps(pitch: Curve) -> Curve:
    """Pitch without octave errors and without runs shorter than 30 ms.

    Where it jumps by more than 10 semitones within 30 ms, the shorter side is dropped
    if it is as far from the clip's median.
    """
    cleaned = pitch.copy()
    if not np.isfinite(pitch).any():
        return cleaned
    median = float(np.nanmedian(pitch))
    for first, last in true_runs(np.isfinite(pitch)):
        steps = np.abs(pitch[first + 3 : last] - pitch[first : last - 3])
        jumps = first + 2 + np.flatnonzero(steps > JUMP)
        for start, end in pairwise([first, *jumps, last]):
            far = end > start and abs(float(np.median(pitch[start:end])) - median) > JUMP
            if end - start < 3 or (end - start < 15 and far):
                cleaned[start:end] = np.nan
    return cleaned


def power_mean(level: Curve) -> float:
    """Mean of levels in dB, taken over their power."""
    return float(10 * np.log10(np.mean(10 ** (level / 10))))


def _descriptors(samples: Samples, count: int) -> dict[str, Curve]:
    """Descriptors of openSMILE on the 10 ms grid, zeros where it gave none."""
    curves = {name: np.zeros(count) for name in _COLUMNS}
    for start in range(0, len(samples), CHUNK):
        begin = max(0, start - MARGIN)
        part = samples[begin : start + CHUNK + MARGIN]
        if len(part) < RATE // 10:
            continue
        table = _smile(part)
        for name, column in _COLUMNS.items():
            delay = 0 if name in ("alpha", "hammarberg") else PITCH_DELAY
            values, at = table[column], begin // 160 + delay
            first, last = (
                max(start // 160, at),
                min((start + CHUNK) // 160, at + values.size, count),
            )
            if last > first:
                curves[name][first:last] = np.nan_to_num(values[first - at : last - at])
    return curves


def _smile(samples: Samples) -> dict[str, Curve]:
    """Low-level descriptors by name, of at least 0.1 s of sound."""
    # openSMILE's own object must not be used by two threads at once.
    with _lock:
        smile = _extractor()
        # Called like this it returns an array, not a data frame.
        rows = smile(samples, RATE)[0].astype(float)
        return dict(zip(smile.feature_names, rows, strict=True))


@cache
def _extractor() -> Any:
    with importing():
        import opensmile

    return opensmile.Smile(
        feature_set=opensmile.FeatureSet.eGeMAPSv02,
        feature_level=opensmile.FeatureLevel.LowLevelDescriptors,
    )
