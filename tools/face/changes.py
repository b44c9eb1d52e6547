"""How a face differs from its rest, frame by frame, smoothed for reading action units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from emer.tools.face.measures import Measures
from emer.tools.face.pose import Floats
from emer.tools.face.rest import Rest
from emer.tools.face.series import Mask, bridged, frame_time, smooth, stretches

SPEECH_WINDOW: Final = 1.0
"""Seconds of running median for the mouth while it speaks: speech moves it at 3-8 Hz."""
QUICK_WINDOW: Final = 0.2
_MOUTH: Final = frozenset(
    {"mouth_width", "corner_rise", "corner_eye", "mouth_gap"}
    | {"lip_red", "lip_forward", "chin_lip", "chin_drop"}
)


_NEAR_LIDS: Final = frozenset({"brow_inner", "brow_outer", "brow_gap", "upper_lid"})


@dataclass(frozen=True, slots=True)
class Changes:
    """Smoothed measures minus their rest, one row per frame."""

    values: dict[str, Floats]
    gap: Floats
    """Distance between the lips, absolute."""
    shape: Floats
    """Mouth width minus corner-to-eye distance, absolute (see `rest.mouth_shape`)."""
    turned: Floats
    """How far the head is from where rest was measured, in degrees."""

    def __getitem__(self, name: str) -> Floats:
        """Return one measure's change, the mean of both sides."""
        value = self.values[name]
        return np.asarray(value.mean(axis=1)) if value.ndim == 2 else value

    def sides(self, name: str) -> Floats:
        """Return one measure's change per side, (n, 2)."""
        return self.values[name]


def changes(measures: Measures, rest: Rest, speaking: Mask) -> Changes:
    """Return the smoothed changes; the mouth's are taken slowly while it speaks."""
    values = {}
    shutting = _shutting(measures, rest)
    for name, level in rest.levels.items():
        raw = getattr(measures, name) - level
        if name in _NEAR_LIDS:
            raw = bridged(raw, shutting)
        quick = smooth(raw, measures.times, QUICK_WINDOW)
        if name in _MOUTH and speaking.any():
            slow = smooth(raw, measures.times, SPEECH_WINDOW)
            mask = speaking[:, None] if raw.ndim == 2 else speaking
            quick = np.where(mask, slow, quick)
        values[name] = quick
    turned = np.hypot(measures.yaw - rest.yaw, measures.pitch - rest.pitch)
    gap = values["mouth_gap"] + rest.levels["mouth_gap"]
    wide = values["mouth_width"] + rest.levels["mouth_width"]
    shape = wide - (values["corner_eye"] + rest.levels["corner_eye"]).mean(axis=1)
    return Changes(values, gap, shape, smooth(turned, measures.times, QUICK_WINDOW))


def _shutting(measures: Measures, rest: Rest) -> Mask:
    """Mark blinks and a few frames around them: the mesh's brows jump when lids close."""
    usual = max(float(rest.levels["eye_opening"].mean()), 0.2)
    brief = [
        s
        for s in stretches(measures.openness < 0.6 * usual)
        if measures.times[s.last] - measures.times[s.first] < 0.5
    ]
    mask = np.zeros(len(measures), dtype=bool)
    reach = round(0.08 / frame_time(measures.times))
    for one in brief:
        mask[max(0, one.first - reach) : one.last + 1 + reach] = True
    return mask
