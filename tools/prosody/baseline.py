"""Baseline of a voice: the same speaker's other speech, as far as there is any."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from emer.tools.prosody.contours import HOP, Contours, power_mean
from emer.tools.speech.vad import Flags
from emer.tools.types import Span

ENOUGH = 5.0
"""Seconds of voiced speech elsewhere in the clip that make a baseline."""
LEAST = 0.6
"""Least seconds of voiced speech on either side of a comparison."""
FIRST = 0.4
"""Share of the voiced speech that is the baseline when there is little."""
REST = "the speaker's other speech in the clip"
DECLINATION = 3.0
"""Semitones (and dB) that ordinary speech falls from its first 40 % to the rest.

't Hart, Collier & Cohen 1990: -11 / (t + 1.5) semitones per second; for an utterance of
2 s that is 3 semitones between the middles of the two parts.
"""


class Shift(NamedTuple):
    """Difference between a stretch of voice and its baseline.

    `pitch` in semitones, `level`, `alpha` and `hnr` in dB.
    """

    span: Span
    pitch: float
    level: float
    alpha: float
    hnr: float
    pitch_hz: float
    base_hz: float
    against: str
    """The baseline in words."""
    reliability: float
    """Of the baseline: 1 for the rest of the clip, less for the first part of it."""
    declination: float
    """Fall that is ordinary, in semitones and dB."""


def shifts(contours: Contours, phrases: tuple[Span, ...]) -> tuple[Shift, ...]:
    """Shift of each phrase against the rest, or of the later part against the first.

    Empty when the clip has too little voice for either.
    """
    against_rest = []
    for phrase in phrases:
        inside = voiced_in(contours, phrase)
        outside = contours.voiced & ~inside
        if inside.sum() * HOP >= LEAST and outside.sum() * HOP >= ENOUGH:
            against_rest.append(compare(contours, phrase, outside, REST, 1.0))
    if against_rest:
        return tuple(against_rest)
    voiced = np.flatnonzero(contours.voiced)
    cut = round(FIRST * voiced.size)
    if min(cut, voiced.size - cut) * HOP < LEAST:
        return ()
    first = contours.voiced.copy()
    first[voiced[cut] :] = False
    rest = Span(start=voiced[cut] * HOP, end=(voiced[-1] + 1) * HOP)
    return (compare(contours, rest, first, "the first part of the speech", 0.4, DECLINATION),)


def compare(
    contours: Contours,
    span: Span,
    base: Flags,
    against: str,
    reliability: float,
    declination: float = 0.0,
) -> Shift:
    """Shift of the voice in a span against other voiced frames.

    Args:
        contours: The clip's curves.
        span: The stretch to compare.
        base: Frames of the baseline, shape (n,).
        against: The baseline in words.
        reliability: Of the baseline, from 0 to 1.
        declination: Fall that is ordinary, in semitones and dB.
    """
    inside = voiced_in(contours, span)
    here, usual_pitch = (float(np.median(contours.pitch[side])) for side in (inside, base))
    loud, usual = (power_mean(contours.level[side]) for side in (inside, base))
    alpha, hnr = (
        round(float(np.mean(curve[inside])) - float(np.mean(curve[base])), 2)
        for curve in (contours.alpha, contours.hnr)
    )
    return Shift(
        span=span,
        pitch=round(here - usual_pitch, 2),
        level=round(loud - usual, 2),
        alpha=alpha,
        hnr=hnr,
        pitch_hz=round(hertz(here), 1),
        base_hz=round(hertz(usual_pitch), 1),
        against=against,
        reliability=reliability,
        declination=declination,
    )


def voiced_in(contours: Contours, span: Span) -> Flags:
    """Mask of the voiced frames in the span, shape (n,)."""
    inside = np.zeros(contours.voiced.shape, dtype=bool)
    inside[round(span.start / HOP) : round(span.end / HOP)] = True
    return inside & contours.voiced


def hertz(semitones: float) -> float:
    """Frequency of a pitch in semitones above 27.5 Hz."""
    return float(27.5 * 2 ** (semitones / 12))
