"""The arithmetic of fusion, worked out by hand on cues with made-up weights."""

from __future__ import annotations

import math
import random

import pytest

from emer.agents.lexicon.cue_parser import Reading
from emer.agents.lexicon.lexicon import Weighting
from emer.agents.rules.fusion import (
    Standing,
    arousal,
    conflict_records,
    find_disputes,
    gather,
    weigh,
)
from emer.agents.rules.speech_brows import soften_speech_brows
from tests.fixtures import clues as kit
from tests.fixtures.standings import evidence, reading, standing

FAMILY = "tired"
WEIGHTING = Weighting(
    changed={
        cue: {FAMILY: value}
        for cue, value in {
            "apology": 2.0, "command": 2.0, "praise": 0.5, "refusal": 0.8, "smile": 0.5,
            "smile_eyes": 0.8, "thanks": -2.0, "wish": -2.0, "comfort": -0.3,
        }.items()
    }
)  # fmt: skip


def weighed(*readings: Reading) -> Standing:
    return next(s for s in weigh(readings, WEIGHTING) if s.family == FAMILY)


def test_without_a_clue_every_family_has_the_flat_prior() -> None:
    standings = weigh((), WEIGHTING)
    assert {(s.log_odds, s.probability) for s in standings} == {(-1.2, 0.2605)}
    assert [s.family for s in standings] == sorted(s.family for s in standings)


def test_a_sign_adds_reliability_times_strength_times_weight() -> None:
    found = weighed(reading("apology", strength=0.5, reliability=0.6))
    assert found.log_odds == pytest.approx(-1.2 + 0.6)
    assert found.probability == pytest.approx(1 / (1 + math.exp(0.6 / 1.15)), abs=5e-5)
    assert weigh((reading("apology"),), WEIGHTING)[0].family == FAMILY
    third = weighed(reading("apology", strength=1 / 3))
    assert (third.log_odds, third.probability) == (-0.533333, 0.3861)


def test_one_modality_moves_a_family_by_no_more_than_the_cap() -> None:
    seen = (reading("apology"), reading("command"))
    assert weighed(*seen).log_odds == pytest.approx(-1.2 + 2.5)
    assert weighed(*seen).by_modality == {"face": 2.5}
    assert weighed(*seen, reading("praise", "audio")).log_odds == pytest.approx(-1.2 + 2.5 + 0.5)
    against = weighed(reading("thanks"), reading("wish"))
    assert against.log_odds == pytest.approx(-1.2 - 2.5)


def test_of_correlated_signs_only_the_largest_counts() -> None:
    found = weighed(reading("smile"), reading("smile_eyes"))
    assert found.log_odds == pytest.approx(-1.2 + 0.8)
    assert [(c.evidence.cue, c.counts) for c in found.contributions] == [
        ("smile_eyes", True),
        ("smile", False),
    ]
    assert found.support == pytest.approx(0.8)
    assert weighed(reading("praise"), reading("refusal")).support == pytest.approx(1.3)


def test_a_denied_sign_speaks_half_as_much_against_and_never_for() -> None:
    assert weighed(reading("apology", negated=True)).log_odds == pytest.approx(-1.2 - 1.0)
    assert weighed(reading("apology", negated=True, strength=0.5)).log_odds == pytest.approx(-1.7)
    denied = weighed(reading("thanks", negated=True))
    assert denied.log_odds == -1.2 and denied.contributions == ()


@pytest.mark.parametrize(
    ("at", "against"),
    [((2.0, 3.0), 0.3), ((2.1, 3.0), 0.0), (None, 0.3), ((0.2, 0.4), 0.3)],
)
def test_evidence_against_counts_within_a_second_of_the_support(at, against) -> None:
    minus = reading("comfort", at=at)
    assert weighed(reading("praise"), minus).log_odds == pytest.approx(-1.2 + 0.5 - against)
    throughout = reading("praise", at=None)
    assert weighed(throughout, minus).log_odds == pytest.approx(-1.2 + 0.5 - 0.3)


