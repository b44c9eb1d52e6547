"""What the voice alone tells of labelled speech: its arousal, and a first label.

Arousal is claimed where a clue says it outright, or else where the stated cues that have one
(`agents/lexicon/arousal.csv`) lean to one side. High is that of anger, fear, joy and
surprise, low that of sadness, boredom, calm and neutral speech (Russell 1980); of disgust,
contempt and frustration none is held right.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emer.agents.lexicon.cue_parser import Reading
from emer.agents.lexicon.lexicon import lexicon
from emer.evals.metrics.bootstrap import Estimate, proportion

HIGH = frozenset({"angry", "afraid", "happy", "joyful", "excited", "surprised"})
LOW = frozenset({"sad", "bored", "calm", "neutral"})
OUTRIGHT = frozenset({"voice_high_arousal", "voice_low_arousal"})
"""Cues that say the arousal in so many words."""
LEAN = 0.5
"""Sum of arousal times strength and reliability that is a claim (chosen by us)."""
FAMILIES: Mapping[str, str] = {
    "angry": "angry", "afraid": "worried", "happy": "happy", "joyful": "happy",
    "excited": "happy", "surprised": "surprised", "pleasantly surprised": "surprised",
    "sad": "sad", "bored": "tired", "calm": "calm", "neutral": "calm", "disgusted": "disgusted",
    "contemptuous": "contemptuous",
}  # fmt: skip
"""The emotion family that is right for a label of a corpus."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A file's label, the arousal that its clues state, and the first family named."""

    corpus: str
    label: str
    arousal: float
    first: str | None

    @property
    def claimed(self) -> bool:
        return abs(self.arousal) >= LEAN

    @property
    def right(self) -> bool:
        """Whether the arousal is on the side of the label."""
        return (self.arousal > 0) == (self.label in HIGH)

    @property
    def named_right(self) -> bool:
        return self.first is not None and self.first == FAMILIES.get(self.label)


@dataclass(frozen=True, slots=True)
class VoiceScores:
    """Shares with their 95 % intervals, and the first labels by true label."""

    files: int
    with_arousal: int
    """Files whose label has an arousal."""
    claimed: Estimate
    right: Estimate
    """Of the claimed."""
    right_low: Estimate
    """Of all files of low arousal, claimed or not."""
    right_high: Estimate
    named: Estimate
    first_right: Estimate
    """Of those that are named."""
    first: Mapping[str, Mapping[str, int]]


def stated_arousal(readings: Sequence[Reading]) -> float:
    """What is said of arousal outright, else the sum of arousal over the other cues.

    Of several mentions of a cue the strongest counts.
    """
    table, weights = lexicon().arousal, dict[str, float]()
    for reading in readings:
        for mention in reading.mentions:
            if mention.cue in table and not mention.negated:
                amount = reading.reliability * mention.strength
                weights[mention.cue] = max(weights.get(mention.cue, 0.0), amount)
    outright = {cue: weight for cue, weight in weights.items() if cue in OUTRIGHT}
    if outright:
        return math.copysign(1.0, math.fsum(table[cue] * w for cue, w in outright.items()))
    return math.fsum(table[cue] * weight for cue, weight in weights.items())


def score_voices(heard: Sequence[Heard]) -> VoiceScores:
    """Scores of files, with Wilson's intervals."""
    told = [each for each in heard if each.label in HIGH | LOW]
    low = [each for each in told if each.label in LOW]
    high = [each for each in told if each.label in HIGH]
    claimed = [each for each in told if each.claimed]
    named = [each for each in heard if each.first]
    labels = sorted({each.label for each in heard})
    return VoiceScores(
        files=len(heard),
        with_arousal=len(told),
        claimed=proportion(len(claimed), len(told)),
        right=proportion(sum(each.right for each in claimed), len(claimed)),
        right_low=proportion(sum(each.claimed and each.right for each in low), len(low)),
        right_high=proportion(sum(each.claimed and each.right for each in high), len(high)),
        named=proportion(len(named), len(heard)),
        first_right=proportion(sum(each.named_right for each in named), len(named)),
        first={
            label: dict(Counter(each.first or "-" for each in heard if each.label == label))
            for label in labels
        },
    )
