"""Which labels and bands a set of standings gets, worked out by hand."""

from __future__ import annotations

import pytest

from emer.agents.lexicon.lexicon import lexicon
from emer.agents.rules.fusion import Evidence, Standing
from emer.agents.rules.labels import band, carries, choose, exceeds, hypotheses, rival, words_of
from tests.fixtures.standings import HEARD, SAID, SEEN, evidence, standing

LATER = evidence("later", at=(5.0, 6.0))


def named(*standings: Standing) -> list[str]:
    return [choice.name for choice in choose(standings)]


def families(*standings: Standing) -> list[str]:
    return list(dict.fromkeys(choice.standing.family for choice in choose(standings)))


@pytest.mark.parametrize(
    ("probability", "support", "is_named"),
    [(0.35, 0.54, True), (0.34, 0.54, False), (0.35, 0.53, False), (0.9, 2.0, True)],
)
def test_a_label_needs_probability_and_support(
    probability: float, support: float, is_named: bool
) -> None:
    assert bool(named(standing("happy", probability, (SEEN, support)))) is is_named
    assert named() == []


@pytest.mark.parametrize(
    ("leading", "probability", "sign", "is_named"),
    [
        (0.5, 0.4, HEARD, True),
        (0.5, 0.39, HEARD, False),
        (0.9, 0.5, LATER, True),
        (0.9, 0.49, LATER, False),
        (0.9, 0.5, HEARD, False),
    ],
)
def test_beside_the_lead_stand_rivals_and_what_is_displayed_at_another_moment(
    leading: float, probability: float, sign: Evidence, is_named: bool
) -> None:
    lead = standing("happy", leading, (SEEN, 2.0))
    assert families(lead, standing("sad", probability, (sign, 1.0))) == (
        ["happy", "sad"] if is_named else ["happy"]
    )


def test_a_rival_below_the_least_probability_or_without_clues_is_not_named() -> None:
    lead = standing("happy", 0.4, (SEEN, 0.6))
    assert families(lead, standing("sad", 0.35, (HEARD, 0.6))) == ["happy", "sad"]
    assert families(lead, standing("sad", 0.34, (HEARD, 0.6))) == ["happy"]
    assert families(lead, standing("sad", 0.4, (HEARD, 0.09))) == ["happy"]


def test_there_are_at_most_three_families_and_four_labels() -> None:
    others = [standing(f, 0.8, (HEARD, 4.0)) for f in ("surprised", "interested", "calm")]
    amused = standing("amused", 0.9, (SEEN, 1.0))
    assert named(amused, *others) == ["amused", "surprised", "curious"]
    assert len(words_of(others[0])) == 1, "one of its near synonyms"
    later = [standing(f, 0.8, (LATER, 4.0)) for f in ("surprised", "sad")]
    happy = standing("happy", 0.9, (SEEN, 2.0))
    assert named(happy, *later) == ["happy", "surprised", "sad"]
    assert named(amused, *later) == ["amused", "surprised", "sad"]
    shaded = [
        standing(family, 0.8, (LATER, 4.0), (evidence(cue, "audio"), 0.01))
        for family, cue in (("surprised", "gasp"), ("sad", "helpless_words"))
    ]
    excited = standing("happy", 0.9, (SEEN, 2.0), (evidence("loud", "audio"), 0.1))
    assert named(excited, *shaded) == ["happy", "excited", "surprised", "shocked"]
    assert named(excited, shaded[1]) == ["happy", "excited", "sad", "helpless"]


@pytest.mark.parametrize(
    ("family", "probability", "sign", "is_torn"),
    [
        ("sad", 0.4, SEEN, True),
        ("sad", 0.39, SEEN, False),
        ("sad", 0.5, HEARD, False),
        ("confused", 0.5, SEEN, True),
        ("serious", 0.5, SEEN, False),
        ("amused", 0.5, SEEN, False),
    ],
)
def test_a_cue_that_supports_opposites_alike_names_none(
    family: str, probability: float, sign: Evidence, is_torn: bool
) -> None:
    lead, other = standing("happy", 0.5, (SEEN, 2.0)), standing(family, probability, (sign, 1.0))
    assert (named(lead, other) == []) is is_torn


def test_a_shade_is_named_with_its_own_cue_and_no_near_synonym() -> None:
    def words(*signs):
        return [choice.name for choice in words_of(standing("happy", 0.8, *signs))]

    assert words((SEEN, 0.6)) == ["happy"]
    assert words((SEEN, 0.2)) == ["pleased"], "too slight for the plain word"
    assert words((SEEN, 2.0)) == ["happy"], "joyful is a degree of happy"
    slight = standing("surprised", 0.8, (SEEN, 0.2))
    assert [choice.name for choice in words_of(slight)] == ["surprised"], "no word is so slight"
    excited = evidence("excited_words", "text", weight=0.5)
    assert words((SEEN, 2.0), (excited, 0.1)) == ["happy", "excited"]
    barely = evidence("excited_words", "text", weight=0.49)
    assert words((SEEN, 2.0), (barely, 0.1)) == ["happy"]
    denied = evidence("excited_words", "text", negated=True)
    assert words((SEEN, 2.0), (denied, -0.1)) == ["happy"]


