"""Tiny clips with a real face, and deepface weights in its own format whose answer is known."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from tests.tools.face import puppet

HAPPY = (0.03, 0.03, 0.03, 0.81, 0.04, 0.03, 0.03)
"""angry, disgust, fear, happy, sad, surprise, neutral: as deepface orders them."""
FLAT = (0.15, 0.14, 0.14, 0.15, 0.14, 0.14, 0.14)
NEUTRAL = (0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.88)

Picture = NDArray[np.uint8]


def write_emotion(path: Path, probabilities: Sequence[float] | None = HAPPY, seed: int = 0) -> Path:
    """Write deepface's emotion model; with `probabilities` that is its answer to any face."""
    import torch
    from deepface.models.demography.pytorch.Emotion import EmotionModel

    torch.manual_seed(seed)
    model = EmotionModel()
    if probabilities is not None:
        model.fc_3.weight.data.zero_()
        model.fc_3.bias.data = torch.tensor(np.log(probabilities), dtype=torch.float32)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), path)
    return path


def write_pictures(path: Path, pictures: Sequence[Picture], fps: int = 25) -> Path:
    """Write pictures as a clip."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=fps, options={"qscale": "2"})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_portrait(path: Path, seconds: float = 2.0) -> Path:
    """Write a clip of a face that does not move."""
    return write_pictures(path, [puppet.portrait()] * round(25 * seconds))


def write_pair(path: Path, seconds: float = 1.4) -> Path:
    """Write a clip of two faces, side by side."""
    face = puppet.portrait()
    both = np.concatenate([face, face[:, ::-1]], axis=1)
    return write_pictures(path, [np.ascontiguousarray(both)] * round(25 * seconds))
