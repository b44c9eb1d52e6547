"""Stretches of speech that a model judges at once, and the clues on what it says."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor
from typing import NamedTuple

import numpy as np

from emer.tools.errors import Unobservable
from emer.tools.media.clip import Clip
from emer.tools.media.sound import RATE
from emer.tools.speech.segmentation import Segment, cut
from emer.tools.speech.vad import Samples, audible_samples, find_speech, levels
from emer.tools.types import Clue, Quality, Source, Span
from emer.tools.voice.sentences import Sentence, Stretch

LONGEST = 8.0
"""Seconds classified at once, as long as utterances of training data (ours)."""
LEAST = 0.5
"""Seconds of speech below which a voice is not classified (chosen by us)."""
LEAST_SNR, CLEAN_SNR = 6.0, 25.0
"""dB between which the quality rises, as for the measured prosody."""
ENOUGH = 2.0
"""Seconds of speech from which its length reduces no quality (chosen by us)."""


class Voice(NamedTuple):
    """Stretches of speech, their sounds (mono, 16 kHz), and the ratio to noise in dB."""

    stretches: list[Stretch]
    sounds: list[Samples]
    snr: float


def heard_voice(clip: Clip, span: Span | None, detector: str) -> Voice:
    """The speech of a clip, or of a span of it, in stretches of at most `LONGEST` s.

    `Unobservable` where there is none, or too little.
    """
    samples = audible_samples(clip)
    within = span or Span(start=0, end=clip.duration)
    speech = _inside(find_speech(samples, detector), within)
    if not speech:
        raise Unobservable("no voice is heard")
    sounds, stretches = [], []
    for whole in cut(samples, speech, LONGEST):
        segment = _clipped(whole, within)
        stretch = _stretch(segment, speech) if segment.parts else None
        if stretch and stretch.seconds >= LEAST:
            sounds.append(segment.sound(samples))
            stretches.append(stretch)
    if not stretches:
        raise Unobservable(f"only {sum(s.length for s in speech):.1f} s of voice is heard")
    return Voice(stretches, sounds, signal_to_noise(samples, speech))


def signal_to_noise(samples: Samples, speech: Sequence[Span]) -> float:
    """Level of the speech above the clip's quietest tenth outside of it, in dB.

    Where there is only speech, above the quietest tenth of that.
    """
    level = levels(samples)
    flags = np.zeros(level.shape, dtype=bool)
    for span in speech:
        flags[round(span.start * 100) : round(span.end * 100)] = True
    rest = level[~flags] if (~flags).sum() >= 10 else level
    power = 10 * np.log10(np.mean(10 ** (level[flags] / 10))) if flags.any() else -120.0
    return float(power - np.percentile(rest, 10))


def _inside(speech: Sequence[Span], within: Span) -> tuple[Span, ...]:
    return tuple(
        Span(start=max(s.start, within.start), end=min(s.end, within.end))
        for s in speech
        if s.start < within.end and s.end > within.start
    )


def _clipped(segment: Segment, within: Span) -> Segment:
    first, last = round(within.start * RATE), round(within.end * RATE)
    parts = ((max(start, first), min(end, last)) for start, end in segment.parts)
    return Segment(tuple((start, end) for start, end in parts if start < end))


def _stretch(segment: Segment, speech: Sequence[Span]) -> Stretch:
    """A segment in tenths of a second inside it."""
    first, last = segment.parts[0][0] / RATE, segment.parts[-1][1] / RATE
    start, end = ceil(10 * first - 1e-6) / 10, floor(10 * last + 1e-6) / 10
    seconds = sum(
        max(0.0, min(s.end, end / RATE) - max(s.start, start / RATE))
        for start, end in segment.parts
        for s in speech
    )
    return Stretch(Span(start=start, end=max(start, end)), seconds)


def voice_clue(source: Source, sentence: Sentence, snr: float, look: Span | None) -> Clue:
    """Clue of a model: its quality falls with noise and with little speech."""
    clean = float(np.clip((snr - LEAST_SNR) / (CLEAN_SNR - LEAST_SNR), 0.1, 1.0))
    enough = float(np.clip(sentence.seconds / ENOUGH, 0.3, 1.0))
    return Clue(
        modality="audio",
        span=sentence.span,
        text=sentence.text,
        confidence=sentence.probability,
        quality=Quality(
            score=round(clean * enough, 3),
            factors={"snr_db": round(snr, 1), "speech_s": round(sentence.seconds, 2)},
        ),
        source=source,
        data=dict(sentence.data),
        cues=sentence.cues,
        kind="classified",
        look=look,
    )
