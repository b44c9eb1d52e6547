"""Times of recognised words, held against voice activity.

Whisper's words follow each other without a gap: a pause counts to the word behind it, which so
begins before it is heard (attention is no acoustic boundary). Voice activity shows the pauses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from emer.tools.speech.transcript import TimedWord
from emer.tools.speech.vad import (
    ABOVE_FLOOR_DB,
    BELOW_PEAK_DB,
    Levels,
    Samples,
    levels,
    noise_floor,
)
from emer.tools.types import Span

REACH = 20
"""Frames of 10 ms by which the level may move an edge of speech: detectors smooth over these."""
LATE = 0.1
"""Seconds by which a word may go on behind its end: recognisers end them early, too."""
TAIL = 0.05
"""Seconds of speech behind a pause from which the word may lie there."""
SHORTEST = 0.05
"""Least seconds of a word (a short function word has about 0.08)."""
FAR = 0.5
"""Seconds from all speech beyond which there is no word."""


class Stretch(NamedTuple):
    """Speech from `start` to `end`, in seconds."""

    start: float
    end: float

    def overlap(self, start: float, end: float) -> float:
        """Seconds shared with another interval; negative is the distance."""
        return min(self.end, end) - max(self.start, start)


class Activity:
    """Stretches of speech in a clip, their edges where its level rises and falls."""

    def __init__(self, samples: Samples, speech: Sequence[Span]) -> None:
        level = levels(samples)
        floor = noise_floor(level) + ABOVE_FLOOR_DB
        self.stretches: list[Stretch] = []
        for span in speech:
            first, last = round(span.start * 100), max(round(span.end * 100) - 1, 0)
            part = level[first : last + 1]
            least = max(floor, float(part.max()) - BELOW_PEAK_DB) if part.size else floor
            start, end = _edge(level, first, -1, least), _edge(level, last, 1, least) + 1
            before = self.stretches[-1].end if self.stretches else 0.0
            if end / 100 > max(before, start / 100):
                self.stretches.append(Stretch(max(before, start / 100), end / 100))


def _edge(level: Levels, at: int, outward: int, least: float) -> int:
    """Frame of an edge: outward as long as it is loud, else inward until it is."""
    loud = level >= least
    inside = min(max(at, 0), len(level) - 1)
    way = outward if loud[inside] else -outward
    place = inside
    for _ in range(REACH):
        ahead = place + way
        if not 0 <= ahead < len(level):
            break
        if loud[inside] and not loud[ahead]:
            break
        place = ahead
        if loud[place] and not loud[inside]:
            return place
    return place if loud[inside] else inside


def placed(words: Sequence[TimedWord], activity: Activity) -> tuple[TimedWord, ...]:
    """Words inside speech and in order; those far from all speech are left out."""
    found: list[TimedWord] = []
    left, earliest = activity.stretches, 0.0
    for word in words:
        home = _home(word, left)
        if home is None:
            continue
        left = left[left.index(home) :]
        latest = max(home.start, home.end - SHORTEST)
        start = min(max(word.start, home.start, earliest), latest)
        earliest = max(start + SHORTEST, min(word.end, home.end))
        found.append(replace(word, start=round(start, 2), end=round(earliest, 2)))
    return tuple(found)


def _home(word: TimedWord, stretches: Sequence[Stretch]) -> Stretch | None:
    """The stretch that holds a word: the last that it reaches, for words begin early."""
    reached = [s for s in stretches if s.overlap(word.start, word.end + LATE) >= TAIL]
    if reached:
        return reached[-1]
    near = max(stretches, key=lambda s: s.overlap(word.start, word.end), default=None)
    if near is None or near.overlap(word.start, word.end) < -FAR:
        return None
    return near
