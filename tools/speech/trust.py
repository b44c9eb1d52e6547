"""Whether recognised words are to be believed.

A recogniser without a way to say "I do not know" turns German, music and noise into
English. Two measurements tell: how much worse the words fit the sound than a free
sequence of phones does (Young 1994, "Detecting misrecognitions and out-of-vocabulary
words"), and the words' posterior in the lattice (Wessel et al. 2001). The limits are
round numbers chosen by us after looking at read books (LibriVox), acted English and
German sentences and synthetic speech in four languages; they are no probabilities.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np


class Verdict(Enum):
    """How recognised words may be reported."""

    RELIABLE = "says"
    DOUBTFUL = "may be saying"
    REJECTED = "not recognised"


@dataclass(frozen=True, slots=True)
class Word:
    """A recognised word and its span in seconds of the clip.

    `posterior` is the lattice's, not calibrated; `misfit` the log10 likelihood per frame
    that a free sequence of phones is ahead of the word (0 is a perfect word).
    """

    text: str
    start: float
    end: float
    posterior: float
    misfit: float


@dataclass(frozen=True, slots=True)
class Trust:
    """A verdict and the two means it rests on, each weighted by the words' lengths."""

    verdict: Verdict
    posterior: float
    misfit: float


def judge(words: Sequence[Word]) -> Trust:
    """Return how far a stretch of words is to be believed.

    Few words say little: the fewer there are, the better they must fit.
    """
    if not words:
        return Trust(Verdict.REJECTED, 0.0, 0.0)
    weights = np.array([max(word.end - word.start, 0.01) for word in words])
    posterior = float(np.average([word.posterior for word in words], weights=weights))
    misfit = float(np.average([word.misfit for word in words], weights=weights))
    verdict = _verdict(len(words), _telling(words), posterior, misfit)
    return Trust(verdict, round(posterior, 3), round(misfit, 3))


def _verdict(count: int, telling: int, posterior: float, misfit: float) -> Verdict:
    if telling < 2 or telling < 0.2 * count:
        return Verdict.REJECTED
    if count >= 3 and misfit <= 1.5 and posterior >= (0.6 if count >= 8 else 0.7):
        return Verdict.RELIABLE
    many = count >= 15
    if misfit <= (1.8 if many else 1.6) and posterior >= (0.4 if many else 0.5):
        return Verdict.DOUBTFUL
    return Verdict.REJECTED


def _telling(words: Sequence[Word]) -> int:
    """Return the number of different words of four letters or more.

    Hums, music and hiss come out as "a", "oh", "and the a".
    """
    return len({word.text for word in words if len(word.text) >= 4})
