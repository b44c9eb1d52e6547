"""Pitch range, excursions of pitch and level, final contours of utterances."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from emer.tools.prosody.baseline import voiced_in
from emer.tools.prosody.contours import HOP, Contours, Curve, power_mean
from emer.tools.prosody.speech_rate import smoothed
from emer.tools.speech.vad import join_runs, true_runs
from emer.tools.types import Span

WINDOW = 30
"""Frames (0.3 s) whose median must move: a rise of one syllable is an accent."""
ENDING = 0.3
"""Seconds at the end of an utterance that carry its final contour."""
CUT_OFF = 0.15
"""An utterance that ends within so many seconds of the clip's end is cut off."""
ACCENT_ST, LOUD_DB = 6.0, 6.0
"""More than ordinary accents reach for 0.3 s: 4 semitones and 3 dB are common."""


class Excursion(NamedTuple):
    """A stretch above the speaker's own level, with the difference at its peak."""

    span: Span
    amount: float


def pitch_range(contours: Contours) -> float:
    """80th less the 20th percentile of the pitch, in semitones."""
    pitch = contours.pitch[contours.voiced]
    return float(np.percentile(pitch, 80) - np.percentile(pitch, 20)) if pitch.size else 0.0


def pitch_excursions(contours: Contours) -> tuple[Excursion, ...]:
    """Stretches where the pitch rises far above the speaker's own median.

    By 6 semitones at least, and by more for a speaker whose pitch moves a lot anyway.
    """
    if not contours.voiced.any():
        return ()
    least = max(ACCENT_ST, 1.2 * pitch_range(contours))
    return _excursions(_windowed(contours.pitch) - np.nanmedian(contours.pitch), least)


def level_excursions(contours: Contours) -> tuple[Excursion, ...]:
    """Stretches where the voice is 6 dB above its own mean level."""
    if not contours.voiced.any():
        return ()
    level = np.where(contours.voiced, smoothed(contours.level), np.nan)
    return _excursions(_windowed(level) - power_mean(contours.level[contours.voiced]), LOUD_DB)


def final_change(contours: Contours, phrase: Span) -> float | None:
    """Change of the pitch over the phrase's last 300 ms, in semitones.

    A line through the medians of the two halves. None when too little of it is voiced,
    when it moves further than an octave (an error) or when the clip is cut off there.
    """
    if contours.pitch.size * HOP - phrase.end < CUT_OFF:
        return None
    tail = Span(start=max(phrase.start, phrase.end - 2 * ENDING), end=phrase.end)
    voiced = np.flatnonzero(voiced_in(contours, tail))
    if voiced.size < 12 or (phrase.end - voiced[-1] * HOP) > ENDING:
        return None
    voiced = voiced[voiced > voiced[-1] - round(ENDING / HOP)]
    if voiced.size < 12:
        return None
    halves = np.array_split(voiced, 2)
    axes = (contours.pitch, np.arange(contours.pitch.size) * HOP)
    pitch, time = ([float(np.median(axis[half])) for half in halves] for axis in axes)
    change = round((pitch[1] - pitch[0]) / (time[1] - time[0]) * ENDING, 2)
    return change if abs(change) <= 12 else None


def _windowed(curve: Curve) -> Curve:
    """Median over 0.3 s around each frame, NaN where half of it is missing."""
    result = np.full(curve.shape, np.nan)
    if curve.size < WINDOW:
        return result
    views = sliding_window_view(curve, WINDOW)
    full = np.isfinite(views).mean(axis=1) >= 0.5
    if full.any():
        result[WINDOW // 2 : WINDOW // 2 + full.size][full] = np.nanmedian(views[full], axis=1)
    return result


def _excursions(above: Curve, least: float) -> tuple[Excursion, ...]:
    """Stretches where the curve reaches `least`, the largest first."""
    excursions = []
    runs = true_runs(np.nan_to_num(above, nan=-np.inf) >= least)
    for start, end in join_runs(runs, WINDOW):
        if end - start >= 5:
            wide = (max(0, start - WINDOW // 2), min(above.size, end + WINDOW // 2))
            span = Span(start=wide[0] * HOP, end=wide[1] * HOP)
            excursions.append(Excursion(span, round(float(np.nanmax(above[start:end])), 2)))
    return tuple(sorted(excursions, key=lambda each: (-each.amount, each.span.start)))
