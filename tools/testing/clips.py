"""Short synthetic clips of one picture and one sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emer.tools.media.decoder import Rgb

RATE = 16_000
FPS = 10
SIZE = (320, 240)

Sound = NDArray[np.float32]


def write_trial(
    path: Path,
    *,
    seconds: float = 1.0,
    grey: int | None = 128,
    picture: Rgb | None = None,
    sound: Sound | None = None,
) -> Path:
    """Write a clip of one picture and one sound; returns its path.

    Args:
        path: File to write; its suffix chooses the container.
        seconds: Length of the picture.
        grey: Level from 0 to 255 of a picture of 320 x 240; None for a clip without one.
        picture: RGB picture, uint8 of shape (height, width, 3); it wins over `grey`.
        sound: Mono samples at 16 kHz, float32 of shape (n,); None for a clip without sound.
    """
    import av

    with av.open(str(path), "w") as container:
        shown = picture
        if grey is not None and picture is None:
            shown = np.full((SIZE[1], SIZE[0], 3), grey, dtype=np.uint8)
        video = container.add_stream("mpeg4", rate=FPS) if shown is not None else None
        audio = container.add_stream("aac", rate=RATE, layout="mono") if sound is not None else None
        if video is not None and shown is not None:
            video.width, video.height, video.pix_fmt = shown.shape[1], shown.shape[0], "yuv420p"
            for _ in range(max(1, round(seconds * FPS))):
                container.mux(video.encode(av.VideoFrame.from_ndarray(shown, format="rgb24")))
            container.mux(video.encode())
        if audio is not None and sound is not None:
            frame = av.AudioFrame.from_ndarray(sound[None].astype(np.float32), "fltp", "mono")
            frame.sample_rate = RATE
            container.mux([*audio.encode(frame), *audio.encode()])
    return path


def tone(seconds: float = 1.0, hertz: float = 200.0) -> Sound:
    """Sine at a fifth of full scale."""
    time = np.arange(round(seconds * RATE)) / RATE
    return np.asarray(0.2 * np.sin(2 * np.pi * hertz * time), np.float32)


def silence(seconds: float = 1.0) -> Sound:
    return np.zeros(round(seconds * RATE), dtype=np.float32)


def noise(seconds: float = 1.0) -> Sound:
    """White noise, the same each time."""
    samples = np.random.default_rng(5).normal(0.0, 0.05, round(seconds * RATE))
    return samples.astype(np.float32)
