"""Arousal of a voice against typical values, for speech without a baseline.

Emotional activation raises the pitch and the share of energy above 1 kHz, whatever the
emotion (Laukka, Juslin & Bresin 2005; Goudbeek & Scherer 2010). The level of a recording
depends on its gain and counts for nothing here. Centres and ranges are those of published
speech without emotion; none comes from a corpus of emotions.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from emer.tools.prosody.baseline import hertz
from emer.tools.prosody.contours import Contours

ALPHA = (-20.0, -7.0)
HAMMARBERG = (30.0, 16.0)
"""Spectral balance of soft and of loud voices, dB (Sundberg & Nordenberg 2006)."""
MEN_HZ, WOMEN_HZ = 119.0, 207.0
"""Mean speaking pitch (Traunmüller & Eriksson 1995).

A pitch between the two is ordinary for some voices: the sex of a voice is not known.
"""
PITCH_SD = 2.5
"""Standard deviation of these means between speakers, in semitones (as above)."""
PITCH_PART = 0.5
"""Most by which pitch moves the score: half as far as a loud voice does (by us)."""
OPEN = 0.2
"""Score on both sides of 0 that tells no direction: a tenth of soft to loud (by us)."""


class Arousal(NamedTuple):
    """Arousal of a stretch of voice: its score and what it is made of.

    `score` is 0 between soft and loud speech of an ordinary pitch, -1 for a soft and 1 for a
    loud voice. `balance` is the part of the spectrum in it.
    """

    score: float
    balance: float
    alpha: float
    hammarberg: float
    pitch_hz: float


def arousal(contours: Contours) -> Arousal:
    """Arousal of all voiced frames, of which there is at least one."""
    alpha, hammarberg = (
        float(np.nanmean(curve)) for curve in (contours.alpha, contours.hammarberg)
    )
    balance = (_place(alpha, *ALPHA) + _place(hammarberg, *HAMMARBERG)) / 2
    pitch = float(np.nanmedian(contours.pitch))
    men, women = (12 * float(np.log2(mean / 27.5)) for mean in (MEN_HZ, WOMEN_HZ))
    beyond = max(0.0, pitch - women) - max(0.0, men - pitch)
    raised = PITCH_PART * float(np.clip(beyond / PITCH_SD, -1.0, 1.0))
    return Arousal(
        score=balance + raised,
        balance=balance,
        alpha=alpha,
        hammarberg=hammarberg,
        pitch_hz=hertz(pitch),
    )


def _place(value: float, soft: float, loud: float) -> float:
    """Place of a value on the scale from soft, -1, to loud, 1."""
    return (2 * value - soft - loud) / (loud - soft)
