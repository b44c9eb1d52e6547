"""Blendshape scores along a person's face, and how they differ from the person's rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from emer.tools.face.changes import QUICK_WINDOW, SPEECH_WINDOW
from emer.tools.face.measures import Measures
from emer.tools.face.pose import Floats
from emer.tools.face.rest import usable
from emer.tools.face.series import Mask, smooth

RESTING: Final = 0.35
"""Quantile of a score over frames that look at the camera that counts as its rest: expressions
only raise scores (chosen by us)."""
REACH_S: Final = 0.2
"""Seconds from the nearest score within which a frame's is known."""
_OF_THE_MOUTH: Final = ("mouth", "jaw", "cheek")
ONE_SIDED: Final = ("jaw", "mouth")
"""What goes to the left or right as a whole."""
SIDES: Final = ("Right", "Left")
"""The subject's own, in the order of all measures with two columns."""

Scores = Mapping[str, Floats]
"""Per blendshape, by name without Left and Right, a score per frame, (n,) or (n, 2) by side; NaN
where it is not known."""


def along(times: Floats, seen_at: Sequence[float], seen: Sequence[Mapping[str, float]]) -> Scores:
    """Return the scores at `times` from those at some moments, joined by straight lines.

    MediaPipe leaves a score out where the network gives less than 0: it counts as 0. Empty where
    nothing was seen.
    """
    if not seen:
        return {}
    names = {name: 0.0 for scores in seen for name in scores}
    at = np.array(seen_at)
    near = np.abs(times[:, None] - at[None, :]).min(axis=1) <= REACH_S
    found: dict[str, Floats] = {}
    for name, sides in _columns(names).items():
        columns = [np.interp(times, at, [scores.get(one, 0.0) for scores in seen]) for one in sides]
        values = np.stack(columns, axis=1) if len(sides) > 1 else columns[0]
        known = near[:, None] if len(sides) > 1 else near
        found[name] = np.where(known, values, np.nan)
    return found


def risen(scores: Scores, measures: Measures, speaking: Mask) -> dict[str, Floats]:
    """Return the smoothed scores minus the person's rest, 0 where they are not known.

    The mouth's are taken slowly while it speaks, as its measures are.
    """
    still = usable(measures)
    found = {}
    for name, values in scores.items():
        raw = np.nan_to_num(values - _rest_of(values, still))
        quick = smooth(raw, measures.times, QUICK_WINDOW)
        if name.startswith(_OF_THE_MOUTH) and speaking.any():
            slow = smooth(raw, measures.times, SPEECH_WINDOW)
            quick = np.where(speaking[:, None] if raw.ndim == 2 else speaking, slow, quick)
        found[name] = quick
    return found


def _rest_of(values: Floats, still: Mask) -> Floats:
    """Return the resting score, from the still frames where any of them is known."""
    known = ~np.isnan(values.reshape(len(values), -1)).any(axis=1)
    chosen = known & still if (known & still).any() else known
    part = values[chosen]
    return np.quantile(part, RESTING, axis=0) if len(part) else np.zeros(values.shape[1:])


def _columns(names: Mapping[str, float]) -> dict[str, tuple[str, ...]]:
    """Return each shape's name without a side, and the names of its sides."""
    found: dict[str, tuple[str, ...]] = {}
    for name in names:
        base = name.removesuffix("Left").removesuffix("Right")
        pair = tuple(base + side for side in SIDES)
        if base != name and base not in ONE_SIDED and any(n in names for n in pair):
            found[base] = pair
        else:
            found[name] = (name,)
    return found