def test_evidence_against_is_held_against_the_strongest_support() -> None:
    early, late = reading("praise", at=(0, 1)), reading("apology", at=(9, 10))
    at_first = reading("comfort", at=(0, 1))
    assert weighed(early, late, at_first).log_odds == pytest.approx(-1.2 + 2.5)
    assert weighed(at_first).log_odds == pytest.approx(-1.5), "nothing else to hold it against"


def test_what_is_weighed_against_a_family_is_cited_the_strongest_first() -> None:
    minus, slightly = reading("thanks"), reading("comfort")
    assert weighed(slightly, minus, reading("praise")).contradicts == (
        minus.clue.id,
        slightly.clue.id,
    )


def test_the_order_of_the_clues_changes_no_standing() -> None:
    readings = [
        reading(cue, at=(n, n + 1)) for n, cue in enumerate(("apology", "command", "thanks"))
    ]
    readings += [reading("apology", at=(5, 6)), reading("smile", "scene"), reading("smile")]
    whole = weigh(readings, WEIGHTING)
    for seed in range(6):
        assert weigh(random.Random(seed).sample(readings, len(readings)), WEIGHTING) == whole


def test_a_clue_is_cited_from_a_tenth_on_the_strongest_first() -> None:
    found = standing(
        FAMILY, 0.5,
        (evidence("strong"), 0.9), (evidence("enough"), 0.1), (evidence("weak"), 0.09),
        (evidence("weakly_against"), -0.09), (evidence("against"), -0.1),
        (evidence("much_against", "audio"), -0.9),
    )  # fmt: skip
    assert found.supports == ("strong", "enough")
    assert found.contradicts == ("much_against", "against")
    assert found.strongest == evidence("strong")
    assert found.support == pytest.approx(1.09)
    assert found.channels == {"visual"}
    assert standing(FAMILY, 0.2, (evidence("against"), -0.1)).strongest is None


def test_correlated_contributions_are_no_further_support() -> None:
    assert standing(FAMILY, 0.5, (evidence("apology"), 1.0), counts=False).support == 0.0


def test_a_channel_speaks_for_a_family_from_a_twentieth_on() -> None:
    seen, described = evidence("seen", "face"), evidence("described", "scene")
    assert standing(FAMILY, 0.5, (seen, 0.05)).channels == frozenset()
    assert standing(FAMILY, 0.5, (seen, 0.03), (described, 0.03)).channels == {"visual"}
    heard = evidence("heard", "audio")
    assert standing(FAMILY, 0.5, (seen, 0.06), (heard, 0.06)).channels == {"visual", "audio"}


def test_the_evidence_names_its_clue_span_and_modality() -> None:
    apology = reading("apology", "scene", (1.0, 2.0), strength=0.5, reliability=0.5)
    (item,) = gather([apology])
    assert (item.cue, item.group, item.modality) == ("apology", "apology", "scene")
    assert (item.clue_ids, item.spans) == ((apology.clue.id,), (apology.clue.span,))
    assert (item.weight, item.negated, item.described) == (0.25, False, False)
    assert gather([reading("apology", at=None)])[0].spans == ()


def test_arousal_is_the_mean_of_the_signs_by_weight() -> None:
    loud, soft = evidence("loud", "audio", weight=3.0), evidence("soft", "audio", weight=1.0)
    unknown, denied = evidence("unknown"), evidence("shout", "audio", negated=True)
    found = standing(FAMILY, 0.5, (loud, 0.9), (soft, 0.4), (unknown, 1.0), (denied, 0.2))
    assert arousal(found) == pytest.approx((3 * 0.7 + 1 * -0.5) / 4)
    assert arousal(standing(FAMILY, 0.5, (loud, -0.9))) == 0.0


def disputed(*standings: Standing) -> list[tuple[str, str, tuple[str, ...], tuple[str, ...]]]:
    return [
        (one.standing.family, two.standing.family, one.clue_ids, two.clue_ids)
        for one, two in find_disputes(standings)
    ]


