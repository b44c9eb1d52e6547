"""Small clips with known content, written with PyAV for the tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

CLOCK = Fraction(1, 1000)


@dataclass(frozen=True)
class Written:
    """What to write: grey levels of the frames, their times (s), and the sound."""

    times: Sequence[float] = ()
    greys: Sequence[int] = ()
    size: tuple[int, int] = (64, 48)
    sound: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    sound_start: float = 0.0
    rate: int = 16_000
    second_video: bool = False


def write_clip(path: Path, what: Written) -> Path:
    """Write the clip to `path`; the suffix chooses the container."""
    with av.open(str(path), "w") as container:
        decoy = _add_video(container, what, default=False) if what.second_video else None
        video = _add_video(container, what, default=True) if what.times else None
        audio = (
            container.add_stream("pcm_s16le", rate=what.rate, layout="mono")
            if what.sound.size
            else None
        )
        if decoy is not None:
            _write_video(container, decoy, what, [0] * len(what.times))
        if video is not None:
            _write_video(container, video, what, what.greys)
        if audio is not None:
            _write_audio(container, audio, what)
    return path


def _add_video(container: Any, what: Written, default: bool) -> Any:
    stream = container.add_stream("mpeg4", rate=25)
    stream.width, stream.height = what.size
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = CLOCK
    stream.time_base = CLOCK
    stream.disposition = av.stream.Disposition(1 if default else 0)
    return stream


def _write_video(container: Any, stream: Any, what: Written, greys: Sequence[int]) -> None:
    for time, grey in zip(what.times, greys, strict=True):
        picture = np.full((what.size[1], what.size[0], 3), grey, dtype=np.uint8)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = round(time / CLOCK), CLOCK
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _write_audio(container: Any, stream: Any, what: Written) -> None:
    pcm = (np.clip(what.sound, -1, 1) * 32767).astype(np.int16)[None, :]
    frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
    frame.sample_rate = what.rate
    frame.time_base = Fraction(1, what.rate)
    frame.pts = round(what.sound_start * what.rate)
    container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def tone(
    hertz: float, seconds: float, rate: int = 16_000, level: float = 0.5
) -> NDArray[np.float32]:
    """Return a sine of `hertz` for `seconds`, amplitude `level`."""
    time = np.arange(round(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * hertz * time)).astype(np.float32)
