"""A clip: its frames, samples and subtitle, decoded once for all tools."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from emer.tools.errors import ClipError, Unobservable
from emer.tools.media.clip_file import ClipFile
from emer.tools.media.decode_process import Data, DecodeFailed, Lost, decode, starvation
from emer.tools.media.decode_worker import Head
from emer.tools.media.decoder import Frame, Picture, SharedDecode, VideoShape
from emer.tools.media.probe import AudioStream, ClipLimits, Probe, VideoStream, probe
from emer.tools.media.sound import RATE, Samples, Sound, mixed, sound_notes
from emer.tools.media.subtitles import SubtitleCue, find_subtitle, late_note
from emer.tools.runtime.cancellation import locked, raise_if_cancelled
from emer.tools.runtime.native import importing
from emer.tools.text import readable
from emer.tools.types import Span, digest

LOUDEST = 1000.0
"""Amplitude from which a sample of a float format is no sound but damage."""


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
        self._source = _Source(self._file, self._probe, limits)
        self.subtitle, subtitle_notes = find_subtitle(path, subtitle, self._probe.subtitle)
        late = late_note(self.subtitle, self._probe.duration)
        self._notes = (*self._probe.notes, *subtitle_notes, *late)
        self._lock = threading.Lock()
        self._shared: SharedDecode | None = None
        self._sound: Sound | None = None

    @classmethod
    def open(
        cls,
        path: str | Path,
        subtitle: str | tuple[SubtitleCue, ...] | None = None,
        limits: ClipLimits | None = None,
    ) -> Clip:
        """Open a file; `subtitle` is its words, their cues, or an .srt, .vtt or .ass file.

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
        """Messages for the user: what of the file is missing, damaged or was not decoded."""
        return (*self._notes, *self._source.notes)

    def is_complete(self) -> bool:
        """Whether no limit or crash ended a decode: else more may be seen another time."""
        return not self._source.failures and not self._source.lost.starved

    @property
    def subtitle_digest(self) -> str:
        """Hash of the subtitle's words and times."""
        return digest([cue.model_dump(mode="json", exclude_defaults=True) for cue in self.subtitle])

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
        samples = self.sound().mono
        if span is None:
            return samples
        return samples[round(span.start * RATE) : round(span.end * RATE)]

    def sound(self) -> Sound:
        """The sound with its channels and what is known of its recording; as `samples`."""
        if self.audio is None:
            raise Unobservable("the clip has no audio track")
        with locked(self._lock):
            if self._sound is None:
                self._sound = self._source.sound(self.audio)
        return self._sound

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
    limits: ClipLimits
    lost: Lost = field(default_factory=Lost)
    unplayable: int = 0
    """Samples that are no numbers, or louder than any sound."""
    heard: tuple[str, ...] = ()
    """Messages on the level, the channels and the length of the sound."""
    failures: dict[str, str] = field(default_factory=dict)
    """A sentence on the "picture" or the "sound" that could not be decoded to its end."""
    end: int | None = None
    """Number of the first frame that was not decoded, after a failure: there the clip ends."""

    @property
    def notes(self) -> list[str]:
        """Messages for the user about what was left out."""
        notes = list(self.failures.values())
        if self.lost.damaged:
            notes.append(f"{self.lost.damaged} packets are damaged and were left out")
        if self.lost.starved:
            why = starvation(self.limits)
            notes.append(f"{self.lost.starved} packets could not be decoded: {why}")
        if self.unplayable:
            notes.append(f"{self.unplayable} samples of the sound are no numbers: silent here")
        notes += self.heard
        return notes

    def frames(self, first: int) -> Generator[Frame, None, None]:
        """Frames from number `first` on, decoded from the key frame before it.

        `ClipError` where none can be decoded.
        """
        info = self.probe.video
        times: list[float] = self.probe.frame_times.tolist()
        end = len(times) if self.end is None else self.end
        if end == 0 < len(times):
            raise ClipError(self.failures["picture"])
        if info is None or first >= end:
            return
        shape, reached = VideoShape(info.width, info.height, info.rotation), first
        try:
            with closing(self._decode_video(info.index, times, first)) as pictures:
                for head, data in pictures:
                    index = _frame_index(times, head.time - self.probe.origin)
                    if index >= end:
                        return
                    if index >= first:
                        reached = index + 1
                        yield Frame(index, round(times[index], 4), Picture(head, data), shape)
        except DecodeFailed as error:
            if reached > first or first == 0:
                self.end = reached
            until = times[reached - 1] if reached > first else None
            self._fail("picture", until, str(error), keep=first == 0)

    def _decode_video(
        self, stream: int, times: Sequence[float], first: int
    ) -> Generator[tuple[Head, Data], None, None]:
        """Pictures from about number `first` on."""
        seek = times[first] + self.probe.origin if first > 0 else None
        after = times[first - 1] + self.probe.origin if first > 0 else None
        request = {"kind": "video", "stream": stream, "seek": seek, "after": after}
        return decode(self.file.descriptor, request, self.limits, self.lost)

    def sound(self, info: AudioStream) -> Sound:
        """All sound, aligned by the first time stamp.

        Silence before a late first sound takes no memory: its pages are never written.
        """
        if "sound" in self.failures:
            raise ClipError(self.failures["sound"])
        channels = 2 if info.channels == 2 else 1  # more are mixed by the decoder
        samples: Samples = np.zeros((round(self.probe.duration * RATE), channels), np.float32)
        first: float | None = None
        filled = 0
        request = {"kind": "audio", "stream": info.index, "rate": RATE, "channels": channels}
        try:
            for head, data in decode(self.file.descriptor, request, self.limits, self.lost):
                if first is None:
                    first = max(0.0, head.time - self.probe.origin)
                    filled = round(first * RATE)
                filled = self._fill(samples, filled, data.view(np.float32).reshape(-1, channels))
        except DecodeFailed as error:
            self._fail("sound", filled / RATE if filled else None, str(error))
        if not filled or first is None:
            raise Unobservable("the audio track holds no sound that can be decoded")
        sound = mixed(samples[:filled])
        complete = "sound" not in self.failures
        self.heard = tuple(sound_notes(sound, first, self.probe.duration, complete))
        return sound

    def _fill(self, samples: Samples, at: int, sound: Samples) -> int:
        """Write sound into the samples from `at` on; return the end."""
        room = samples[at : at + len(sound)]
        room[:] = sound[: len(room)]
        unplayable = ~(np.abs(room) < LOUDEST)
        room[unplayable] = 0.0
        self.unplayable += int(np.count_nonzero(unplayable))
        return at + len(sound)

    def _fail(self, what: str, until: float | None, why: str, keep: bool = True) -> None:
        """Note what was not decoded; `ClipError` where nothing was."""
        if until is not None:
            self.failures[what] = f"the {what} could be decoded until {until:.1f} s only: {why}"
            return
        text = f"the {what} cannot be decoded: {why}"
        if keep:
            self.failures[what] = text
        raise ClipError(text)


def _frame_index(times: Sequence[float], time: float) -> int:
    return min(bisect_left(times, time - 1e-6), len(times) - 1)
