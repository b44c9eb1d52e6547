"""Voice activity: sound level with the WebRTC detector, or Silero's network."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emer.tools.errors import Unobservable
from emer.tools.media.clip import Clip
from emer.tools.runtime.native import importing
from emer.tools.timeseries import stretches
from emer.tools.types import Span

RATE = 16_000
HOP = RATE // 100
"""Samples per 10 ms frame."""
SILENCE_DB = -75.0
"""Most level of a silent track in dB of full scale: about 6 steps of 16 bit."""
ABOVE_FLOOR_DB = 9.0
"""How far speech must rise above the clip's noise floor (chosen by us)."""
BELOW_PEAK_DB = 35.0
"""How far below the loudest voice speech can fall (de Jong & Wempe 2009 use 25)."""
STEADY_DB = 6.0
"""Least variation of speech by its syllables; a hum or hiss varies less."""
BLOCK = 60 * 100
"""10 ms frames processed together: a minute, however long the sound."""
SILERO, WEBRTC = "silero", "webrtc"
"""Names of the detectors: of `silero_spans` and of `speech_spans`."""
SHORTEST, GAP = 0.1, 0.25
"""Seconds: shorter stretches of speech are left out, shorter pauses bridged."""
REACH, HEARD_SHARE = 100, 0.1
"""Frames around, and share of, a stretch in which the network hears speech (chosen by us).

It misses parts of high, cried or sung voices; in 72 files of EmoDB and RAVDESS it hears 95 %
of the frames that are speech by level, at least 53 %.
"""
Samples = NDArray[np.float32]
Levels = NDArray[np.float64]
Flags = NDArray[np.bool_]


