"""What the pitch does: its range, its sharp rises, and how an utterance ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from emer.tools.prosody.baseline import frames
from emer.tools.prosody.contours import HOP, Contours, Curve, power_mean
from emer.tools.prosody.speech_rate import smoothed
from emer.tools.speech.vad import join_runs, true_runs
from emer.tools.types import Span

WINDOW = 30
"""Frames (0.3 s) whose middle value must move: a rise of one syllable is an accent."""

ENDING = 0.3
"""Seconds at the end of an utterance that carry its final contour."""


CUT_OFF = 0.15
"""Seconds before the clip's end in which an utterance does not end, but is cut off."""

ACCENT_ST, LOUD_DB = 6.0, 6.0
"""What an ordinary accent does not reach for 0.3 s: 4 semitones and 3 dB are common."""


@dataclass(frozen=True, slots=True)
class Excursion:
    """A stretch that lies above the speaker's own level, and by how much at its peak."""

    span: Span
    amount: float


def pitch_range(contours: Contours) -> float:
    """Return the 80th less the 20th percentile of the pitch, in semitones."""
    heard = contours.pitch[contours.voiced]
    return float(np.percentile(heard, 80) - np.percentile(heard, 20)) if heard.size else 0.0


def pitch_excursions(contours: Contours) -> tuple[Excursion, ...]:
    """Return where the pitch rises far above the speaker's own median.

    By 6 semitones at least, and by more for a speaker whose pitch moves a lot anyway.
    """
    if not contours.voiced.any():
        return ()
    least = max(ACCENT_ST, 1.2 * pitch_range(contours))
    median = np.nanmedian(contours.pitch)
    return _excursions(_windowed(contours.pitch) - median, least)


def level_excursions(contours: Contours) -> tuple[Excursion, ...]:
    """Return where the voice stays 6 dB above its own mean level."""
    if not contours.voiced.any():
        return ()
    level = np.where(contours.voiced, smoothed(contours.level), np.nan)
    return _excursions(_windowed(level) - power_mean(contours.level[contours.voiced]), LOUD_DB)


def final_change(contours: Contours, phrase: Span) -> float | None:
    """Return how far the pitch moves over the phrase's last 300 ms, in semitones.

    A line through the medians of the two halves. None when too little of it is voiced,
    when it moves further than an octave (an error) or when the clip is cut off there.
    """
    if contours.pitch.size * HOP - phrase.end < CUT_OFF:
        return None
    tail = Span(start=max(phrase.start, phrase.end - 2 * ENDING), end=phrase.end)
    voiced = np.flatnonzero(frames(contours, tail))
    if voiced.size < 12 or (phrase.end - voiced[-1] * HOP) > ENDING:
        return None
    voiced = voiced[voiced > voiced[-1] - round(ENDING / HOP)]
    if voiced.size < 12:
        return None
    halves = np.array_split(voiced, 2)
    pitch, time = ([float(np.median(of[half])) for half in halves] for of in _axes(contours))
    change = round((pitch[1] - pitch[0]) / (time[1] - time[0]) * ENDING, 2)
    return change if abs(change) <= 12 else None


def _axes(contours: Contours) -> tuple[Curve, Curve]:
    return contours.pitch, np.arange(contours.pitch.size) * HOP


def _windowed(curve: Curve) -> Curve:
    """Return the median over 0.3 s around each frame, NaN where half of it is missing."""
    result = np.full(curve.shape, np.nan)
    if curve.size < WINDOW:
        return result
    views = sliding_window_view(curve, WINDOW)
    full = np.isfinite(views).mean(axis=1) >= 0.5
    if full.any():
        result[WINDOW // 2 : WINDOW // 2 + full.size][full] = np.nanmedian(views[full], axis=1)
    return result


def _excursions(above: Curve, least: float) -> tuple[Excursion, ...]:
    """Return the stretches where the curve is over `least`, the furthest first."""
    found = []
    runs = true_runs(np.nan_to_num(above, nan=-np.inf) >= least)
    for start, end in join_runs(runs, WINDOW):
        if end - start >= 5:
            wide = (max(0, start - WINDOW // 2), min(above.size, end + WINDOW // 2))
            span = Span(start=wide[0] * HOP, end=wide[1] * HOP)
            found.append(Excursion(span, round(float(np.nanmax(above[start:end])), 2)))
    return tuple(sorted(found, key=lambda e: (-e.amount, e.span.start)))


def inside_any(span: Span, others: Sequence[Span]) -> bool:
    """Tell whether the span's middle lies in one of the others."""
    middle = (span.start + span.end) / 2
    return any(other.start <= middle <= other.end for other in others)
