"""Streams, frame times and duration of a file, before anything is decoded.

The packets of the chosen streams are read once without decoding, so that the duration is
known where the header has none or a wrong one, and every frame has a number and a time.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emer.tools.errors import ClipError
from emer.tools.types import Record

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream


class VideoStream(Record):
    """Video stream; width and height are upright and in square pixels."""

    index: int
    width: int
    height: int
    rotation: int
    """Counter-clockwise rotation in degrees that turns the stored picture upright."""
    fps: float
    frames: int
    codec: str
    variable_rate: bool


class AudioStream(Record):
    """An audio stream as stored; tools get 16 kHz mono."""

    index: int
    rate: int
    channels: int
    codec: str


@dataclass(frozen=True, slots=True)
class Probe:
    """A file's streams and times; all times are seconds from the clip's first moment."""

    origin: float
    """Time stamp of the clip's first moment in the file, seconds."""
    duration: float
    video: VideoStream | None
    audio: AudioStream | None
    frame_times: NDArray[np.float64]
    """Presentation time of each video frame, rising, shape (frames,)."""
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Packets:
    """Presentation times of a stream's packets, in seconds of the file."""

    times: list[float]
    end: float
    first: Any = None
    """The first frame, video or audio, that can be decoded."""


def probe(path: Path) -> Probe:
    """Probe a file; `ClipError` when nothing in it can be decoded."""
    import av

    _check_readable(path)
    try:
        with av.open(str(path)) as container:
            return _probe(path, container)
    except av.error.FFmpegError as error:
        reason = error.strerror or type(error).__name__
        raise ClipError(
            f"{path} cannot be read as audio or video ({reason}); is the file whole?"
        ) from error


def _check_readable(path: Path) -> None:
    if not path.exists():
        raise ClipError(f"no such file: {path}")
    if not path.is_file():
        raise ClipError(f"{path} is not a file; name one clip")
    try:
        with path.open("rb") as file:
            first = file.read(1)
    except OSError as error:
        raise ClipError(f"{path} cannot be read: {error.strerror}") from error
    if not first:
        raise ClipError(f"{path} is empty (0 bytes)")


def _probe(path: Path, container: InputContainer) -> Probe:
    video = _choose_stream(container, "video")
    audio = _choose_stream(container, "audio")
    packets = _scan(container, [stream for stream in (video, audio) if stream is not None])
    picture = sound = None
    if video is not None and video.index in packets:
        picture = _describe_video(video, packets[video.index])
    if audio is not None and audio.index in packets:
        sound = _describe_audio(audio, packets[audio.index])
    if picture is None and sound is None:
        raise ClipError(f"{path} holds no picture or sound that can be decoded")
    used = [packets[stream.index] for stream in (picture, sound) if stream is not None]
    origin = min(stream.times[0] for stream in used)
    duration = max(stream.end for stream in used) - origin
    times = packets[picture.index].times if picture is not None else []
    return Probe(
        origin=origin,
        duration=round(duration, 3),
        video=picture,
        audio=sound,
        frame_times=np.asarray(times, dtype=np.float64) - origin,
        notes=_notes(container, duration),
    )


def _choose_stream(container: InputContainer, kind: str) -> Stream | None:
    """Stream marked as default, else the one that FFmpeg ranks best; no cover art."""
    streams = [s for s in container.streams if s.type == kind and not _is_cover(s)]
    marked = [s for s in streams if "default" in _disposition(s)]
    if len(marked) == 1 or len(streams) == 1:
        return (marked or streams)[0]
    best = container.streams.best(kind)  # type: ignore[arg-type]
    return best if best in streams else next(iter(streams), None)


def _disposition(stream: Stream) -> set[str]:
    return {
        flag.name for flag in type(stream.disposition) if flag in stream.disposition and flag.name
    }


def _is_cover(stream: Stream) -> bool:
    return "attached_pic" in _disposition(stream)


def _scan(container: InputContainer, streams: list[Any]) -> dict[int, _Packets]:
    """Packets by stream; streams without any that can be decoded are left out."""
    import av

    by_stream = {stream.index: _Packets([], 0.0) for stream in streams}
    ticks = {stream.index: float(stream.time_base or 0) for stream in streams}
    for stream in streams:
        stream.codec_context.thread_count = 1
    # A truncated file ends in an error: what was read until then is the clip.
    with suppress(av.error.FFmpegError):
        for packet in container.demux(streams):
            index = packet.stream.index
            entry, tick = by_stream[index], ticks[index]
            if entry.first is None:
                with suppress(av.error.FFmpegError):
                    entry.first = next(iter(packet.decode()), None)
            if packet.pts is None or not tick or packet.is_discard:
                continue
            start = packet.pts * tick
            entry.times.append(start)
            entry.end = max(entry.end, start + (packet.duration or 0) * tick)
    for entry in by_stream.values():
        entry.times.sort()
    return {
        index: entry
        for index, entry in by_stream.items()
        if entry.times and entry.first is not None
    }


def _describe_video(stream: Any, entry: _Packets) -> VideoStream:
    frame = entry.first
    steps = np.diff(np.asarray(entry.times))
    if steps.size and np.mean(steps) > 0:
        fps = float(1 / np.mean(steps))
    else:
        fps = float(stream.average_rate or stream.base_rate or 25)
    if not steps.size or entry.end <= entry.times[-1]:
        entry.end = entry.times[-1] + 1 / fps
    width, height = _upright_size(frame, stream)
    return VideoStream(
        index=stream.index,
        width=width,
        height=height,
        rotation=round(frame.rotation) % 360,
        fps=round(fps, 3),
        frames=len(entry.times),
        codec=stream.codec_context.name,
        variable_rate=bool(steps.size and np.ptp(steps) > 0.25 * np.median(steps)),
    )


def _upright_size(frame: Any, stream: Any) -> tuple[int, int]:
    """Width and height after rotation, in square pixels."""
    aspect = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
    width = frame.width * float(aspect) if aspect and aspect > 0 else frame.width
    size = (max(1, round(width)), frame.height)
    return (size[1], size[0]) if round(frame.rotation) % 180 else size


def _describe_audio(stream: Any, entry: _Packets) -> AudioStream:
    return AudioStream(
        index=stream.index,
        rate=entry.first.sample_rate,
        channels=entry.first.layout.nb_channels,
        codec=stream.codec_context.name,
    )


def _notes(container: InputContainer, duration: float) -> tuple[str, ...]:
    promised = (container.duration or 0) / 1e6
    if promised - duration > max(0.5, 0.1 * promised):
        return (
            f"the file is cut short: its header promises {promised:.1f} s, "
            f"{duration:.1f} s can be read",
        )
    return ()
