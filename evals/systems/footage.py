"""A clip as a multimodal model takes it: some pictures in order, and the sound as WAV."""

from __future__ import annotations

import wave
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emer.tools.clip import RATE, Clip, Samples
from emer.tools.errors import ToolFailed, Unobservable
from emer.tools.imports import importing

if TYPE_CHECKING:
    from collections.abc import Iterator

PICTURES = 8
"""AffectGPT looks at 8 frames too, and gains nothing beyond (arXiv 2501.16566)."""
SIDE = 448
"""Longest side of a picture, in pixels (chosen by us)."""
SECONDS = 60.0
"""Of a longer clip the first minute is heard (chosen by us)."""

Rgb = NDArray[np.uint8]


def pictures(clip: Clip, count: int = PICTURES, side: int = SIDE) -> list[Rgb]:
    """Return `count` pictures (height, width, 3), evenly spread; none if the clip has none."""
    if clip.video is None:
        return []
    total = sum(1 for _ in clip.frames())
    wanted = set(np.linspace(0, total - 1, min(count, total)).round().astype(int).tolist())
    return list(_at(clip, wanted, side))


def jpeg(picture: Rgb) -> bytes:
    """Return a picture as JPEG."""
    with importing():
        import cv2
    done, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    if not done:
        raise ToolFailed("jpeg", "picture", "the picture could not be encoded")
    return bytes(data)


def wav(clip: Clip, seconds: float = SECONDS) -> bytes | None:
    """Return the sound as 16 kHz mono WAV, None if the clip has none."""
    try:
        samples = clip.samples()[: round(seconds * RATE)]
    except Unobservable:
        return None
    return as_wav(samples)


def as_wav(samples: Samples) -> bytes:
    """Return 16 kHz mono samples, full scale 1.0, as a 16-bit WAV file."""
    data = BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return data.getvalue()


def _at(clip: Clip, wanted: set[int], side: int) -> Iterator[Rgb]:
    for place, frame in enumerate(clip.frames()):
        if place in wanted:
            yield frame.rgb(side)
