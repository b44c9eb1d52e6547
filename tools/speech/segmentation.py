"""Segments: sound cut for a recogniser, fitted windows, and utterances of its words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from emer.tools.speech.confidence import Verdict, judge
from emer.tools.speech.transcript import Transcript, Window
from emer.tools.speech.vad import HOP, RATE, Samples, levels
from emer.tools.types import Span

PAD = 0.2
"""Seconds kept on each side of speech: the recogniser needs some silence around words."""

LONGEST = 20.0
"""Default for the seconds decoded as one utterance; bounds the recogniser's memory."""

PAUSE = 0.5
"""Seconds of silence that end an utterance."""

MEL_HOP = 160
"""Samples per frame of Whisper's spectrogram, which are 10 ms."""
FRAMES = 3000
"""Frames of the window that Whisper was trained on."""
SILENCE, STEP = 200, 100
"""Frames left silent after the sound where the window fits it, and what it is rounded up to
(chosen by us)."""

Transcribe = Callable[[Sequence[Window], int], list[Transcript]]
"""Decodes a batch of windows with so many spectrogram frames each."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Stretches of the clip, [start, end) in samples, decoded as one utterance."""

    parts: tuple[tuple[int, int], ...]

    @property
    def size(self) -> int:
        """Length in samples."""
        return sum(end - start for start, end in self.parts)

    def sound(self, samples: Samples) -> Samples:
        """The stretches one after the other."""
        return np.concatenate([samples[start:end] for start, end in self.parts])

    def clip_span(self, start: float, end: float) -> tuple[float, float]:
        """The word's start and end in clip time, inside the stretch that has its middle."""
        middle, before = round((start + end) / 2 * RATE), 0
        for first, last in self.parts:
            if middle <= before + last - first or (first, last) == self.parts[-1]:
                shift = first - before
                placed = [min(max(round(t * RATE) + shift, first), last) for t in (start, end)]
                return placed[0] / RATE, max(placed) / RATE
            before += last - first
        raise ValueError("a segment has no parts")

    def halves(self, samples: Samples) -> tuple[Segment, ...]:
        """The segment in two: between stretches, or a stretch where it is quietest."""
        if len(self.parts) > 1:
            half = len(self.parts) // 2
            return Segment(self.parts[:half]), Segment(self.parts[half:])
        (part,) = self.parts
        if part[1] - part[0] < 2 * RATE:
            return (self,)
        third = (part[1] - part[0]) // 3
        at = _quietest(samples, part[0] + third, part[1] - third)
        return Segment(((part[0], at),)), Segment(((at, part[1]),))

    def clip_time(self, seconds: float) -> float:
        """Clip time of a moment of this segment, both in seconds."""
        left = round(seconds * RATE)
        for start, end in self.parts:
            if left <= end - start:
                return (start + left) / RATE
            left -= end - start
        return self.parts[-1][1] / RATE


def cut(samples: Samples, speech: Sequence[Span], longest: float = LONGEST) -> tuple[Segment, ...]:
    """The speech with a little silence around it, in segments of at most `longest` s.

    Speech without a pause for that long is cut at its quietest moment.
    """
    segments: list[Segment] = []
    for part in (
        short for long in _padded(speech, len(samples)) for short in _split(samples, long, longest)
    ):
        if segments and segments[-1].size + part[1] - part[0] <= longest * RATE:
            segments[-1] = Segment((*segments[-1].parts, part))
        else:
            segments.append(Segment((part,)))
    return tuple(segments)


def _padded(speech: Sequence[Span], size: int) -> list[tuple[int, int]]:
    """The spans in samples with `PAD` on both sides, those that touch joined."""
    padded: list[tuple[int, int]] = []
    for span in speech:
        start = max(0, round((span.start - PAD) * RATE))
        end = min(size, round((span.end + PAD) * RATE))
        if padded and start <= padded[-1][1]:
            padded[-1] = (padded[-1][0], end)
        else:
            padded.append((start, end))
    return padded


def _split(samples: Samples, part: tuple[int, int], longest: float) -> list[tuple[int, int]]:
    """The part, cut where it is quietest until no part is too long."""
    start, end = part
    parts: list[tuple[int, int]] = []
    while end - start > longest * RATE:
        at = _quietest(samples, start + round(0.6 * longest * RATE), start + round(longest * RATE))
        parts.append((start, at))
        start = at
    return [*parts, (start, end)]


def _quietest(samples: Samples, first: int, last: int) -> int:
    """The sample in the middle of the quietest 90 ms between two samples."""
    level = levels(samples[first:last])
    return first + int(np.argmin(np.convolve(level, np.ones(9) / 9, mode="valid")) + 4) * HOP


def transcribe_fitted(windows: Sequence[Window], transcribe: Transcribe) -> list[Transcript]:
    """Transcripts from windows that fit; what is not sure then is decoded in whole ones.

    A short clip need not be 30 s of mostly silence.
    """
    transcripts = transcribe(windows, fitted_frames(windows))
    unsure = [n for n, each in enumerate(transcripts) if not _is_sure(each, windows[n])]
    if unsure:
        again = transcribe([windows[n] for n in unsure], FRAMES)
        for place, each in zip(unsure, again, strict=True):
            transcripts[place] = each
    return transcripts


def fitted_frames(windows: Sequence[Window]) -> int:
    """Frames of the longest sound and a little silence, at most those of a whole window."""
    longest = max(len(window.sound) for window in windows)
    steps = -(-(longest // MEL_HOP + SILENCE) // STEP)
    return min(FRAMES, steps * STEP)


def _is_sure(transcript: Transcript, window: Window) -> bool:
    verdict = judge(transcript, len(window.sound) / RATE)
    return verdict is Verdict.RELIABLE and not transcript.unfinished


class Timed(Protocol):
    """Anything with a start and an end, in seconds."""

    @property
    def start(self) -> float:
        """Start in seconds."""
        ...

    @property
    def end(self) -> float:
        """End in seconds."""
        ...


Word = TypeVar("Word", bound=Timed)


def utterances(words: Sequence[Word], pause: float = PAUSE) -> list[tuple[Word, ...]]:
    """The words in groups, a new one after each silence of `pause` s."""
    groups: list[list[Word]] = []
    for word in words:
        if groups and word.start - groups[-1][-1].end < pause:
            groups[-1].append(word)
        else:
            groups.append([word])
    return [tuple(group) for group in groups]
