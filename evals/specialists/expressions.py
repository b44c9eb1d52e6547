"""deepface's emotion model: our batches against `DeepFace.analyze`, face by face."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from emer.evals.speed.measure import Measure, at_least, compare
from emer.evals.speed.models import Setup, Unequal
from emer.tools.expression.classifier import Picture, Probabilities, classifier, labels, require
from emer.tools.runtime.model_pool import SHELF
from emer.tools.weights.locate import find

FACES, SIDE = 16, 96
ROUNDS = 3
"""Rounds for each one of the others': a round takes a fraction of a second."""

WEIGHTS = ".deepface/weights/facial_expression_model_weights.pth"
"""Where deepface looks for the file in its home."""

ALIKE = 1e-3
"""Most that a probability may differ between the two sides."""


def measure_deepface(setup: Setup) -> list[Measure]:
    """Return how many times faster a batch of faces is than deepface's own call on each."""
    require()
    _require_same_device(setup)
    file = setup.kept("random-deepface", _write) / WEIGHTS
    ours = classifier(find("deepface", str(file)), setup.device, FACES)
    faces = [_face(picture) for picture in setup.pictures(FACES, 480)]
    with _home(file.parents[2]):
        _require_equal(ours(faces), _loop(faces))
        found = compare(lambda: ours(faces), lambda: _loop(faces), ROUNDS * setup.rounds)
    SHELF.unload()
    return [
        at_least(
            f"deepface, {FACES} faces at once : DeepFace.analyze face by face",
            found.ratio, "x", setup.goal(gpu=20.0, cpu=3.0),
            f"{found.told(FACES, 'face')}; faces of {SIDE} x {SIDE}, detector skipped; the "
            f"probabilities are equal to {ALIKE:g}",
        )
    ]  # fmt: skip


def _write(folder: Path) -> None:
    import torch
    from deepface.models.demography.pytorch.Emotion import EmotionModel

    torch.manual_seed(0)
    file = folder / WEIGHTS
    file.parent.mkdir(parents=True)
    torch.save(EmotionModel().state_dict(), file)


def _face(picture: Any) -> Picture:
    """Return a square of the picture's middle in grey: what it shows costs nothing."""
    import cv2

    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = cv2.resize(picture[top : top + side, left : left + side], (SIDE, SIDE))
    return np.asarray(cv2.cvtColor(square, cv2.COLOR_RGB2GRAY), np.uint8)


def _loop(faces: Sequence[Picture]) -> list[Probabilities]:
    from deepface import DeepFace

    found = []
    for face in faces:
        (told,) = DeepFace.analyze(
            np.repeat(face[..., None], 3, axis=2), actions=["emotion"], detector_backend="skip",
            enforce_detection=False, silent=True,
        )  # fmt: skip
        found.append(tuple(told["emotion"][name] / 100 for name in labels()))
    return found


def _require_equal(ours: Sequence[Probabilities], theirs: Sequence[Probabilities]) -> None:
    far = float(np.abs(np.array(ours) - np.array(theirs)).max())
    if far > ALIKE:
        raise Unequal(f"deepface gives probabilities that differ from ours by {far:.3g}")


def _require_same_device(setup: Setup) -> None:
    import torch

    if torch.cuda.is_available() != setup.on_gpu:
        raise Unequal("deepface's own call takes the GPU where there is one; hide it for the CPU")


@contextmanager
def _home(folder: Path) -> Iterator[None]:
    """Have deepface look for its weights in a folder, and take torch."""
    told = {"DEEPFACE_HOME": str(folder), "DEEPFACE_BACKEND_ENGINE": "pytorch"}
    before = {name: os.environ.get(name) for name in told}
    os.environ.update(told)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
