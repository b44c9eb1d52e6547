"""The model's own doubts: at which numbers words are told, doubted, and not told."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from emer.tools.speech.confidence import (
    Verdict,
    factors,
    is_sure,
    judge,
    judge_translation,
    score,
    word_probability,
)
from emer.tools.speech.transcript import (
    ScoredText,
    TimedWord,
    Transcript,
    compression,
    distinct_translation,
)

GOOD = Transcript(
    original=ScoredText("I can't believe it.", -0.2),
    words=(TimedWord(" I", 0.0, 0.2, 0.9),),
    language="en",
    no_speech=0.02,
)


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, Verdict.RELIABLE),
        ({"no_speech": None}, Verdict.RELIABLE),
        ({"original": ScoredText("I can't believe it.", -1.01)}, Verdict.DOUBTFUL),
        ({"no_speech": 0.61}, Verdict.DOUBTFUL),
        ({"original": ScoredText("Thank you.", -1.2), "no_speech": 0.7}, Verdict.REJECTED),
        ({"original": ScoredText("la " * 60, -0.1)}, Verdict.REJECTED),
        ({"original": ScoredText("Subscribe to my channel for more videos like this!" * 2, -0.1)},
         Verdict.REJECTED),
        ({"original": ScoredText("  ", -0.1)}, Verdict.REJECTED),
    ],
)  # fmt: skip
def test_the_verdict_follows_the_model_s_doubts(change, verdict):
    assert judge(replace(GOOD, **change), seconds=2.0) is verdict


def test_words_of_a_language_in_doubt_are_doubtful():
    assert judge(GOOD, 2.0, clear=False) is Verdict.DOUBTFUL
    nothing = replace(GOOD, original=ScoredText("", -0.1))
    assert judge(nothing, 2.0, clear=False) is Verdict.REJECTED


def test_a_text_that_goes_in_circles_is_no_translation():
    circles = ScoredText("I have seven points. " * 12, -0.3)
    assert judge_translation(circles, 6.0) is Verdict.REJECTED
    assert judge_translation(ScoredText("I am so happy.", -0.7), 2.0) is Verdict.DOUBTFUL
    assert judge_translation(ScoredText("I am so happy.", -0.3), 2.0) is Verdict.RELIABLE


def test_much_text_needs_much_time():
    long = replace(
        GOOD, original=ScoredText("This sentence takes about three seconds to say aloud.", -0.1)
    )
    assert judge(long, seconds=3.0) is Verdict.RELIABLE
    assert judge(long, seconds=1.0) is Verdict.REJECTED


def test_text_that_repeats_itself_compresses():
    assert compression("na " * 100) > 10 and compression("Good morning to you all.") < 1.1
    assert compression("") == 0.0


def test_words_decide_about_their_own_utterance():
    sure = (TimedWord(" wonderful", 0, 1, 0.9), TimedWord(" a", 1, 2, 0.1))
    unsure = (TimedWord(" wonderful", 0, 1, 0.3),)
    assert word_probability(sure) == pytest.approx((9 * 0.9 + 0.1) / 10)
    assert is_sure(Verdict.RELIABLE, sure) and not is_sure(Verdict.DOUBTFUL, sure)
    assert not is_sure(Verdict.RELIABLE, unsure)


def test_a_score_rises_with_probability_and_falls_with_doubt():
    assert score(0.5, True) < score(0.9, True) <= score(1.0, True) < 1.0
    assert score(0.9, False) < 0.3 <= score(0.5, True)


def test_the_factors_are_the_measurements_that_there_are():
    found = factors(GOOD, 0.5, 0.9)
    assert found["asr_logprob"] == -0.2 and found["no_speech_probability"] == 0.02
    assert "no_speech_probability" not in factors(replace(GOOD, no_speech=None), 0.5, 0.9)
    assert all(math.isfinite(value) for value in found.values())


@pytest.mark.parametrize(
    ("english", "transcript", "is_kept"),
    [
        (ScoredText("How are you?", -0.1), "Wie geht es?", True),
        (ScoredText("Wie geht es", -0.1), "Wie geht es?", False),
        (ScoredText(" ", -0.1), "Wie geht es?", False),
    ],
)
def test_a_translation_that_is_none_is_dropped(english, transcript, is_kept):
    assert (distinct_translation(english, transcript) is not None) is is_kept
