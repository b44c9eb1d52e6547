"""Vocal tremor, laughter-like bursts and sigh-like breaths."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from emer.tools.prosody.contours import HOP, Contours, Curve, power_mean
from emer.tools.prosody.speech_rate import peaks, smoothed
from emer.tools.speech.vad import join_runs, noise_floor, true_runs
from emer.tools.types import Span

TREMOR_HZ = (5.5, 12.0)
"""Rates of vocal tremor.

Titze 1994 gives 4-12 Hz, but at 4-5 Hz syllables move the pitch.
"""
TREMOR_ST = 0.3
"""Least depth (root mean square, semitones) of a tremor; chosen by us."""
LAUGH_STEP = (0.14, 0.24)
"""Seconds between the notes of laughter: about 0.21 (Provine & Yong 1991)."""


class Burst(NamedTuple):
    """A vocal sound beside speech, and the measurement that describes it."""

    span: Span
    value: float


def tremor(contours: Contours) -> tuple[Burst, ...]:
    """Vowels of at least 0.5 s whose pitch swings regularly 5.5-12 times a second.

    `value` is the rate in Hz. Two thirds of the power of the pitch, less its cubic trend,
    must be at that rate.
    """
    bursts = []
    for start, end in true_runs(contours.voiced):
        if end - start < round(0.5 / HOP):
            continue
        rate = _swing(contours.pitch[start:end])
        if rate is not None:
            bursts.append(Burst(Span(start=start * HOP, end=end * HOP), round(rate, 1)))
    return tuple(bursts)


def _swing(pitch: Curve) -> float | None:
    """Rate in Hz of a regular swing of the pitch, or None."""
    time = np.arange(pitch.size) * HOP
    rest = pitch - np.polyval(np.polyfit(time, pitch, 3), time)
    if float(np.sqrt(np.mean(rest**2))) < TREMOR_ST:
        return None
    power = np.abs(np.fft.rfft(rest * np.hanning(rest.size), 1024)) ** 2
    rate = np.fft.rfftfreq(1024, HOP)
    best = int(np.argmax(power))
    near = np.abs(rate - rate[best]) <= 1.5 / (rest.size * HOP)
    regular = power[near].sum() >= 0.67 * power.sum()
    cycles = rate[best] * rest.size * HOP
    inside = TREMOR_HZ[0] <= rate[best] <= TREMOR_HZ[1]
    return float(rate[best]) if regular and inside and cycles >= 4 else None


def laughter(contours: Contours) -> tuple[Burst, ...]:
    """Runs of at least 5 short, even, voiced pulses with breath between them.

    The voice sounds for 60 % of the time at most, and the pulses die away by 3 dB; the
    syllables of speech are uneven and run into each other. `value` counts the pulses.
    """
    level = smoothed(contours.level)
    pulses = [k for k in peaks(level, 6.0) if contours.voiced[max(0, k - 4) : k + 5].any()]
    bursts, run = [], pulses[:1]
    for pulse in [*pulses[1:], 10**9] if run else []:
        step = (pulse - run[-1]) * HOP
        breaths = [end - start for start, end in true_runs(~contours.voiced[run[-1] : pulse])]
        if LAUGH_STEP[0] <= step <= LAUGH_STEP[1] and max(breaths, default=0) >= 5:
            run.append(pulse)
            continue
        if len(run) >= 5 and _like_laughter(contours, level[run], run):
            span = Span(start=max(0.0, run[0] * HOP - 0.05), end=run[-1] * HOP + 0.1)
            bursts.append(Burst(span, float(len(run))))
        run = [pulse]
    return tuple(bursts)


def _like_laughter(contours: Contours, heights: Curve, run: list[int]) -> bool:
    """True if a run of pulses is even, mostly breath, and dies away by 3 dB."""
    steps = np.diff(run)
    even = float(np.std(steps)) <= 0.15 * float(np.mean(steps))
    breathy = float(contours.voiced[run[0] : run[-1]].mean()) <= 0.6
    return even and breathy and float(heights[-1]) <= float(heights.max()) - 3.0


def sighs(contours: Contours) -> tuple[Burst, ...]:
    """Unvoiced sounds of 0.4-1.5 s that rise above the noise and die away.

    They are apart from speech and at least 8 dB under it; a breath shortly before
    speech is an intake and no sigh. `value` is their level above the noise, in dB.
    """
    level = smoothed(contours.level)
    floor = noise_floor(contours.level)
    if not contours.voiced.any() or contours.snr < 20:
        return ()
    ceiling = power_mean(contours.level[contours.voiced]) - 8.0
    spoken = contours.voiced if contours.others is None else contours.voiced | contours.others
    breath = (level > floor + 10) & (level < ceiling) & ~spoken
    bursts = []
    for start, end in join_runs(true_runs(breath), 5):
        # Not where speech ended under 0.1 s before (a consonant) or starts within 0.6 s.
        near = spoken[max(0, start - 10) : end + 60]
        if not 40 <= end - start <= 150 or near.any():
            continue
        thirds = [power_mean(part) for part in np.array_split(level[start:end], 3)]
        if max(thirds[:2]) - thirds[2] >= 4:
            value = round(max(thirds) - floor, 1)
            bursts.append(Burst(Span(start=start * HOP, end=end * HOP), value))
    return tuple(bursts)