def levels(samples: Samples) -> Levels:
    """Level in dB of full scale per 10 ms, shape (ceil(n / 160),).

    Frame k is the root mean square over 20 ms centred on (k + 0.5) * 10 ms; digital
    silence is -120 dB.
    """
    count = -(-len(samples) // HOP)
    if count == 0:
        return np.zeros(0)
    blocks = range(0, count + 1, BLOCK)
    power = np.concatenate([_power(samples, k, min(k + BLOCK, count + 1)) for k in blocks])
    pairs = (power[:-1] + power[1:]) / (2 * HOP)
    # The first and last window hang over the edge by a quarter each.
    return np.asarray(10 * np.log10(np.maximum(pairs, 1e-12)))


def _power(samples: Samples, first: int, last: int) -> Levels:
    """Sums of squares of the stretches of HOP samples that end inside frames.

    Stretch k begins half a frame before frame k; outside of the sound there is silence.
    """
    begin = first * HOP - HOP // 2
    part = samples[max(0, begin) : last * HOP - HOP // 2]
    padded = np.zeros((last - first) * HOP)
    padded[max(0, -begin) :][: len(part)] = part
    return np.asarray(np.square(padded).reshape(-1, HOP).sum(axis=1))


def is_silent(samples: Samples) -> bool:
    """Whether the track holds no more than digital silence or its dither."""
    level = levels(samples)
    return level.size == 0 or float(level.max()) < SILENCE_DB


def audible_samples(clip: Clip) -> Samples:
    """The clip's sound; `Unobservable` where its track is silent."""
    samples = clip.samples()
    if is_silent(samples):
        raise Unobservable("the audio track is silent")
    return samples


def noise_floor(level: Levels) -> float:
    """Level in dB that the clip's quietest tenth stays under."""
    audible = level[level > -100]
    return float(np.percentile(audible, 10)) if audible.size else -120.0


def speech_frames(samples: Samples) -> Flags:
    """Per 10 ms frame whether it may be speech; same shape as `levels`.

    A frame counts when it rises above the noise floor and the WebRTC detector (through
    pocketsphinx) classifies it as speech. A steady sound has none.
    """
    level = levels(samples)
    if level.size == 0 or float(level.max()) < SILENCE_DB:
        return np.zeros(level.shape, dtype=bool)
    peak, floor = float(np.percentile(level, 95)), noise_floor(level)
    if peak - floor < STEADY_DB:
        return np.zeros(level.shape, dtype=bool)
    risen = min(floor + ABOVE_FLOOR_DB, peak - ABOVE_FLOOR_DB)
    loud = level >= max(risen, peak - BELOW_PEAK_DB, SILENCE_DB)
    return loud & _detected(samples, level.size)


def voice_frames(samples: Samples, detector: str) -> Flags:
    """Per 10 ms frame whether a voice speaks, as the detector of this name hears it.

    With Silero's network a stretch of `speech_frames` counts where the network hears speech in
    some of it; where the level tells nothing (clipped sound), the network alone decides.
    """
    frames = speech_frames(samples)
    if detector != SILERO:
        return frames
    heard = np.zeros(frames.shape, dtype=bool)
    for span in silero_spans(samples):
        heard[round(span.start * 100) : round(span.end * 100)] = True
    if not frames.any():
        return heard
    near = np.convolve(heard, np.ones(2 * REACH + 1), mode="same")[: frames.size] > 0
    voiced = np.zeros(frames.shape, dtype=bool)
    for start, end in join_runs(true_runs(frames & near), 50):
        size = frames[start:end].sum()
        voiced[start:end] = heard[start:end].sum() >= HEARD_SHARE * size
    accepted: Flags = frames & near & voiced
    return accepted


def speech_spans(samples: Samples, gap: float = GAP) -> tuple[Span, ...]:
    """Stretches of speech in seconds, in order, none overlapping.

    Pauses shorter than `gap` s are bridged, stretches shorter than `SHORTEST` s left out. A pure
    function of the samples (mono, 16 kHz, in [-1, 1]).
    """
    runs = join_runs(true_runs(speech_frames(samples)), round(gap * 100))
    return tuple(
        Span(start=start / 100, end=end / 100)
        for start, end in runs
        if end - start >= round(SHORTEST * 100)
    )


def true_runs(flags: Flags) -> list[tuple[int, int]]:
    """The [start, end) index pairs of the stretches where `flags` holds."""
    return [(one.first, one.last + 1) for one in stretches(flags)]


def join_runs(runs: list[tuple[int, int]], gap: int) -> list[tuple[int, int]]:
    """The runs, those less than `gap` frames apart joined."""
    joined: list[tuple[int, int]] = []
    for start, end in runs:
        if joined and start - joined[-1][1] < gap:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def to_pcm(samples: Samples) -> bytes:
    """The samples as little-endian 16 bit, clipped at full scale."""
    return (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


def _detected(samples: Samples, count: int) -> Flags:
    """The WebRTC detector's flags, 30 ms decisions spread over 10 ms frames."""
    from pocketsphinx import Vad

    detector: Any = Vad(mode=1, sample_rate=RATE, frame_length=0.03)  # 0 is loose, 3 strict
    size = int(detector.frame_bytes)
    # The detector depends on the level: the loud parts are brought to -12 dB.
    top = float(np.percentile(np.abs(samples), 99.5, overwrite_input=True))
    gain = np.float32(0.25 / top if top > 0 else 1.0)
    flags: list[bool] = []
    for first in range(0, len(samples), BLOCK * HOP):
        pcm = to_pcm(samples[first : first + BLOCK * HOP] * gain)
        steps = range(0, len(pcm) - size + 1, size)
        flags += [bool(detector.is_speech(pcm[at : at + size])) for at in steps]
    spread = np.repeat(np.array(flags, dtype=bool), 3)[:count]
    return np.pad(spread, (0, count - spread.size), mode="edge" if spread.size else "constant")


def best_detector() -> str:
    """Silero's where its packages are installed, else WebRTC's; nothing is imported."""
    there = all(find_spec(name) is not None for name in ("faster_whisper", "onnxruntime"))
    return SILERO if there else WEBRTC


def silero_spans(samples: Samples) -> tuple[Span, ...]:
    """Stretches of speech by Silero's network, in seconds, in order, none overlapping.

    Music and noise hardly deceive this detector. faster-whisper carries it (MIT) and runs it
    with onnxruntime; nothing is downloaded.
    """
    with importing():
        from faster_whisper.vad import VadOptions, get_speech_timestamps
    settings = VadOptions(
        threshold=0.5,
        min_speech_duration_ms=round(1000 * SHORTEST),
        min_silence_duration_ms=round(1000 * GAP),
        speech_pad_ms=0,
    )
    return tuple(
        Span(start=part["start"] / RATE, end=min(part["end"], len(samples)) / RATE)
        for part in get_speech_timestamps(samples, settings)
    )


def find_speech(samples: Samples, detector: str) -> tuple[Span, ...]:
    """Stretches of speech by the detector of this name (`SILERO` or `WEBRTC`)."""
    return silero_spans(samples) if detector == SILERO else speech_spans(samples)


def speech_share(speech: Sequence[Span]) -> float:
    """Share of speech between its first and last moment."""
    return sum(s.length for s in speech) / max(0.01, speech[-1].end - speech[0].start)
