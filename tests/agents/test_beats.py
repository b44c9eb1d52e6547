"""A raised brow counts for less while its owner speaks."""

from __future__ import annotations

from clue_kit import clue

from emer.agents.lexicon.cue_parser import read
from emer.agents.rules.fusion import EMPHASIS, soften_speech_brows, weigh

RAISE = clue(
    "face", "The person raises the eyebrows clearly at 2.0-3.0 s (AU1+2, intensity C).", (2.0, 3.0)
)
SPEECH = clue("face", "The person: the mouth moves as in speech at 1.0-4.0 s.", (1.0, 4.0))
LATER = clue("face", "The person: the mouth moves as in speech at 5.0-6.0 s.", (5.0, 6.0))


def strengths(*clues):
    return [m.strength for r in soften_speech_brows(read(clues)) for m in r.mentions]


def test_a_raise_while_speaking_is_emphasis():
    (alone,) = strengths(RAISE)
    assert strengths(RAISE, SPEECH) == [alone * EMPHASIS]


def test_a_raise_before_speaking_keeps_its_strength():
    assert strengths(RAISE, LATER) == strengths(RAISE)


def test_a_frown_for_a_word_is_emphasis_and_a_long_one_is_not():
    short = clue("face", "The person furrows the brows clearly at 2.0-2.6 s (AU4).", (2.0, 2.6))
    long = clue("face", "The person furrows the brows clearly at 1.5-3.9 s (AU4).", (1.5, 3.9))
    assert strengths(short, SPEECH) == [strengths(short)[0] * EMPHASIS]
    assert strengths(long, SPEECH) == strengths(long)


def test_both_brows_raised_is_not_the_inner_brow_alone():
    (reading,) = read([RAISE])
    assert {m.cue for m in reading.mentions} == {"brow_raise"}
    assert weigh([reading])[0].family == "surprised"
