"""Which of a person's pictures a model is shown, and how well the face could be seen in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from emer.tools.face.crops import Crop
from emer.tools.face.people import Person
from emer.tools.face.series import ramp
from emer.tools.face.tracks import SMALLEST_PX
from emer.tools.types import Quality, Span

TURNED: Final = 45.0
"""Degrees of yaw from which a face is not shown: such models learn from faces that look at the
camera (chosen by us)."""
COVERED: Final = 0.2
"""How sure the landmarks must be, at least (chosen by us)."""
LARGE_PX: Final = 96.0
"""Face size from which a model of 48 x 48 pixels sees all it can use."""
BLURRED, SHARP = 0.08, 0.3
"""Sharpness (`crops.sharpness_of`) of faces blurred by two pixels of the crop, and the least of
faces that are not (0.35-1.2 over ours)."""


class Shown(NamedTuple):
    """A picture that the model is shown, and how the face stands in it."""

    crop: Crop
    face_px: float
    yaw: float
    pitch: float
    sure: float


def shown(person: Person, within: Span | None) -> list[Shown]:
    """Return the person's pictures in which the face can be judged, in order of time."""
    m = person.measures
    found = []
    for crop in person.crops:
        if within and not within.start - 1e-6 <= crop.time <= within.end + 1e-6:
            continue
        at = min(int(np.searchsorted(m.times, crop.time - 1e-6)), len(m) - 1)
        sure = float(m.sure[at].min())
        if abs(m.yaw[at]) <= TURNED and sure >= COVERED:
            found.append(Shown(crop, float(m.size[at]), float(m.yaw[at]), float(m.pitch[at]), sure))
    return found


def quality_of(frames: Sequence[Shown]) -> Quality:
    """Return how well the face could be seen: its size, pose, sharpness, and what covers it."""
    px, yaw, pitch, sure, sharp = (
        float(np.mean(values))
        for values in zip(
            *((f.face_px, abs(f.yaw), abs(f.pitch), f.sure, f.crop.sharpness) for f in frames),
            strict=True,
        )
    )
    size = np.clip((px - SMALLEST_PX) / (LARGE_PX - SMALLEST_PX), 0.1, 1.0)
    pose = np.clip(1.2 - yaw / 60 - pitch / 90, 0.2, 1.0)
    clear = max(0.1, float(ramp(np.array(sharp), BLURRED, SHARP)))
    return Quality(
        score=round(float(size * pose * clear * min(sure, 1.0)), 2),
        factors={
            "face_px": round(px),
            "yaw_deg": round(yaw, 1),
            "pitch_deg": round(pitch, 1),
            "sharpness": round(sharp, 2),
            "landmarks_sure": round(sure, 2),
            "frames": len(frames),
        },
    )
