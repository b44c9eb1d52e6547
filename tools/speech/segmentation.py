"""Segments for ASR and utterances after it.

Sound cut for the recogniser: long silences left out, and the way back to clip time.

Words in groups, as they are spoken: a new one after each silence.

Windows of Whisper that fit the sound: a short clip need not be 30 s of mostly silence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from emer.tools.speech.confidence import Verdict, judge
from emer.tools.speech.transcript import Heard, Window
from emer.tools.speech.vad import HOP, RATE, Samples, levels
from emer.tools.types import Span

PAD = 0.2
"""Seconds kept on each side of speech: the recogniser needs some silence around words."""

LONGEST = 20.0
"""Seconds of sound decoded as one utterance, unless told; bounds the recogniser's memory."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Stretches of the clip, [start, end) in samples, decoded as one utterance."""

    parts: tuple[tuple[int, int], ...]

    @property
    def size(self) -> int:
        """Length in samples."""
        return sum(end - start for start, end in self.parts)

    def sound(self, samples: Samples) -> Samples:
        """Return the stretches one after the other."""
        return np.concatenate([samples[start:end] for start, end in self.parts])

    def clip_span(self, start: float, end: float) -> tuple[float, float]:
        """Return where a word of this piece was heard, inside the stretch that has its middle."""
        middle, before = round((start + end) / 2 * RATE), 0
        for first, last in self.parts:
            if middle <= before + last - first or (first, last) == self.parts[-1]:
                shift = first - before
                found = [min(max(round(t * RATE) + shift, first), last) for t in (start, end)]
                return found[0] / RATE, max(found) / RATE
            before += last - first
        raise ValueError("a piece has no parts")

    def halves(self, samples: Samples) -> tuple[Piece, ...]:
        """Return the piece in two: between stretches, or a stretch where it is quietest."""
        if len(self.parts) > 1:
            half = len(self.parts) // 2
            return Piece(self.parts[:half]), Piece(self.parts[half:])
        (part,) = self.parts
        if part[1] - part[0] < 2 * RATE:
            return (self,)
        third = (part[1] - part[0]) // 3
        at = _quietest(samples, part[0] + third, part[1] - third)
        return Piece(((part[0], at),)), Piece(((at, part[1]),))

    def clip_time(self, seconds: float) -> float:
        """Return where in the clip, in seconds, a moment of this piece was heard."""
        left = round(seconds * RATE)
        for start, end in self.parts:
            if left <= end - start:
                return (start + left) / RATE
            left -= end - start
        return self.parts[-1][1] / RATE


def cut(samples: Samples, speech: Sequence[Span], longest: float = LONGEST) -> tuple[Piece, ...]:
    """Return the speech with a little silence around it, in pieces of at most `longest` s.

    Speech without a pause for that long is cut at its quietest moment.
    """
    pieces: list[Piece] = []
    for part in (
        short for long in _padded(speech, len(samples)) for short in _split(samples, long, longest)
    ):
        if pieces and pieces[-1].size + part[1] - part[0] <= longest * RATE:
            pieces[-1] = Piece((*pieces[-1].parts, part))
        else:
            pieces.append(Piece((part,)))
    return tuple(pieces)


def _padded(speech: Sequence[Span], size: int) -> list[tuple[int, int]]:
    """Return the spans in samples with `PAD` on both sides, those that touch made one."""
    found: list[tuple[int, int]] = []
    for span in speech:
        start = max(0, round((span.start - PAD) * RATE))
        end = min(size, round((span.end + PAD) * RATE))
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def _split(samples: Samples, part: tuple[int, int], longest: float) -> list[tuple[int, int]]:
    """Return the part cut where it is quietest, until no part is too long."""
    start, end = part
    parts: list[tuple[int, int]] = []
    while end - start > longest * RATE:
        at = _quietest(samples, start + round(0.6 * longest * RATE), start + round(longest * RATE))
        parts.append((start, at))
        start = at
    return [*parts, (start, end)]


def _quietest(samples: Samples, first: int, last: int) -> int:
    """Return the sample in the middle of the quietest 90 ms between two."""
    level = levels(samples[first:last])
    return first + int(np.argmin(np.convolve(level, np.ones(9) / 9, mode="valid")) + 4) * HOP


PAUSE = 0.5
"""Seconds of silence that end an utterance."""


class Timed(Protocol):
    """Anything with a beginning and an end, in seconds."""

    @property
    def start(self) -> float:
        """When it begins."""
        ...

    @property
    def end(self) -> float:
        """When it ends."""
        ...


Word = TypeVar("Word", bound=Timed)


def utterances(words: Sequence[Word], pause: float = PAUSE) -> list[tuple[Word, ...]]:
    """Return the words in groups, a new one after each silence of `pause` s."""
    groups: list[list[Word]] = []
    for word in words:
        if groups and word.start - groups[-1][-1].end < pause:
            groups[-1].append(word)
        else:
            groups.append([word])
    return [tuple(group) for group in groups]


HOP = 160
"""Samples per frame of the spectrogram, which are 10 ms."""
FRAMES = 3000
"""Frames of the window that Whisper was trained on."""
SILENCE, STEP = 200, 100
"""Frames left silent after the sound where the window fits it, and what it is rounded up to
(chosen by us)."""

Hear = Callable[[Sequence[Window], int], list[Heard]]
"""What is heard in a batch of windows of so many frames."""


def hear_fitted(windows: Sequence[Window], hear: Hear) -> list[Heard]:
    """Return what is heard in windows that fit; what is not sure then is heard in whole ones."""
    heard = hear(windows, fitting(windows))
    unsure = [n for n, each in enumerate(heard) if not _is_sure(each, windows[n])]
    if unsure:
        again = hear([windows[n] for n in unsure], FRAMES)
        for place, each in zip(unsure, again, strict=True):
            heard[place] = each
    return heard


def fitting(windows: Sequence[Window]) -> int:
    """Return the frames of the longest sound and a little silence, at most those of a whole."""
    longest = max(len(window.sound) for window in windows)
    steps = -(-(longest // HOP + SILENCE) // STEP)
    return min(FRAMES, steps * STEP)


def _is_sure(heard: Heard, window: Window) -> bool:
    verdict = judge(heard, len(window.sound) / RATE)
    return verdict is Verdict.RELIABLE and not heard.unfinished
