"""A clip: its frames, samples and subtitle, decoded once for all tools."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emer.tools.errors import Unobservable
from emer.tools.media.clip_file import ClipFile
from emer.tools.media.container import open_container
from emer.tools.media.decoder import LARGE, Frame, SharedDecode, VideoShape
from emer.tools.media.probe import AudioStream, ClipLimits, Probe, VideoStream, probe
from emer.tools.media.subtitles import SubtitleCue, find_subtitle
from emer.tools.runtime.cancellation import locked, raise_if_cancelled
from emer.tools.runtime.native import importing
from emer.tools.text import readable
from emer.tools.types import Span, digest

RATE = 16_000
"""Samples per second of `Clip.samples`."""

LOUDEST = 1000.0
"""Amplitude from which a sample of a float format is no sound but damage."""

Samples = NDArray[np.float32]


class Clip:
    """A video or audio file; times are in seconds from its first moment.

    Rotation, pixel aspect, start offsets and variable frame rates are respected. Several
    threads may read it at once; its pictures are decoded once for all of them.
    """

    def __init__(
        self, path: Path, subtitle: str | tuple[SubtitleCue, ...] | None, limits: ClipLimits
    ) -> None:
        """Use `Clip.open`."""
        self.path = path
        self._file = ClipFile(path)
        self.sha256 = self._file.sha256
        self._probe = probe(path, self._file.descriptor, limits)
        self._source = _Source(self._file, self._probe, limits.pixels)
        self.subtitle, subtitle_notes = find_subtitle(path, subtitle)
        self._notes = (*self._probe.notes, *subtitle_notes)
        self._lock = threading.Lock()
        self._shared: SharedDecode | None = None
        self._samples: Samples | None = None

    @classmethod
    def open(
        cls,
        path: str | Path,
        subtitle: str | tuple[SubtitleCue, ...] | None = None,
        limits: ClipLimits | None = None,
    ) -> Clip:
        """Open a file; `subtitle` is its words, their cues, or an .srt/.vtt file.

        `ClipError` when the file cannot be read, `ConfigError` for a bad subtitle.
        """
        return cls(Path(path), subtitle, limits or ClipLimits())

    def check_unchanged(self) -> None:
        """`ClipError` where the file is no longer the one that was opened and hashed."""
        self._file.check_unchanged()

    @property
    def name(self) -> str:
        """Name of the file as text that can be printed and stored."""
        return readable(self.path.name)

    @property
    def duration(self) -> float:
        """Length in seconds, from the packets, since headers may be wrong."""
        return self._probe.duration

    @property
    def video(self) -> VideoStream | None:
        """The video stream that tools see, if there is one."""
        return self._probe.video

    @property
    def audio(self) -> AudioStream | None:
        """The audio stream that tools hear, if there is one."""
        return self._probe.audio

    @property
    def notes(self) -> tuple[str, ...]:
        """Messages for the user: the file is cut short, packets or samples are damaged."""
        notes = list(self._notes)
        if self._source.damaged:
            notes.append(f"{self._source.damaged} packets are damaged and were left out")
        if self._source.unplayable:
            notes.append(
                f"{self._source.unplayable} samples of the sound are no numbers: silent here"
            )
        return tuple(notes)

    @property
    def subtitle_digest(self) -> str:
        """Hash of the subtitle's words and times."""
        return digest([cue.model_dump(mode="json") for cue in self.subtitle])

    def frames(self, fps: float | None = None, span: Span | None = None) -> Iterator[Frame]:
        """Yield frames in order: all of them, or about `fps` of them per second.

        Without a span, all readers share one decode. With a span, its frames are decoded
        anew from the key frame before it. `Unobservable` if there is no video stream.
        """
        if self.video is None:
            raise Unobservable("the clip has no picture")
        with importing():
            import cv2  # noqa: F401  (frames and the tools that read them need it)
        wanted = self._wanted(fps, span)
        if span is None:
            return self._pick(self._share().read(), wanted)
        first = min(wanted, default=len(self._probe.frame_times))
        return self._pick(self._source.frames(first), wanted)

    def samples(self, span: Span | None = None) -> Samples:
        """Sound as mono float32 at 16 kHz, shape (n,), read-only; 1.0 is full scale.

        Sample k is at k / 16000 s. `Unobservable` if there is no audio stream.
        """
        if self.audio is None:
            raise Unobservable("the clip has no audio track")
        with locked(self._lock):
            if self._samples is None:
                self._samples = self._source.samples(self.audio)
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
                raise_if_cancelled()
                if frame.index in wanted:
                    yield frame
                if frame.index >= last:
                    return

    def _share(self) -> SharedDecode:
        with self._lock:
            if self._shared is None or self._shared.spent:
                self._shared = SharedDecode(self._source.frames)
            return self._shared


