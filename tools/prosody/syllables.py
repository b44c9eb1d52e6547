"""How fast somebody speaks: syllable nuclei found without knowing the words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emer.tools.prosody.contours import Contours, Curve
from emer.tools.speech.vad import Flags

DIP_DB = 2.0
"""A syllable's peak stands at least this far above the dips beside it."""

UNDER_PEAK_DB = 25.0
"""Peaks further than this below the loudest are not counted."""


def smoothed(level: Curve, width: int = 5) -> Curve:
    """Return the level with its power averaged by a Hann window of `width` frames.

    50 ms keeps syllables of fast speech apart: 96 % of those of synthetic speech at 3.5
    to 8.6 per second are found, 85 % of a read book's, with hardly one too many.
    """
    window = np.hanning(width + 2)[1:-1]
    power = np.convolve(10 ** (level / 10), window / window.sum(), mode="same")
    return np.asarray(10 * np.log10(np.maximum(power, 1e-12)))


def nuclei(contours: Contours) -> NDArray[np.int64]:
    """Return the frames of the syllable nuclei, in order.

    Voiced peaks of the level with a dip of 2 dB before them, within 25 dB of the loudest
    (de Jong & Wempe 2009, "Praat script to detect syllable nuclei").
    """
    level = smoothed(contours.level)
    if not contours.voiced.any():
        return np.zeros(0, dtype=np.int64)
    threshold = float(np.percentile(level[contours.speech], 99)) - UNDER_PEAK_DB
    high = [k for k in peaks(level, DIP_DB) if level[k] >= threshold]
    near = _widened(contours.voiced, 2)
    return np.array([k for k in high if near[k]], dtype=np.int64)


def peaks(level: Curve, dip: float) -> list[int]:
    """Return the frames of the maxima with a fall of `dip` dB on both sides, in order."""
    found: list[int] = []
    best, lowest, rising = 0, float(level[0]), True
    for k, value in enumerate(level):
        if rising:
            if value > level[best]:
                best = k
            elif level[best] - value >= dip:
                if level[best] - lowest >= dip:
                    found.append(best)
                rising, lowest = False, float(value)
        elif value < lowest:
            lowest = float(value)
        elif value - lowest >= dip:
            best, rising = k, True
    return found


def _widened(flags: Flags, by: int) -> Flags:
    """Return the flags with each stretch grown by `by` frames to both sides."""
    return np.convolve(flags.astype(float), np.ones(2 * by + 1), mode="same") > 0
