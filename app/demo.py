"""Makes the demo's clip: a still portrait that moves by a script and speaks.

Nothing is fetched: the face ships with matplotlib, the voice lies in assets/. The same
versions of the packages give the same pictures and sounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from importlib.resources import files
from math import pi, sin
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emer.app.portrait import SIDE, load_portrait
from emer.app.script import LENGTH, SPEECH_START, levels
from emer.app.warp import Warp

FPS = 25
RATE = 16_000
ROOM_TONE = 0.002
"""Standard deviation of the noise under the voice; 1.0 is full scale."""
GRAIN = 1.5
"""Standard deviation of the picture's noise, in steps of 256: a camera is never still."""
LOUD = 0.16
"""Loudness (root mean square) at which the mouth is open widest."""

Sound = NDArray[np.float64]


def make_demo(path: Path) -> Path:
    """Write the clip to `path` (an .mp4) and return it; about 10 s of work on one core.

    A clip that is only half written never stands under the final name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.stem}.part.mp4")
    try:
        _encode(half, _sound())
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)
    return path


def _encode(path: Path, sound: Sound) -> None:
    """Encode pictures and sound; settings that do not depend on the number of cores."""
    import av

    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        video: Any = container.add_stream(_codec(), rate=FPS, options={"preset": "veryfast"})
        video.width = video.height = SIDE
        video.pix_fmt, video.time_base = "yuv420p", Fraction(1, FPS)
        video.bit_rate, video.thread_count = 1_500_000, 1
        audio: Any = container.add_stream("aac", rate=RATE, layout="mono")
        audio.bit_rate = 96_000
        for number, picture in enumerate(_pictures(sound)):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(video.encode(frame))
        container.mux(video.encode())
        heard = av.AudioFrame.from_ndarray(sound[None].astype(np.float32), "fltp", "mono")
        heard.sample_rate, heard.pts, heard.time_base = RATE, 0, Fraction(1, RATE)
        container.mux(audio.encode(heard))
        container.mux(audio.encode())


def _codec() -> str:
    """Return the picture codec: H.264 where this build of PyAV can write it."""
    import av

    return "libx264" if "libx264" in av.codecs_available else "mpeg4"


def _sound() -> Sound:
    """Return the sound track, shape (n,), mono at 16 kHz: the voice over a quiet room."""
    sound = np.random.default_rng(1).normal(0, ROOM_TONE, round(LENGTH * RATE))
    voice, start = _voice(), round(SPEECH_START * RATE)
    sound[start : start + len(voice)] += voice
    return sound


def _voice() -> Sound:
    import av

    asset = files("emer.app") / "assets" / "speech.flac"
    with asset.open("rb") as file, av.open(file, "r") as flac:
        pieces = [frame.to_ndarray().ravel() for frame in flac.decode(audio=0)]
    voice: Sound = np.concatenate(pieces).astype(np.float64) / 2**15
    return voice


def _pictures(sound: Sound) -> Iterator[NDArray[np.uint8]]:
    """Yield the frames, uint8 (SIDE, SIDE, 3) RGB."""
    warp, grain = Warp(load_portrait()), np.random.default_rng(2)
    for number in range(round(LENGTH * FPS)):
        time = number / FPS
        picture = warp.draw({**levels(time), "jaw down": _openness(sound, time)}, _sway(time))
        picture += grain.normal(0, GRAIN, (SIDE, SIDE, 1))
        yield np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def _openness(sound: Sound, time: float) -> float:
    """Return how far the mouth is open, 0 to 1: it follows the loudness around `time`."""
    middle, half = round(time * RATE), RATE // 20
    near = sound[max(middle - half, 0) : middle + half]
    loudness = float(np.sqrt(np.mean(near**2)))
    return float(np.clip((loudness - 0.01) / LOUD, 0, 1)) * 0.6


def _sway(time: float) -> tuple[float, float]:
    """Return the head's slow drift in pixels, right and down: nobody sits quite still."""
    return 0.8 * sin(2 * pi * time / 5.0), 0.6 * sin(2 * pi * time / 3.7)
