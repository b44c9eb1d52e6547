"""Confidence of recognised words: reliable, doubtful or rejected.

For models with token probabilities the limits are those at which Whisper's authors decode again
or take a window for silent (Radford et al. 2022, section 4.5): a mean log-probability of -1, a
compression ratio of 2.4, a probability of no speech of 0.6. There is no second decoding by
sampling here: what fails is reported as not recognised.

pocketsphinx cannot reject: it turns German, music and noise into English. Two measurements
reveal that: how much worse the words fit the sound than a free sequence of phones does (Young
1994, "Detecting misrecognitions and out-of-vocabulary words"), and the words' posterior in the
lattice (Wessel et al. 2001). Its limits are round numbers that we chose after looking at read
books (LibriVox), acted English and German sentences and synthetic speech in four languages;
they are no probabilities. The other limits are chosen by us, too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

import numpy as np

from emer.tools.speech.transcript import ScoredText, TimedWord, Transcript, compression

LEAST_LOGPROB = -1.0
NO_SPEECH = 0.6
REPEATS = 2.4

LEAST_TRANSLATION = -0.5
"""Mean log-probability of a translation below which it is doubtful (ours).

Of whisper-base's translations of the five film clips, at -0.7 to -1.3, none was right."""
LEAST_WORD = 0.5
"""Mean probability of words below which is doubt."""
FASTEST = 30.0
"""Letters per second that exceed speech (fast English has about 20)."""
FEWEST = 5
"""Words of pocketsphinx below which they are never stated without a hedge (ours)."""
SURE, DOUBTFUL = 0.95, 0.2
"""Most a score may be: words may be wrong even where the model is sure."""


class Verdict(Enum):
    """How recognised words may be reported."""

    RELIABLE = auto()
    DOUBTFUL = auto()
    REJECTED = auto()


def judge(transcript: Transcript, seconds: float, clear: bool = True) -> Verdict:
    """Whether the words of a window with so many seconds of speech may be reported.

    `clear` is whether the language is beyond doubt.
    """
    text = transcript.original.text
    silent = transcript.no_speech is not None and transcript.no_speech > NO_SPEECH
    unlikely = transcript.original.logprob < LEAST_LOGPROB
    hurried = len(text) > FASTEST * max(seconds, 0.5)
    if not text.strip() or compression(text) > REPEATS or hurried or (silent and unlikely):
        return Verdict.REJECTED
    return Verdict.RELIABLE if clear and not silent and not unlikely else Verdict.DOUBTFUL


def judge_translation(text: ScoredText, seconds: float) -> Verdict:
    """Whether a translation of so many seconds of speech may be reported."""
    verdict = judge(Transcript(text, ()), seconds)
    unlikely = verdict is Verdict.RELIABLE and text.logprob < LEAST_TRANSLATION
    return Verdict.DOUBTFUL if unlikely else verdict


def word_probability(words: Sequence[TimedWord]) -> float:
    """Mean probability of the words, each weighted by its letters."""
    weights = [max(1, len(word.text.strip())) for word in words]
    total = sum(w * word.probability for w, word in zip(weights, words, strict=True))
    return total / sum(weights)


def is_sure(verdict: Verdict, words: Sequence[TimedWord]) -> bool:
    """Whether words of a window with this verdict are reported without doubt."""
    return verdict is Verdict.RELIABLE and word_probability(words) >= LEAST_WORD


def score(probability: float, sure: bool) -> float:
    """Quality of an utterance from the mean probability of its words."""
    return round(min(probability, SURE) if sure else DOUBTFUL * min(probability, 1.0), 3)


def factors(
    transcript: Transcript, speech_share: float, probability: float, language: float | None = None
) -> Mapping[str, float]:
    """The measurements behind the score; `language` is the probability of the clip's."""
    measured = {
        "word_probability": probability,
        "asr_logprob": transcript.original.logprob,
        "compression_ratio": compression(transcript.original.text),
        "no_speech_probability": transcript.no_speech,
        "language_probability": language,
        "speech_share": speech_share,
    }
    return {name: round(value, 3) for name, value in measured.items() if value is not None}


def probability_of(logprob: float) -> float:
    """Geometric mean of the tokens' probabilities."""
    return math.exp(min(0.0, logprob))


@dataclass(frozen=True, slots=True)
class LatticeWord(TimedWord):
    """A word of pocketsphinx; its probability is the lattice's, not calibrated."""

    misfit: float
    """The log10 likelihood per frame by which free phones exceed the word; 0 is perfect."""


class LatticeConfidence(NamedTuple):
    """A verdict and the two means it rests on, each weighted by the words' lengths."""

    verdict: Verdict
    posterior: float
    misfit: float


def judge_lattice(words: Sequence[LatticeWord]) -> LatticeConfidence:
    """Confidence in a stretch of words; the fewer there are, the better they must fit."""
    if not words:
        return LatticeConfidence(Verdict.REJECTED, 0.0, 0.0)
    weights = [max(word.end - word.start, 0.01) for word in words]
    posterior = float(np.average([word.probability for word in words], weights=weights))
    misfit = float(np.average([word.misfit for word in words], weights=weights))
    count, many = len(words), len(words) >= 15
    # German of two seconds came out as "to have missed", at a posterior of 0.8: three words or four
    # fit anything by chance.
    enough = count >= FEWEST
    # Hums, music and hiss come out as "a", "oh", "and the a".
    content = len({word.text for word in words if len(word.text) >= 4})
    if content < 2 or content < 0.2 * count:
        verdict = Verdict.REJECTED
    elif enough and misfit <= 1.5 and posterior >= (0.6 if count >= 8 else 0.7):
        verdict = Verdict.RELIABLE
    elif misfit <= (1.8 if many else 1.6) and posterior >= (0.4 if many else 0.5):
        verdict = Verdict.DOUBTFUL
    else:
        verdict = Verdict.REJECTED
    return LatticeConfidence(verdict, round(posterior, 3), round(misfit, 3))
