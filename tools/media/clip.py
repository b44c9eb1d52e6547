"""The clip: one object that decodes once and serves pictures and sound to every tool."""

from __future__ import annotations

import hashlib
import threading
from bisect import bisect_left
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emer.tools.errors import Unobservable
from emer.tools.media.decoder import LARGE, Frame, SharedDecode, VideoShape
from emer.tools.media.probe import AudioStream, Probe, VideoStream, probe
from emer.tools.media.subtitles import SubtitleCue, find_subtitle
from emer.tools.runtime.native import importing
from emer.tools.types import Span, digest

RATE = 16_000
"""Samples per second of `Clip.samples`."""

Samples = NDArray[np.float32]


class Clip:
    """A video or sound file; times are in seconds from its first moment.

    Rotation, pixel aspect, start offsets and variable frame rates are honoured. Safe to
    read from several threads; the picture is decoded once for all of them.
    """

    def __init__(self, path: Path, found: Probe, subtitle: tuple[SubtitleCue, ...]) -> None:
        """Use `Clip.open`."""
        self.path = path
        self.sha256 = _sha256(path)
        self.subtitle = subtitle
        self._probe = found
        self._damaged = 0
        self._lock = threading.Lock()
        self._shared: SharedDecode | None = None
        self._samples: Samples | None = None

    @classmethod
    def open(cls, path: str | Path, subtitle: str | tuple[SubtitleCue, ...] | None = None) -> Clip:
        """Probe the file; `subtitle` is its words, their cues, or an .srt/.vtt file.

        `ClipError` when the file cannot be read, `ConfigError` for a bad subtitle.
        """
        path = Path(path)
        found = probe(path)
        return cls(path, found, find_subtitle(path, subtitle))

    @property
    def duration(self) -> float:
        """Length in seconds, as read from the packets and not from the header."""
        return self._probe.duration

    @property
    def video(self) -> VideoStream | None:
        """The picture that is shown to tools, if there is one."""
        return self._probe.video

    @property
    def audio(self) -> AudioStream | None:
        """The sound that tools hear, if there is one."""
        return self._probe.audio

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of the file: cut short, damaged pictures."""
        damaged = f"{self._damaged} packets are damaged and were left out"
        return (*self._probe.notes, *([damaged] if self._damaged else []))

    @property
    def subtitle_digest(self) -> str:
        """A hash of the given words and their times; the same for the same words."""
        return digest([cue.model_dump(mode="json") for cue in self.subtitle])

    def frames(self, fps: float | None = None, span: Span | None = None) -> Iterator[Frame]:
        """Yield frames in order: all of them, or about `fps` of them per second.

        Without a span, all readers share one decode. With one, the frames shown inside
        it are decoded anew from the key frame before it. `Unobservable` if there is no
        picture.
        """
        if self.video is None:
            raise Unobservable("the clip has no picture")
        with importing():
            import cv2  # noqa: F401  (the frames and the tools that read them need it)
        wanted = self._wanted(fps, span)
        if span is None:
            return self._pick(self._share().read(), wanted)
        first = min(wanted, default=len(self._probe.frame_times))
        return self._pick(self._decode(first), wanted)

    def samples(self, span: Span | None = None) -> Samples:
        """Return the sound as mono float32 at 16 kHz, shape (n,), read-only; 1.0 is full scale.

        Sample k is heard at k / 16000 s. `Unobservable` if there is no sound.
        """
        if self.audio is None:
            raise Unobservable("the clip has no audio track")
        with self._lock:
            if self._samples is None:
                self._samples = self._decode_audio(self.audio)
        if span is None:
            return self._samples
        return self._samples[round(span.start * RATE) : round(span.end * RATE)]

    def _wanted(self, fps: float | None, span: Span | None) -> set[int]:
        times = self._probe.frame_times
        inside = np.ones(len(times), dtype=bool)
        if span is not None:
            inside = (times >= span.start - 1e-6) & (times <= span.end + 1e-6)
        if fps is not None:
            slot = np.floor(times * fps + 1e-6)
            inside &= np.diff(slot, prepend=-1.0) > 0
        return set(np.flatnonzero(inside).tolist())

    @staticmethod
    def _pick(frames: Generator[Frame, None, None], wanted: set[int]) -> Iterator[Frame]:
        last = max(wanted, default=-1)
        with closing(frames) as opened:
            for frame in opened:
                if frame.index in wanted:
                    yield frame
                if frame.index >= last:
                    return

    def _share(self) -> SharedDecode:
        with self._lock:
            if self._shared is None or self._shared.spent:
                self._shared = SharedDecode(self._decode)
            return self._shared

    def _decode(self, first: int) -> Generator[Frame, None, None]:
        """Yield frames from number `first` on, decoding from the key frame before it."""
        import av

        stream_info = self.video
        times: list[float] = self._probe.frame_times.tolist()
        if stream_info is None or first >= len(times):
            return
        shape = VideoShape(stream_info.width, stream_info.height, stream_info.rotation)
        with av.open(str(self.path)) as container:
            stream: Any = container.streams[stream_info.index]
            _set_threads(stream.codec_context, shape)
            if first > 0:
                at = times[first] + self._probe.origin
                container.seek(int(at / stream.time_base), stream=stream)
            for picture in self._decoded(container, stream):
                if picture.time is None:
                    continue
                index = _number(times, picture.time - self._probe.origin)
                if index >= first:
                    yield Frame(index, round(times[index], 4), picture, shape)

    def _decoded(self, container: Any, stream: Any) -> Iterator[Any]:
        """Yield the stream's pictures or pieces of sound, leaving out damaged packets."""
        import av

        packets = container.demux(stream)
        damaged = 0
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    break
                yield from packet.decode()
            except av.error.EOFError:
                break
            except av.error.FFmpegError:
                damaged += 1
        self._damaged = max(self._damaged, damaged)

    def _decode_audio(self, info: AudioStream) -> Samples:
        """Return all of the sound, placed where its first time stamp says."""
        import av

        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        samples: Samples = np.zeros(round(self.duration * RATE), np.float32)
        filled: int | None = None
        with av.open(str(self.path)) as container:
            stream = container.streams[info.index]
            for frame in self._decoded(container, stream):
                if filled is None:
                    filled = max(0, round(((frame.time or 0.0) - self._probe.origin) * RATE))
                filled = _fill(samples, filled, resampler.resample(frame))
            filled = None if filled is None else _fill(samples, filled, resampler.resample(None))
        if not filled:
            raise Unobservable("the audio track holds no sound that can be decoded")
        samples = samples[:filled]
        samples.flags.writeable = False
        return samples


def _fill(samples: Samples, at: int, frames: list[Any]) -> int:
    """Write pieces of sound into the samples from `at` on; return where they end."""
    for frame in frames:
        sound = frame.to_ndarray()[0]
        room = samples[at : at + len(sound)]
        room[:] = sound[: len(room)]
        at += len(sound)
    return at


def _number(times: Sequence[float], time: float) -> int:
    """Return the number of the frame shown at `time`."""
    return min(bisect_left(times, time - 1e-6), len(times) - 1)


def _set_threads(codec: Any, shape: VideoShape) -> None:
    """Decode in one thread what is decoded faster than any tool looks.

    FFmpeg's frame threads take a tenth to a quarter more CPU time.
    """
    if shape.width * shape.height <= LARGE:
        codec.thread_count = 1
    else:
        codec.thread_type = "AUTO"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