@pytest.mark.parametrize(
    ("pleasant", "seen", "unpleasant", "heard", "count"),
    [
        ("happy", 0.7, "angry", 0.7, 1),
        ("happy", 0.69, "angry", 0.7, 0),
        ("happy", 0.7, "angry", 0.69, 0),
        ("interested", 0.9, "tired", 0.9, 1),
        ("happy", 0.9, "confused", 2.0, 0),
        ("happy", 0.9, "surprised", 2.0, 0),
        ("happy", 0.9, "amused", 2.0, 0),
    ],
)
def test_two_channels_are_at_odds_where_both_are_clear_and_polar(
    pleasant: str, seen: float, unpleasant: str, heard: float, count: int
) -> None:
    face, voice = evidence("face"), evidence("voice", "audio")
    found = disputed(
        standing(pleasant, 0.5, (face, seen)), standing(unpleasant, 0.5, (voice, heard))
    )
    assert found == [(pleasant, unpleasant, ("face",), ("voice",))][:count]


def test_a_dispute_cites_the_three_strongest_clues_of_each_side() -> None:
    faces = [(evidence(f"face{n}"), 1.0 - n / 10) for n in range(4)]
    voice, smile = (evidence("voice", "audio"), 0.8), (evidence("smile", "audio"), 0.1)
    happy, angry = standing("happy", 0.6, *faces, smile), standing("angry", 0.6, voice)
    (dispute,) = find_disputes([happy, angry])
    assert disputed(happy, angry) == [("happy", "angry", ("face0", "face1", "face2"), ("voice",))]
    (record,) = conflict_records([dispute])
    assert (record.left, record.right) == ("face", "audio")
    assert record.clue_ids == ("face0", "face1", "face2", "voice")
    assert all(word in record.text for word in ("seen", "happy", "heard", "angry"))
    assert disputed() == []


def test_a_channel_speaks_with_the_modality_of_its_strongest_clue() -> None:
    voice = standing("angry", 0.5, (evidence("voice", "audio"), 0.9))
    face, scene = evidence("face"), evidence("scene", "scene")
    for weights, modality in (((0.5, 0.4), "face"), ((0.4, 0.5), "scene")):
        pairs = zip((face, scene), weights, strict=True)
        (dispute,) = find_disputes([standing("happy", 0.6, *pairs), voice])
        (record,) = conflict_records([dispute])
        assert (record.left, record.right) == (modality, "audio")


def raised(at: tuple[float, float] | None, cue: str = "brow_raise", **person: str) -> Reading:
    clue = kit.clue("face", f"The person raises the eyebrows at {at}.", at, **person)
    return Reading(clue, reading(cue).mentions, 1.0)


def captioned(at: tuple[float, float], **person: str) -> Reading:
    return Reading(kit.clue("face", "The mouth moves as in speech.", at, **person), (), 1.0)


@pytest.mark.parametrize(
    ("brows", "speech", "strength"),
    [
        (raised((1.0, 2.0)), captioned((0.0, 3.0)), 0.5),
        (raised((1.0, 2.0)), captioned((2.0, 3.0)), 0.5),
        (raised((1.0, 2.0)), captioned((2.1, 3.0)), 1.0),
        (raised((1.0, 9.0)), captioned((0.0, 9.0)), 0.5),
        (raised(None), captioned((0.0, 3.0)), 1.0),
        (raised((1.0, 2.0), person="person 1"), captioned((0.0, 3.0), person="person 2"), 1.0),
        (raised((1.0, 2.25), "brow_furrow"), captioned((0.0, 9.0)), 0.5),
        (raised((1.0, 2.3), "brow_furrow"), captioned((0.0, 9.0)), 1.0),
        (raised((1.0, 2.0), "smile"), captioned((0.0, 9.0)), 1.0),
        (raised((1.0, 2.0), "inner_brow_raise"), captioned((0.0, 9.0)), 0.5),
        (raised((1.0, 2.0), "outer_brow_raise"), captioned((0.0, 9.0)), 0.5),
    ],
)
def test_brows_count_half_while_the_same_person_speaks(
    brows: Reading, speech: Reading, strength: float
) -> None:
    softened, unchanged = soften_speech_brows([brows, speech])
    assert [m.strength for m in softened.mentions] == [strength]
    assert softened.clue == brows.clue and unchanged == speech
