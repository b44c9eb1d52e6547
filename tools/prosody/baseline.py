"""What a voice is measured against: the same speaker's other speech, as far as there is any."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from emer.tools.prosody.contours import HOP, Contours, Curve, power_mean
from emer.tools.speech.vad import Flags
from emer.tools.types import Span

ENOUGH = 5.0
"""Seconds of voiced speech elsewhere in the clip that make a baseline of their own."""

LEAST = 0.6
"""Seconds of voiced speech below which neither side of a comparison is measured."""

FIRST = 0.4
"""Share of the voiced speech that is the baseline when there is little."""

DECLINATION = 3.0
"""Semitones (and dB) that ordinary speech falls from its first 40 % to the rest.

't Hart, Collier & Cohen 1990: -11 / (t + 1.5) semitones per second; for an utterance of
2 s that is 3 semitones between the middles of the two parts.
"""


@dataclass(frozen=True, slots=True)
class Shift:
    """How a stretch of voice differs from its baseline.

    `pitch` in semitones, `level`, `alpha` and `hnr` in dB; `trust` is 1 for the rest of
    the clip and less for the first part of it.
    """

    span: Span
    pitch: float
    level: float
    alpha: float
    hnr: float
    pitch_hz: float
    base_hz: float
    against: str
    trust: float
    falling: float
    """What a fall must exceed before it counts, in semitones and dB."""


def shifts(contours: Contours, phrases: tuple[Span, ...]) -> tuple[Shift, ...]:
    """Return how each phrase differs from the rest, or the later part from the first.

    Empty when the clip has too little voice for either.
    """
    found = []
    for phrase in phrases:
        inside = frames(contours, phrase)
        outside = contours.voiced & ~inside
        if _seconds(inside) >= LEAST and _seconds(outside) >= ENOUGH:
            against = "the speaker's other speech in the clip"
            found.append(compare(contours, phrase, outside, against, 1.0))
    return tuple(found) or first_against_rest(contours)


def first_against_rest(contours: Contours) -> tuple[Shift, ...]:
    """Return how the voice after its first 40 % differs from them."""
    voiced = np.flatnonzero(contours.voiced)
    cut = round(FIRST * voiced.size)
    if min(cut, voiced.size - cut) * HOP < LEAST:
        return ()
    first = contours.voiced.copy()
    first[voiced[cut] :] = False
    rest = Span(start=voiced[cut] * HOP, end=(voiced[-1] + 1) * HOP)
    against = "the first part of the speech"
    return (compare(contours, rest, first, against, 0.6, DECLINATION),)


def compare(
    contours: Contours,
    span: Span,
    base: Flags,
    against: str,
    trust: float,
    falling: float = 0.0,
) -> Shift:
    """Return how the voice in `span` differs from the voiced frames `base`."""
    inside = frames(contours, span)
    both = (inside, base)

    def differ(curve: Curve, mean: Callable[[Curve], float]) -> float:
        here, there = (mean(curve[flags]) for flags in both)
        return round(here - there, 2)

    pitches = [float(np.median(contours.pitch[flags])) for flags in both]
    return Shift(
        span=span,
        pitch=round(pitches[0] - pitches[1], 2),
        level=differ(contours.level, power_mean),
        alpha=differ(contours.alpha, _mean),
        hnr=differ(contours.hnr, _mean),
        pitch_hz=round(hertz(pitches[0]), 1),
        base_hz=round(hertz(pitches[1]), 1),
        against=against,
        trust=trust,
        falling=falling,
    )


def frames(contours: Contours, span: Span) -> Flags:
    """Return which voiced frames lie in the span."""
    inside = np.zeros(contours.voiced.shape, dtype=bool)
    inside[round(span.start / HOP) : round(span.end / HOP)] = True
    return inside & contours.voiced


def hertz(semitones: float) -> float:
    """Return the frequency of a pitch in semitones above 27.5 Hz."""
    return float(27.5 * 2 ** (semitones / 12))


def _mean(values: Curve) -> float:
    return float(np.mean(values))


def _seconds(flags: Flags) -> float:
    return float(flags.sum() * HOP)
