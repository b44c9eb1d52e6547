"""Words are believed only as far as they fit the sound."""

from __future__ import annotations

import pytest

from emer.tools.speech.confidence import LatticeWord, Verdict, judge_lattice


def words(text: str, posterior: float, misfit: float) -> list[LatticeWord]:
    return [
        LatticeWord(word, k * 0.3, k * 0.3 + 0.3, posterior, misfit)
        for k, word in enumerate(text.split())
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
    trust = judge_lattice(words(SENTENCE, posterior, misfit))
    assert (trust.verdict, trust.posterior, trust.misfit) == (verdict, posterior, misfit)


def test_fewer_words_must_fit_better() -> None:
    assert judge_lattice(words(SENTENCE, 0.65, 1.2)).verdict is Verdict.RELIABLE
    assert judge_lattice(words("nobody knows what happened", 0.65, 1.2)).verdict is Verdict.DOUBTFUL
    assert judge_lattice(words("to have missed", 0.9, 1.0)).verdict is Verdict.DOUBTFUL


def test_what_noise_sounds_like_is_rejected_however_well_it_fits() -> None:
    assert judge_lattice(words("the a a oh and the huh", 0.95, 0.3)).verdict is Verdict.REJECTED
    assert judge_lattice([]).verdict is Verdict.REJECTED


def test_long_words_weigh_more() -> None:
    long, short = LatticeWord("wonderful", 0, 0.9, 1.0, 1.0), LatticeWord("the", 0.9, 1.0, 0.0, 2.0)
    assert judge_lattice([long, short]).posterior == 0.9
    assert judge_lattice([long, short]).misfit == 1.1
