"""When somebody speaks and when not: phrases, pauses and the rate of syllables."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from emer.tools.prosody.contours import HOP, Contours
from emer.tools.prosody.syllables import nuclei
from emer.tools.speech.vad import join_runs, true_runs
from emer.tools.types import Span

PAUSE = 0.25
"""Seconds of silence that count as a pause; shorter ones are closures of consonants."""

LONG_PAUSE = 0.7
"""Seconds of silence that a listener notices as a long pause."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Phrases and the pauses between them in order, and the syllables in the phrases."""

    phrases: tuple[Span, ...]
    pauses: tuple[Span, ...]
    syllables: int

    @property
    def speaking(self) -> float:
        """Seconds of speech without its pauses."""
        return sum(phrase.length for phrase in self.phrases)

    @property
    def rate(self) -> float:
        """Syllables per second of speech, pauses left out: the articulation rate."""
        return self.syllables / self.speaking if self.speaking else 0.0


def timing(contours: Contours) -> Timing:
    """Return the phrases (stretches of speech with some voice in them) and the rest.

    The silences before the first and after the last phrase are no pauses.
    """
    runs = join_runs(true_runs(contours.speech), round(PAUSE / HOP))
    phrases = tuple(span for run in runs if (span := _phrase(contours, *run)) is not None)
    pauses = tuple(Span(start=a.end, end=b.start) for a, b in pairwise(phrases))
    return Timing(phrases, pauses, len(nuclei(contours)))


def _phrase(contours: Contours, start: int, end: int) -> Span | None:
    """Return the run without noise that the detector took for speech at its edges.

    A voiceless consonant may stand 0.15 s away from the voice; None without a voice.
    """
    voiced = start + np.flatnonzero(contours.voiced[start:end])
    if voiced.size < 8:
        return None
    first, last = max(start, int(voiced[0]) - 15), min(end, int(voiced[-1]) + 16)
    return Span(start=round(first * HOP, 2), end=round(last * HOP, 2))
