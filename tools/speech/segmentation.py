"""Segments: sound cut for a recogniser, windows that fit it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from emer.tools.speech.confidence import Verdict, judge
from emer.tools.speech.languages import spoken_language
from emer.tools.speech.transcript import Transcript, Window
from emer.tools.speech.vad import HOP, RATE, Samples, join_runs, levels
from emer.tools.types import Span

PAD = 0.2
"""Seconds on each side of speech; a recogniser needs some silence around words."""
LONGEST = 20.0
"""Default of the most seconds in a segment; bounds a recogniser's memory."""
LEAST = 0.4
"""Share of the longest segment before which unbroken speech is not cut (chosen by us)."""
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


def cut(
    samples: Samples,
    speech: Sequence[Span],
    longest: float = LONGEST,
    pad: float = PAD,
    bridged: float = 0.0,
) -> tuple[Segment, ...]:
    """The speech with a little silence around it, in segments of at most `longest` s.

    Speech that is longer without such a pause is cut at its longest pause, else at its quietest
    moment.

    Args:
        samples: The clip's sound.
        speech: Its stretches of speech in order.
        longest: Most seconds of a segment.
        pad: Seconds of the sound before and behind speech that belong to it.
        bridged: Pauses up to so many seconds stay in the sound as they are.
    """
    size = len(samples)
    padded = (
        (max(0, round((s.start - pad) * RATE)), min(size, round((s.end + pad) * RATE)))
        for s in speech
    )
    pauses = [(round(a.end * RATE), round(b.start * RATE)) for a, b in pairwise(speech)]
    segments: list[Segment] = []
    for stretch in join_runs(list(padded), max(1, round(bridged * RATE))):
        for part in _split(samples, stretch, longest, pauses):
            if segments and segments[-1].size + part[1] - part[0] <= longest * RATE:
                segments[-1] = Segment((*segments[-1].parts, part))
            else:
                segments.append(Segment((part,)))
    return tuple(segments)


def _split(
    samples: Samples, part: tuple[int, int], longest: float, pauses: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    start, end = part
    parts: list[tuple[int, int]] = []
    while end - start > longest * RATE:
        first, last = start + round(LEAST * longest * RATE), start + round(longest * RATE)
        inside = [(b - a, (a + b) // 2) for a, b in pauses if first <= a and b <= last]
        at = max(inside)[1] if inside else _quietest(samples, first, last)
        parts.append((start, at))
        start = at
    return [*parts, (start, end)]


def _quietest(samples: Samples, first: int, last: int) -> int:
    level = levels(samples[first:last])
    return first + int(np.argmin(np.convolve(level, np.ones(9) / 9, mode="valid")) + 4) * HOP


def transcribe_fitted(windows: Sequence[Window], transcribe: Transcribe) -> list[Transcript]:
    """Transcripts from windows that fit; unsure ones are decoded in whole windows.

    A short clip need not be 30 s of mostly silence. Windows are grouped by their own length: what
    is heard in one must not depend on the others of a batch.
    """
    transcripts = _by_frames(windows, [fitted_frames(window) for window in windows], transcribe)
    unsure = [n for n, each in enumerate(transcripts) if _is_unsure(windows[n], each)]
    short = [n for n in unsure if fitted_frames(windows[n]) < FRAMES]
    again = transcribe([windows[n] for n in short], FRAMES) if short else []
    for place, each in zip(short, again, strict=True):
        transcripts[place] = each
    return transcripts


def _by_frames(
    windows: Sequence[Window], frames: Sequence[int], transcribe: Transcribe
) -> list[Transcript]:
    found: dict[int, Transcript] = {}
    for count in sorted(set(frames)):
        places = [n for n, own in enumerate(frames) if own == count]
        group = transcribe([windows[n] for n in places], count)
        found.update(zip(places, group, strict=True))
    return [found[n] for n in range(len(windows))]


def _is_unsure(window: Window, transcript: Transcript) -> bool:
    spoken = spoken_language([(1.0, transcript.languages)])
    verdict = judge(transcript, len(window.sound) / RATE, spoken is None or spoken.is_clear)
    return transcript.unfinished or verdict is not Verdict.RELIABLE


def fitted_frames(window: Window) -> int:
    """Frames of the sound and a little silence, at most a whole window's."""
    steps = -(-(len(window.sound) // MEL_HOP + SILENCE) // STEP)
    return min(FRAMES, steps * STEP)
