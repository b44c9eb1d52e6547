"""Segments: sound cut for a recogniser, fitted windows, utterances of words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from emer.tools.speech.confidence import Verdict, judge
from emer.tools.speech.transcript import TimedWord, Transcript, Window
from emer.tools.speech.vad import HOP, RATE, Samples, join_runs, levels
from emer.tools.types import Span

PAD = 0.2
"""Seconds on each side of speech; a recogniser needs some silence around words."""
LONGEST = 20.0
"""Default of the most seconds in a segment; bounds a recogniser's memory."""
PAUSE = 0.5
"""Seconds of silence that end an utterance."""
MEL_HOP = 160
"""Samples per frame of Whisper's spectrogram, which are 10 ms."""
FRAMES = 3000
"""Frames of the window that Whisper was trained on."""
SILENCE, STEP = 200, 100
"""Frames of silence after the sound in a fitted window, and its step (ours)."""
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
        """A word's start and end in clip time (10 ms), in the stretch that has its middle."""
        middle, before = round((start + end) / 2 * RATE), 0
        for first, last in self.parts:
            if middle <= before + last - first or (first, last) == self.parts[-1]:
                shift = first - before
                placed = [min(max(round(t * RATE) + shift, first), last) for t in (start, end)]
                return round(placed[0] / RATE, 2), round(max(placed) / RATE, 2)
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
    size = len(samples)
    padded = (
        (max(0, round((s.start - PAD) * RATE)), min(size, round((s.end + PAD) * RATE)))
        for s in speech
    )
    segments: list[Segment] = []
    for stretch in join_runs(list(padded), 1):
        for part in _split(samples, stretch, longest):
            if segments and segments[-1].size + part[1] - part[0] <= longest * RATE:
                segments[-1] = Segment((*segments[-1].parts, part))
            else:
                segments.append(Segment((part,)))
    return tuple(segments)


def _split(samples: Samples, part: tuple[int, int], longest: float) -> list[tuple[int, int]]:
    start, end = part
    parts: list[tuple[int, int]] = []
    while end - start > longest * RATE:
        at = _quietest(samples, start + round(0.6 * longest * RATE), start + round(longest * RATE))
        parts.append((start, at))
        start = at
    return [*parts, (start, end)]


def _quietest(samples: Samples, first: int, last: int) -> int:
    level = levels(samples[first:last])
    return first + int(np.argmin(np.convolve(level, np.ones(9) / 9, mode="valid")) + 4) * HOP


def transcribe_fitted(windows: Sequence[Window], transcribe: Transcribe) -> list[Transcript]:
    """Transcripts from windows that fit; unsure ones are decoded in whole windows.

    A short clip need not be 30 s of mostly silence.
    """
    transcripts = transcribe(windows, fitted_frames(windows))
    unsure = [
        n
        for n, each in enumerate(transcripts)
        if each.unfinished or judge(each, len(windows[n].sound) / RATE) is not Verdict.RELIABLE
    ]
    if unsure:
        again = transcribe([windows[n] for n in unsure], FRAMES)
        for place, each in zip(unsure, again, strict=True):
            transcripts[place] = each
    return transcripts


def fitted_frames(windows: Sequence[Window]) -> int:
    """Frames of the longest sound and a little silence, at most a whole window's."""
    longest = max(len(window.sound) for window in windows)
    steps = -(-(longest // MEL_HOP + SILENCE) // STEP)
    return min(FRAMES, steps * STEP)


Word = TypeVar("Word", bound=TimedWord)


def utterances(words: Sequence[Word]) -> list[list[Word]]:
    """The words in groups, a new one after each silence of `PAUSE` s."""
    groups: list[list[Word]] = []
    for word in words:
        if groups and word.start - groups[-1][-1].end < PAUSE:
            groups[-1].append(word)
        else:
            groups.append([word])
    return groups


def span_of(words: Sequence[TimedWord], within: Span) -> Span:
    """Span of the words in tenths of a second, inside another."""
    start = max(within.start, round(words[0].start, 1))
    end = min(within.end, round(words[-1].end, 1))
    return Span(start=min(start, end), end=end)
