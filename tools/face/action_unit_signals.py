"""Signals of action units in IOD, frame by frame, and tests of what a movement is.

A signal rises with the movement and fades to zero where something else explains the change,
over a range: a landmark that is off by a thousandth must not cut an event short. Which action
unit it is, is tested once for the whole event, on the medians of its plateau. Only what geometry
can carry is here: no nose wrinkle, upper-lip raise or dimple.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from emer.tools.face.baseline import Changes
from emer.tools.timeseries import Floats, Mask, ramp

Signal = Callable[[Changes], Floats]
Test = Callable[[Changes], Mask]

PART: Final = 0.35
"""Share of the other half's rise up to which only one half of the brow rises."""
RAISED: Final = 0.015
"""Rise of the inner brow from which brows that come together are drawn up, too."""
FOLD: Final = 0.032
"""IOD per unit of the logarithm of the furrow's growth: twice the lines of rest
are a trace of AU4, five times are near the largest (chosen by us)."""
ONE_SIDED: Final = 0.3
"""Share of the other corner's pull up to which only one corner is pulled."""
STRAIGHT: Final = 12.0
"""Degrees of turn up to which left and right can be compared."""
GAP_PER_DEGREE: Final = 0.002
"""Apparent approach of the brows' ends for each degree of turn beyond five."""
NOT_A_SMILE: Final = -0.20
"""Shape of a mouth that does not smile, whatever its change (at rest: -0.29)."""


def brows_up(c: Changes) -> Floats:
    """AU1, AU2 or both: the higher of the two halves of the brow."""
    return np.maximum(c["brow_inner"], c["brow_outer"])


def whole_brow(c: Changes) -> Mask:
    """AU1+2: both halves of the brow rise."""
    return np.asarray(np.minimum(c["brow_inner"], c["brow_outer"]) > PART * brows_up(c))


def inner_brow(c: Changes) -> Mask:
    """AU1: the outer half hardly follows."""
    return np.asarray(c["brow_outer"] <= PART * c["brow_inner"])


def outer_brow(c: Changes) -> Mask:
    """AU2: the inner half hardly follows."""
    return np.asarray(c["brow_inner"] <= PART * c["brow_outer"])


def brows_together(c: Changes) -> Floats:
    """AU4 or AU1+4: the skin between the brows folds, their inner ends come together.

    The mesh sees the second only poorly: where the skin can be seen and does not fold,
    the mesh alone counts half.
    """
    closer = -c["brow_gap"]
    mesh = ramp(closer, 0.004, 0.012) * (closer + 0.5 * np.abs(c["brow_inner"]))
    folds = FOLD * c["furrow"]
    return np.where(c.skin, np.maximum(folds, (mesh + folds) / 2), mesh)


def furrowed(c: Changes) -> Mask:
    """AU4: the brows come together, and their inner ends do not rise."""
    return np.asarray((_folds(c) | (_closer(c) > 0.006)) & ~_rises(c))


def drawn_up(c: Changes) -> Mask:
    """AU1+4: the inner ends rise, and come together more than a raise alone explains."""
    closer, inner, outer = _closer(c), c["brow_inner"], c["brow_outer"]
    together = (closer > 0.012) & ((outer < 0.5 * inner) | (closer > 0.5 * outer))
    return np.asarray((_folds(c) | together) & _rises(c))


def _folds(c: Changes) -> Mask:
    return np.asarray(c.skin & (c["furrow"] > 0.5))


def _rises(c: Changes) -> Mask:
    """The inner brow rises, but need not rise far where the skin is folded.

    AU4 alone would have pulled it down by about half of what the folds are worth.
    """
    inner = c["brow_inner"]
    held = np.where(c.skin, 0.5 * FOLD * np.maximum(c["furrow"], 0.0), 0.0)
    return np.asarray((inner >= RAISED) | ((inner > 0.2 * RAISED) & (inner + held >= RAISED)))


def _closer(c: Changes) -> Floats:
    """How much closer the brows' ends are than a turn of the head explains."""
    return np.asarray(-c["brow_gap"] - GAP_PER_DEGREE * np.maximum(c.turned - 5.0, 0.0))


