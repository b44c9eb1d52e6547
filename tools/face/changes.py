"""How a face differs from its rest, frame by frame, smoothed for reading action units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emer.tools.face.measures import Measures
from emer.tools.face.pose import Floats
from emer.tools.face.rest import Rest
from emer.tools.face.series import Mask, bridged, frame_time, ramp, smooth, stretches

SPEECH_WINDOW: Final = 1.0
"""Seconds of running median for the mouth while it speaks: speech moves it at 3-8 Hz."""
QUICK_WINDOW: Final = 0.2
_MOUTH: Final = frozenset(
    {"mouth_width", "corner_rise", "corner_eye", "mouth_gap", "jaw_side"}
    | {"lip_red", "lip_forward", "chin_lip", "chin_drop"}
)
_NEAR_LIDS: Final = frozenset({"brow_inner", "brow_outer", "brow_gap", "upper_lid"})
LIDS_FEIGN: Final = {"brow_inner": 0.013, "brow_outer": 0.015, "corner_eye": -0.018}
"""What shut eyes add to a measure: in MediaPipe's mesh the outer eye corners sink by 0.025
when the lids close, and these are measured from them (medians over 38 blinks of eight
people and the demo's drawn ones; blinks differ by 0.008)."""


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
    skin: Mask
    """Whether the face is large enough to see the folds between the brows."""
    shut: Floats
    """(n, 2) how far each eye is shut: 0 open to 1."""

    def __getitem__(self, name: str) -> Floats:
        """Return one measure's change, the mean of both sides."""
        value = self.values[name]
        return np.asarray(value.mean(axis=1)) if value.ndim == 2 else value

    def sides(self, name: str) -> Floats:
        """Return one measure's change per side, (n, 2)."""
        return self.values[name]

    def medians(self, frames: NDArray[np.intp]) -> Changes:
        """Return the medians over some frames, as a single row."""

        def middle(values: Floats) -> Floats:
            return np.asarray(np.median(values[frames], axis=0, keepdims=True))

        values = {name: middle(value) for name, value in self.values.items()}
        return Changes(
            values=values,
            gap=middle(self.gap),
            shape=middle(self.shape),
            turned=middle(self.turned),
            skin=middle(self.skin.astype(float)) > 0.5,
            shut=middle(self.shut),
        )


def changes(measures: Measures, rest: Rest, speaking: Mask) -> Changes:
    """Return the smoothed changes; the mouth's are taken slowly while it speaks."""
    values = {}
    brief = _blinking(measures, rest)
    shut = _shut(measures, rest)
    for name, level in rest.levels.items():
        raw = np.nan_to_num(getattr(measures, name) - level)
        raw = raw - LIDS_FEIGN.get(name, 0.0) * (shut if raw.ndim == 2 else shut.mean(axis=1))
        if name in _NEAR_LIDS:
            raw = bridged(raw, brief)
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
    return Changes(
        values=values,
        gap=gap,
        shape=shape,
        turned=smooth(turned, measures.times, QUICK_WINDOW),
        skin=~np.isnan(measures.furrow),
        shut=smooth(shut, measures.times, QUICK_WINDOW),
    )


def _shut(measures: Measures, rest: Rest) -> Floats:
    """Return how far each eye is shut: 0 from 80 % of its usual opening, 1 below 30 %."""
    usual = np.maximum(rest.levels["eye_opening"], 0.2)
    return ramp(measures.eye_opening / usual, 0.8, 0.3)


def _blinking(measures: Measures, rest: Rest) -> Mask:
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
