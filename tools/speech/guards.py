"""Whether what a model wrote was said: the model's own doubts, turned into a verdict and a score.

The limits are those at which Whisper's authors decode again or take a window for silent
(Radford et al. 2022, section 4.5): a mean log-probability of -1, a compression ratio of 2.4,
a probability of no speech of 0.6. We do not decode again with chance in it: what fails is
told as not recognised. The other limits are chosen by us.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from emer.tools.speech.heard import Heard, Spoken, compression
from emer.tools.speech.trust import Verdict

LEAST_LOGPROB = -1.0
NO_SPEECH = 0.6
REPEATS = 2.4

LEAST_WORD, LEAST_LANGUAGE = 0.5, 0.5
"""Mean probability of the words, and of the language, below which words are doubtful."""

FASTEST = 30.0
"""Letters per second that nobody speaks: text for a hum (fast English has about 20)."""

SURE, DOUBTFUL = 0.95, 0.2
"""Most a score may be: words may be wrong even where the model is sure."""


def judge(heard: Heard, seconds: float) -> Verdict:
    """Return whether the words of a window of so many seconds of speech may be reported."""
    if not heard.said.text.strip():
        return Verdict.REJECTED
    if compression(heard.said.text) > REPEATS or len(heard.said.text) > FASTEST * max(seconds, 0.5):
        return Verdict.REJECTED
    silent = heard.no_speech is not None and heard.no_speech > NO_SPEECH
    unlikely = heard.said.logprob < LEAST_LOGPROB
    if silent and unlikely:
        return Verdict.REJECTED
    known = heard.language_probability is None or heard.language_probability >= LEAST_LANGUAGE
    return Verdict.RELIABLE if known and not (silent or unlikely) else Verdict.DOUBTFUL


def word_probability(words: Sequence[Spoken]) -> float:
    """Return the words' mean probability, each weighted by its letters."""
    weights = [max(1, len(word.text.strip())) for word in words]
    total = sum(w * word.probability for w, word in zip(weights, words, strict=True))
    return total / sum(weights)


def is_sure(verdict: Verdict, words: Sequence[Spoken]) -> bool:
    """Tell whether an utterance of a window with this verdict is told without doubt."""
    return verdict is Verdict.RELIABLE and word_probability(words) >= LEAST_WORD


def score(probability: float, sure: bool) -> float:
    """Return the quality of an utterance from the mean probability of its words."""
    return round(min(probability, SURE) if sure else DOUBTFUL * min(probability, 1.0), 3)


def factors(heard: Heard, probability: float, speech_share: float) -> Mapping[str, float]:
    """Return the measurements behind the score."""
    found = {
        "word_probability": probability,
        "asr_logprob": heard.said.logprob,
        "compression_ratio": compression(heard.said.text),
        "no_speech_probability": heard.no_speech,
        "language_probability": heard.language_probability,
        "speech_share": speech_share,
    }
    return {name: round(value, 3) for name, value in found.items() if value is not None}


def probability_of(logprob: float) -> float:
    """Return the geometric mean of the tokens' probabilities."""
    return math.exp(min(0.0, logprob))