def wide_eyes(c: Changes) -> Floats:
    """AU5: the eyes open further, by the upper lids' rise."""
    lids, opening = (c.sides(name).min(axis=1) for name in ("upper_lid", "eye_opening"))
    return np.asarray(ramp(lids, 0.004, 0.012) * opening)


def smile(c: Changes) -> Floats:
    """AU12: the mouth widens and its corners come nearer to the eyes."""
    nearer = -c["corner_eye"]
    signal = np.minimum(c["mouth_width"] + nearer, 4 * np.maximum(nearer, 0))
    shaped = ramp(c.shape, NOT_A_SMILE - 0.03, NOT_A_SMILE)
    return np.where(signal > 0, shaped * signal, signal)


def smiling(c: Changes) -> Mask:
    """AU12 of both sides, in a mouth that has the shape of a smile.

    A turned head hides how much each side moves; a wink (AU46) pulls its own corner up.
    """
    pull = -c.sides("corner_eye")
    both = pull.min(axis=1) >= ONE_SIDED * pull.max(axis=1)
    unclear = (c.turned >= STRAIGHT) & ~(_winks(c, 0) | _winks(c, 1))
    return np.asarray((c.shape > NOT_A_SMILE) & (both | unclear))


def _winks(c: Changes, side: int) -> Mask:
    return np.asarray(c.shut[:, side] - c.shut[:, 1 - side] > 0.5)


def one_corner(c: Changes, side: int) -> Floats:
    """AU12 of one side: its corner is pulled (not just left behind), and higher."""
    pull, rise = -c.sides("corner_eye"), c.sides("corner_rise")[:, side]
    further = pull[:, side] - np.maximum(pull[:, 1 - side], 0)
    return np.minimum(further, 2 * np.maximum(rise, 0))


def one_sided(c: Changes, side: int) -> Mask:
    """The other corner hardly moves, seen straight ahead, and this eye does not wink."""
    pull = -c.sides("corner_eye")
    alone = pull[:, 1 - side] < ONE_SIDED * pull[:, side]
    return np.asarray(alone & (c.turned < STRAIGHT) & ~_winks(c, side))


def corners_down(c: Changes) -> Floats:
    """AU15: the corners sink; not where they go apart (AU20), nor in an open mouth."""
    sunk = np.minimum(c["corner_eye"], -c["corner_rise"])
    narrow = ramp(c.gap, 0.07, 0.04) * ramp(c["mouth_width"], 0.09, 0.05)
    return np.asarray(narrow * sunk)


def pressed_lips(c: Changes) -> Floats:
    """AU23, AU24 or AU28: less of the lips' red is seen, in a closed mouth."""
    return _closed_calm(c) * -c["lip_red"]


def chin_raise(c: Changes) -> Floats:
    """AU17: the lower lip is pushed up towards the nose, in a closed mouth."""
    return _closed_calm(c) * -c["chin_lip"]


def _closed_calm(c: Changes) -> Floats:
    """1 in a closed mouth that does not smile, less where it opens or smiles."""
    return ramp(c.gap, 0.05, 0.03) * ramp(smile(c), 0.07, 0.04)


def pucker(c: Changes) -> Floats:
    """AU18 or AU22: the mouth narrows while the lips come forward."""
    shape = ramp(c.gap, 0.18, 0.13) * ramp(c["lip_forward"], -0.02, -0.005)
    return shape * -c["mouth_width"]


def stretched_lips(c: Changes) -> Floats:
    """AU20: the mouth widens, and its corners do not rise.

    In a widely open mouth the jaw takes them down, and AU12 and AU20 measure the same.
    """
    level = ramp(c["corner_eye"], -0.02, -0.005) * ramp(c["corner_rise"], 0.02, 0.005)
    return level * ramp(c.shape, -0.10, -0.14) * ramp(c.gap, 0.28, 0.18) * c["mouth_width"]


def jaw_drop(c: Changes) -> Floats:
    """AU26 without AU25: chin and mouth corners go down behind closed lips."""
    down = np.minimum(c["chin_drop"], c["corner_eye"])
    return np.asarray(ramp(c.gap, 0.07, 0.04) * down)


def jaw_aside(c: Changes, sign: int) -> Floats:
    """AU30: chin and mouth both go to one side (+1: the subject's left)."""
    return np.asarray((sign * c.sides("jaw_side")).min(axis=1))
