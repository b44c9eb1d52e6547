"""deepface's emotion classifier, and the face crops that it is given.

Network, weights' reader and labels are deepface's own code. Its detectors and its downloads are
not used, nor its client, which processes one picture after the other in colour.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emer.tools.errors import ToolMissing
from emer.tools.face.people import Person
from emer.tools.face.tracker import SMALLEST_PX, Crop
from emer.tools.runtime.model_pool import Key, PooledModel
from emer.tools.runtime.native import importing
from emer.tools.timeseries import ramp
from emer.tools.types import Quality, Span
from emer.tools.weights.locate import Need, loading

TOOL = "deepface"
PACKAGES = ("torch", "deepface", "werkzeug")
"""deepface imports the last without declaring it."""
INPUT, NETWORK_INPUT = 224, 48
"""Pixels of the side of deepface's common input, and of its emotion network's."""
Picture = NDArray[np.uint8]
"""A face in grey, any size."""
Probabilities = tuple[float, ...]
"""One for each of `labels()`; together 1."""
TURNED: Final = 45.0
"""Degrees of yaw from which a face is not classified (chosen by us).

Such models are trained on faces towards the camera."""
COVERED: Final = 0.2
"""Least confidence of the landmarks (chosen by us)."""
LARGE_PX: Final = 96.0
"""Face size from which more pixels give a model of 48 x 48 pixels no more detail."""
BLURRED, SHARP = 0.08, 0.3
"""Sharpness of faces blurred by two pixels of the crop, and of others at least.

By `crops.sharpness_of`; that of our sharp faces is 0.35-1.2."""


def require() -> None:
    """Raise `ToolMissing` unless deepface and torch are installed; imports neither."""
    from importlib.util import find_spec

    if any(find_spec(name) is None for name in PACKAGES):
        raise ToolMissing(TOOL, "deepface and torch", "pip install 'emer[models]'")


def labels() -> tuple[str, ...]:
    """Deepface's classes, in the order of its outputs."""
    return tuple(_deepface().labels)


def classifier(need: Need, device: str, batch: int) -> PooledModel[Picture, Probabilities]:
    """The shared model of a file of weights, `batch` faces at once; nothing is loaded."""
    return PooledModel(
        Key(TOOL, str(need.path), device, (("is", need.fingerprint),)),
        partial(_load, need, device),
        partial(_classify, device),
        batch=batch,
        gigabytes=need.gigabytes,
    )


def prepare(face: Picture) -> NDArray[np.float32]:
    """The network's input of a grey face, shape (48, 48), 1.0 is white.

    As deepface prepares a picture: by way of the input size of its other models.
    """
    import cv2

    height, width = face.shape
    scale = min(INPUT / height, INPUT / width)
    small = cv2.resize(face, (int(width * scale), int(height * scale)))
    down, right = INPUT - small.shape[0], INPUT - small.shape[1]
    around = ((down // 2, down - down // 2), (right // 2, right - right // 2))
    whole = np.pad(small, around) if down or right else small
    return np.asarray(cv2.resize(whole.astype(np.float32) / 255.0, (NETWORK_INPUT, NETWORK_INPUT)))


def _classify(device: str, model: Any, faces: Sequence[Picture]) -> list[Probabilities]:
    import torch

    batch = np.stack([prepare(face) for face in faces])[:, None]
    with torch.inference_mode():
        outputs = model(torch.from_numpy(batch).to(device))
    return [tuple(row) for row in outputs.cpu().double().tolist()]


def _load(need: Need, device: str) -> Any:
    """Deepface's network with the weights; only tensors are read of the file.

    Channels are last: torch's pooling on a CPU is several times faster so.
    """
    theirs = _deepface()
    import torch

    with loading(TOOL, need):
        model = theirs.load_model_weights(theirs.base_model(), str(need.path))
        return model.to(device, memory_format=torch.channels_last)


def _deepface() -> Any:
    with importing(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from deepface.models.demography.pytorch import Emotion
    return Emotion


class FaceCrop(NamedTuple):
    """A crop that is classified, and the size and pose of the face in it."""

    crop: Crop
    face_px: float
    yaw: float
    pitch: float
    sure: float


def face_crops(person: Person, within: Span | None) -> list[FaceCrop]:
    """The person's crops in which the face can be classified, in order of time."""
    m = person.measures
    crops = []
    for crop in person.crops:
        if within and not within.start - 1e-6 <= crop.time <= within.end + 1e-6:
            continue
        at = min(int(np.searchsorted(m.times, crop.time - 1e-6)), len(m) - 1)
        sure = float(m.sure[at].min())
        if abs(m.yaw[at]) <= TURNED and sure >= COVERED:
            size, yaw, pitch = float(m.size[at]), float(m.yaw[at]), float(m.pitch[at])
            crops.append(FaceCrop(crop, size, yaw, pitch, sure))
    return crops


def quality_of(frames: Sequence[FaceCrop]) -> Quality:
    """Visibility of the face: its size, pose, sharpness, and occlusion."""
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
