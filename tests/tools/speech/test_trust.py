"""Words are believed only as far as they fit the sound."""

from __future__ import annotations

import pytest

from emer.tools.speech.confidence import Verdict, Word, judge
from emer.tools.speech.segmentation import utterances


def words(text: str, posterior: float, misfit: float) -> list[Word]:
    return [
        Word(word, k * 0.3, k * 0.3 + 0.3, posterior, misfit) for k, word in enumerate(text.split())
    ]


SENTENCE = "nobody knows what happened to the old man"


@pytest.mark.parametrize(
    ("posterior", "misfit", "verdict"),
    [
        (0.9, 1.1, Verdict.RELIABLE),
        (0.55, 1.1, Verdict.DOUBTFUL),
        (0.9, 1.55, Verdict.DOUBTFUL),
        (0.9, 2.0, Verdict.REJECTED),
        (0.2, 1.1, Verdict.REJECTED),
    ],
)
def test_both_measurements_must_hold(posterior: float, misfit: float, verdict: Verdict) -> None:
    trust = judge(words(SENTENCE, posterior, misfit))
    assert (trust.verdict, trust.posterior, trust.misfit) == (verdict, posterior, misfit)


def test_fewer_words_must_fit_better() -> None:
    assert judge(words(SENTENCE, 0.65, 1.2)).verdict is Verdict.RELIABLE
    assert judge(words("nobody knows what happened", 0.65, 1.2)).verdict is Verdict.DOUBTFUL


def test_what_noise_sounds_like_is_rejected_however_well_it_fits() -> None:
    assert judge(words("the a a oh and the huh", 0.95, 0.3)).verdict is Verdict.REJECTED
    assert judge([]).verdict is Verdict.REJECTED


def test_long_words_weigh_more() -> None:
    long, short = Word("wonderful", 0, 0.9, 1.0, 1.0), Word("the", 0.9, 1.0, 0.0, 2.0)
    assert judge([long, short]).posterior == 0.9
    assert judge([long, short]).misfit == 1.1


def test_a_pause_ends_an_utterance() -> None:
    said = words("one two three four", 0.9, 1.0)
    later = [Word(w.text, w.start + 0.6, w.end + 0.6, 0.9, 1.0) for w in said[2:]]
    groups = [[w.text for w in group] for group in utterances([*said[:2], *later])]
    assert groups == [["one", "two"], ["three", "four"]]