def test_of_two_shades_the_better_stated_is_named_else_the_nearer() -> None:
    def second(**weights: float) -> str:
        signs = [(evidence(cue, "audio", weight=w), 0.05) for cue, w in weights.items()]
        return words_of(standing("happy", 0.8, (SEEN, 2.0), *signs))[1].name

    assert second(sigh=0.7, loud=0.9) == "excited"
    assert second(sigh=0.9, loud=0.7) == "relieved"
    assert second(sigh=1.0, loud=1.0) == "relieved", "both are clearly stated; arousal is low"
    # Arousal 0.35 is as far from both; the intensity 0.61 is nearer to 0.2-0.8 than to 0.6-1.
    loud, sigh = evidence("loud", "audio", weight=2.143), evidence("sigh", "audio")
    even = words_of(standing("happy", 0.8, (SEEN, 1.4), (loud, 0.05), (sigh, 0.05)))
    assert [choice.name for choice in even] == ["happy", "relieved"]
    strong = words_of(standing("happy", 0.8, (SEEN, 2.397), (loud, 0.05), (sigh, 0.05)))
    assert strong[1].name == "excited", "0.79 is in the middle of 0.6-1"


def test_the_second_word_is_a_tenth_less_probable() -> None:
    loud = evidence("loud", "audio")
    first, second = words_of(standing("happy", 0.8, (SEEN, 2.0), (loud, 0.1)))
    assert (first.probability, second.probability) == (0.8, 0.72)
    _, rounded = words_of(standing("happy", 0.8333, (SEEN, 2.0), (loud, 0.1)))
    assert rounded.probability == 0.75, "to four digits"


@pytest.mark.parametrize(
    ("probability", "signs", "disputed", "expected"),
    [
        (0.85, (SEEN, HEARD), False, "high"),
        (0.84, (SEEN, HEARD), False, "medium"),
        (0.85, (SEEN, HEARD), True, "medium"),
        (0.99, (SEEN,), False, "medium"),
        (0.99, (SEEN, HEARD, SAID), False, "high"),
        (0.65, (SEEN,), False, "medium"),
        (0.64, (SEEN, HEARD), False, "low"),
    ],
)
def test_the_band_needs_probability_two_channels_and_no_dispute(
    probability: float, signs, disputed: bool, expected: str
) -> None:
    found = standing("happy", probability, *((sign, 1.0) for sign in signs))
    assert band(found, disputed) == expected
    assert band(found) == ("high" if disputed else expected)


def test_the_rival_is_the_first_of_another_kind() -> None:
    happy, amused, sad = (
        standing(f, p) for f, p in (("happy", 0.9), ("amused", 0.8), ("sad", 0.7))
    )
    assert rival([happy, amused, sad]) is sad
    assert rival([happy, amused]) is rival([happy]) is rival([]) is None


def test_hypotheses_are_the_lead_and_what_is_probable_with_its_clues() -> None:
    lead = standing("happy", 0.3, (SEEN, 2.0), (HEARD, -0.5))
    probable, slight = standing("sad", 0.35, (HEARD, 1.0)), standing("angry", 0.34, (HEARD, 1.0))
    unsupported = standing("calm", 0.5, (SEEN, -1.0))
    assert [h.label for h in hypotheses([lead, standing("sad", 0.6, (HEARD, 1.0))])][1:] == ["sad"]
    found = hypotheses([lead, probable, slight, unsupported])
    assert [h.label for h in found] == ["happy", "sad"]
    assert [h.probability for h in found] == [0.3, 0.35]
    assert (found[0].supports, found[0].contradicts) == (("seen",), ("heard",))


@pytest.mark.parametrize(
    ("support", "word", "carried", "exceeded"),
    [
        (1.465, "joyful", False, False),
        (1.467, "joyful", True, False),
        (1.466, "pleased", True, False),
        (1.467, "pleased", False, True),
        (0.1, "happy", True, False),
        (9.0, "relieved", False, False),
    ],
)
def test_the_degrees_of_a_word_are_an_interval_of_intensity(
    support: float, word: str, carried: bool, exceeded: bool
) -> None:
    """An intensity of 0.6 is 1.6 ln 2.5 = 1.46607 log-odds of support."""
    (row,) = (label for label in lexicon().labels if label.name == word)
    found = standing("happy", 0.8, (SEEN, support))
    assert (carries(found, row), exceeds(found, row)) == (carried, exceeded)


def test_a_word_is_carried_by_its_degree_or_its_own_cue() -> None:
    words = {word.name: word for word in lexicon().labels}
    strong = standing("happy", 0.8, (SEEN, 2.0))
    assert carries(strong, words["happy"]) and carries(strong, words["joyful"])
    assert not carries(strong, words["excited"]) and not carries(strong, words["pleased"])
    assert exceeds(strong, words["pleased"]) and not exceeds(strong, words["joyful"])
    loud = standing("happy", 0.8, (SEEN, 2.0), (evidence("loud", "audio"), 0.1))
    assert carries(loud, words["excited"])
