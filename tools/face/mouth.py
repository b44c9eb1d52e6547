"""The mouth's opening: speech-like movement, and an open mouth that stays open."""

from __future__ import annotations

from typing import Final

import numpy as np

from emer.tools.face.measures import Measures
from emer.tools.face.series import (
    Mask,
    Stretch,
    frame_time,
    hysteresis,
    joined,
    lasting,
    smooth,
    stretches,
    turning_points,
    unbroken,
)

STROKE: Final = 0.022
"""Smallest opening or closing, in IOD, that counts as one articulation (chosen by us)."""
RATE: Final = 3.0
"""Turns of the lips' movement per second from which it looks like speech: syllables come
at 3-8 per second, and each opens and closes the mouth."""
OPEN: Final = 0.08
WIDE: Final = 0.28
"""Gap between the lips, in IOD, of an open and of a widely open mouth (chosen by us)."""


def speaking(measures: Measures) -> Mask:
    """Return the frames in which the mouth opens and closes as it does in speech."""
    times = measures.times
    turns = np.zeros(len(times), dtype=bool)
    turns[turning_points(measures.mouth_gap, STROKE)] = True
    turns &= _uncovered(measures)
    rate = np.zeros(len(times))
    for frame, time in enumerate(times):
        near = np.abs(times - time) <= 0.5
        window = max(1.0, frame_time(times))
        rate[frame] = turns[near].sum() / window
    runs = joined(stretches(rate >= RATE), times, 1.0)
    mask = np.zeros(len(times), dtype=bool)
    for run in lasting(unbroken(runs, times), times, 1.0):
        mask[run.first : run.last + 1] = True
    return mask


def _uncovered(measures: Measures) -> Mask:
    """Return the frames in which the mouth itself is seen, and not what covers it."""
    return np.asarray(measures.sure[:, 1] > 0.25)


def open_mouth(measures: Measures, speech: Mask) -> list[Stretch]:
    """Return when the mouth stays open for 0.4 s or more without speaking."""
    gap = smooth(measures.mouth_gap, measures.times, 0.2)
    level = np.full(len(gap), OPEN)
    mask = hysteresis(gap, level, 0.7 * level) & ~speech & _uncovered(measures)
    runs = joined(stretches(mask), measures.times, 0.3)
    return lasting(unbroken(runs, measures.times), measures.times, 0.4)