@dataclass(slots=True)
class _Source:
    """The open file and what is known of it: all that decoding needs.

    It does not know the clip: a decode under way must not keep a dropped clip, and its
    descriptor, until the next collection of circles.
    """

    file: ClipFile
    probe: Probe
    pixels: int
    """Most pixels of a picture."""
    damaged: int = 0
    """Packets that could not be decoded."""
    unplayable: int = 0
    """Samples that are no numbers, or louder than any sound."""

    def frames(self, first: int) -> Generator[Frame, None, None]:
        """Frames from number `first` on, decoded from the key frame before it."""
        info = self.probe.video
        times: list[float] = self.probe.frame_times.tolist()
        if info is None or first >= len(times):
            return
        shape = VideoShape(info.width, info.height, info.rotation)
        with open_container(self.file.descriptor, self.pixels) as container:
            stream: Any = container.streams[info.index]
            _set_threads(stream.codec_context, shape)
            if first > 0:
                at = times[first] + self.probe.origin
                container.seek(int(at / stream.time_base), stream=stream)
            for picture in self._decoded(container, stream):
                if picture.time is None:
                    continue
                index = _frame_index(times, picture.time - self.probe.origin)
                if index >= first:
                    yield Frame(index, round(times[index], 4), picture, shape)

    def _decoded(self, container: Any, stream: Any) -> Iterator[Any]:
        """Decoded frames of a stream, video or audio, without damaged packets."""
        from av.error import EOFError as EndOfFile
        from av.error import FFmpegError  # bound here: at exit the module may be empty

        packets = container.demux(stream)
        damaged = 0
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    break
                yield from packet.decode()
            except EndOfFile:
                break
            except FFmpegError:
                damaged += 1
        self.damaged = max(self.damaged, damaged)

    def samples(self, info: AudioStream) -> Samples:
        """All samples, aligned by the first time stamp.

        Silence before a late first sound takes no memory: its pages are never written.
        """
        import av

        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        samples: Samples = np.zeros(round(self.probe.duration * RATE), np.float32)
        filled: int | None = None
        with open_container(self.file.descriptor, self.pixels) as container:
            stream = container.streams[info.index]
            for frame in self._decoded(container, stream):
                raise_if_cancelled()
                if filled is None:
                    filled = max(0, round(((frame.time or 0.0) - self.probe.origin) * RATE))
                filled = self._fill(samples, filled, resampler.resample(frame))
            if filled is not None:
                filled = self._fill(samples, filled, resampler.resample(None))
        if not filled:
            raise Unobservable("the audio track holds no sound that can be decoded")
        samples = samples[:filled]
        samples.flags.writeable = False
        return samples

    def _fill(self, samples: Samples, at: int, frames: list[Any]) -> int:
        """Write audio frames into the samples from `at` on; return the end."""
        for frame in frames:
            sound = frame.to_ndarray()[0]
            room = samples[at : at + len(sound)]
            room[:] = sound[: len(room)]
            unplayable = ~(np.abs(room) < LOUDEST)
            room[unplayable] = 0.0
            self.unplayable += int(np.count_nonzero(unplayable))
            at += len(sound)
        return at


def _frame_index(times: Sequence[float], time: float) -> int:
    return min(bisect_left(times, time - 1e-6), len(times) - 1)


def _set_threads(codec: Any, shape: VideoShape) -> None:
    # Small pictures decode faster than any tool reads them in one thread; FFmpeg's frame
    # threads take a tenth to a quarter more CPU time.
    if shape.width * shape.height <= LARGE:
        codec.thread_count = 1
    else:
        codec.thread_type = "AUTO"
