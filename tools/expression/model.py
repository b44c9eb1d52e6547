"""deepface's emotion model, and what it makes of faces cut out for it.

Network, weights' reader and labels are deepface's own code. Its detectors and its downloads are
not used, nor its client, which takes one picture after the other through colour.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emer.tools.errors import ToolMissing
from emer.tools.imports import importing
from emer.tools.models import Key
from emer.tools.shared import Shared
from emer.tools.weights.locate import Need, loading

TOOL = "deepface"
PACKAGES = ("torch", "deepface", "werkzeug")
"""deepface imports the last without asking for it."""
INPUT, SEEN = 224, 48
"""Side of the picture that deepface gives its models, and of what the emotion model takes of it."""

Picture = NDArray[np.uint8]
"""A face in grey, any size."""
Probabilities = tuple[float, ...]
"""One for each of `labels()`; together 1."""


def require() -> None:
    """Raise `ToolMissing` unless deepface and torch are installed; neither is imported."""
    from importlib.util import find_spec

    if any(find_spec(name) is None for name in PACKAGES):
        raise ToolMissing(TOOL, "deepface and torch", "pip install 'emer[models]'")


def labels() -> tuple[str, ...]:
    """Return deepface's classes, in the order of its outputs."""
    return tuple(_deepface().labels)


def classifier(need: Need, device: str, batch: int) -> Shared[Picture, Probabilities]:
    """Return what classifies faces with a file of weights, `batch` at once; nothing is loaded."""
    return Shared(
        Key(TOOL, str(need.path), device, (("is", need.fingerprint),)),
        partial(_load, need, device),
        partial(_classify, device),
        batch=batch,
        gigabytes=need.gigabytes,
    )


def prepare(face: Picture) -> NDArray[np.float32]:
    """Return what the network is given of a grey face, (48, 48), 1.0 is white.

    As deepface prepares a picture: by way of the size that its other models take.
    """
    import cv2

    height, width = face.shape
    scale = min(INPUT / height, INPUT / width)
    small = cv2.resize(face, (int(width * scale), int(height * scale)))
    down, right = INPUT - small.shape[0], INPUT - small.shape[1]
    around = ((down // 2, down - down // 2), (right // 2, right - right // 2))
    whole = np.pad(small, around) if down or right else small
    return np.asarray(cv2.resize(whole.astype(np.float32) / 255.0, (SEEN, SEEN)))


def _classify(device: str, model: Any, faces: Sequence[Picture]) -> list[Probabilities]:
    import torch

    batch = np.stack([prepare(face) for face in faces])[:, None]
    with torch.inference_mode():
        found = model(torch.from_numpy(batch).to(device))
    return [tuple(row) for row in found.cpu().double().tolist()]


def _load(need: Need, device: str) -> Any:
    """Return deepface's network with the weights; only tensors are read of the file.

    With the channels last, which torch's pooling on a CPU is several times faster with.
    """
    theirs = _deepface()
    import torch

    with loading(TOOL, need):
        model = theirs.load_model_weights(theirs.base_model(), str(need.path))
        return model.to(device, memory_format=torch.channels_last)


def _deepface() -> Any:
    """Return deepface's module of the torch model."""
    with importing(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from deepface.models.demography.pytorch import Emotion
    return Emotion
