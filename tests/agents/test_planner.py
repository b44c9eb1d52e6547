"""Which asks are planned and valid, and when the rules stop asking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from pydantic import ValidationError

from emer.agents.lexicon.cue_parser import Reading
from emer.agents.questions.question import Topic
from emer.agents.rules.case import Case, case_of
from emer.agents.rules.fusion import Evidence, find_disputes
from emer.agents.rules.planner import (
    channels_agree,
    is_sure,
    plan_asks,
    required_asks,
    spent_reason,
    stop_reason,
    validate_asks,
)
from emer.agents.types import Ask, Budget
from emer.tools.tool import ToolCard
from emer.tools.types import Clue, Span
from tests.fixtures import clues as kit
from tests.fixtures.standings import HEARD, SAID, SEEN, evidence, standing


def ask(tool: str, start: float, end: float) -> Ask:
    return Ask(tool=tool, span=Span(start=start, end=end), why="closer")


def test_only_asks_that_can_be_carried_out_are_and_the_others_hear_why() -> None:
    asks = [
        ask("mesh", 0, 1),
        ask("nosuch", 1, 2),
        ask("mesh", 9, 10),
        ask("mesh", 3, 9),
        ask("mesh", 3, 4),
    ]
    valid, refused = validate_asks(asks, kit.inquiry(asked=(ask("mesh", 0, 1),)))
    assert [(a.span.start, a.span.end) for a in valid] == [(3, 4)]
    assert [r.why.split(" (")[0] for r in refused] == [
        "mesh has already looked at 0-1 s",
        "there is no tool 'nosuch' to ask; known: mesh, egemaps, camera, pocketsphinx",
        "9-10 s is not inside the clip, which lasts 4 s",
        "mesh has already looked at 3-4 s",
    ]


def test_a_question_goes_to_a_tool_that_answers_and_is_put_once() -> None:
    captioner = ToolCard(name="captioner", modality="scene", description="describes", answers=True)
    asked = Ask(tool="captioner", span=Span(start=0, end=1), why="closer", question="a letter?")
    other = asked.model_copy(update={"question": "a phone?"})
    plain = asked.model_copy(update={"question": None})
    deaf = asked.model_copy(update={"tool": "mesh"})
    inquiry = kit.inquiry(tools=(*kit.TOOLS, captioner), asked=(asked,))
    valid, refused = validate_asks([asked, other, plain, deaf, other], inquiry)
    assert valid == (other, plain)
    assert [r.why for r in refused] == [
        "captioner has already been asked that about 0-1 s",
        "mesh answers no questions; ask it without one",
        "captioner has already been asked that about 0-1 s",
    ]


@pytest.mark.parametrize(
    "question", ["", "  ", "x" * 121, "what\nnow", "a\x00b", "a\x1b[2Jb", "a\u2028b"]
)
def test_a_question_is_one_short_line(question: str) -> None:
    with pytest.raises(ValidationError):
        Ask(tool="t", span=Span(start=0, end=1), why="closer", question=question)


def spans(asks: Sequence[Ask]) -> list[tuple[str, float, float]]:
    return [(ask.tool, ask.span.start, ask.span.end) for ask in asks]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (1.0, 1.05, [("mesh", 1.0, 1.05)]),
        (1.0, 1.04, []),
        (3.0, 9.0, [("mesh", 3.0, 4.0)]),
        (1.00049, 2.00051, [("mesh", 1.0, 2.001)]),
    ],
)
def test_an_ask_lasts_a_frame_and_is_cut_and_rounded(start: float, end: float, expected) -> None:
    valid, refused = validate_asks([ask("mesh", start, end)], kit.inquiry())
    assert spans(valid) == expected and len(refused) == 1 - len(expected)


def test_an_ask_to_no_tool_at_all_says_so() -> None:
    _, (refusal,) = validate_asks([ask("mesh", 0, 1)], kit.inquiry(tools=()))
    assert refusal.why == "there is no tool 'mesh' to ask; known: none"


@pytest.mark.parametrize(
    ("lead", "other", "signs", "sure"),
    [
        (0.9, 0.65, (SEEN, HEARD), True),
        (0.9, 0.66, (SEEN, HEARD), False),
        (0.8, 0.3, (SEEN, HEARD), True),
        (0.79, 0.3, (SEEN, HEARD), False),
        (0.9, 0.3, (SEEN,), False),
        (0.9, 0.3, (SEEN, HEARD, SAID), True),
    ],
)
def test_sure_is_probable_ahead_of_the_rival_and_carried_by_two_channels(
    lead: float, other: float, signs: tuple[Evidence, ...], sure: bool
) -> None:
    happy = standing("happy", lead, *((sign, 1.0) for sign in signs))
    kin, sad = standing("amused", lead), standing("sad", other)
    assert is_sure([happy, kin, sad]) is sure
    assert is_sure([happy]) is (sure or other > 0.6), "without a rival there is no margin to keep"
    assert stop_reason([happy, kin, sad], (), Budget()) == ("sure" if sure else "nothing_to_ask")


def test_nothing_is_stopped_for_but_evidence_asks_and_budget() -> None:
    open_case, against = standing("happy", 0.5), standing("happy", 0.5, (SEEN, -1.0))
    asks = [ask("mesh", 0, 1)]
    assert stop_reason((), asks, Budget()) == "no_evidence"
    assert stop_reason([against, open_case], asks, Budget()) == "no_evidence"
    assert stop_reason([open_case, against], asks, Budget()) is None
    assert stop_reason([open_case], asks, Budget()) is None
    assert stop_reason([open_case], (), Budget(rounds=0)) == "nothing_to_ask"
    assert stop_reason([open_case], asks, Budget(rounds=0)) == "rounds_spent"


def test_a_budget_is_spent_at_nothing_left_in_a_fixed_order() -> None:
    assert spent_reason(Budget(rounds=1, tool_calls=1, seconds=0.1, tokens=1, money=0.01)) is None
    left = {"rounds": 0, "tool_calls": 0, "seconds": 0, "tokens": 0, "money": 0}
    for name in list(left):
        assert spent_reason(Budget(**left)) == f"{name}_spent"
        del left[name]
    assert spent_reason(Budget()) is None


@pytest.mark.parametrize(
    ("lead", "other", "signs", "others", "agree"),
    [
        (0.9, 0.65, (SEEN, HEARD), (HEARD,), True),
        (0.9, 0.66, (SEEN, HEARD), (HEARD,), False),
        (0.9, 0.3, (SEEN, HEARD), (SAID,), False),
        (0.9, 0.3, (SEEN,), (SEEN,), False),
        (0.4, 0.1, (SEEN, HEARD), (SEEN,), True),
    ],
)
def test_channels_agree_where_all_that_speak_point_to_the_lead(
    lead: float, other: float, signs, others, agree: bool
) -> None:
    happy = standing("happy", lead, *((sign, 1.0) for sign in signs))
    sad = standing("sad", other, *((sign, 1.0) for sign in others))
    assert channels_agree([happy, sad]) is agree
    assert channels_agree([happy]) is (len(signs) > 1)


FACE = kit.clue("face", "The person furrows the brows at 2.0-3.0 s.", (2.0, 3.0))
VOICE = kit.clue("audio", "The voice is louder at 5.0-8.0 s.", (5.0, 8.0))
WORDS = kit.clue("text", 'The person says: "well"', (1.0, 1.5))


def case(
    lead: float, other: float, *signs: Evidence, clues=(FACE, VOICE, WORDS), duration=10.0
) -> Case:
    """Happy, carried by the signs, before sad, carried by the voice."""
    happy = standing("happy", lead, *((sign, 1.0) for sign in signs))
    sad = standing("sad", other, (evidence(VOICE.id, "audio"), 0.5))
    readings = [Reading(clue, (), 1.0) for clue in clues]
    return Case(Topic(), readings, (happy, sad), (), duration)


SEEN_HERE, SAID_HERE = evidence(FACE.id), evidence(WORDS.id, "text")


def asked(of: Case, *before: Ask) -> list[tuple[str, float, float]]:
    return spans(plan_asks(of, before, kit.TOOLS))


def test_a_reading_of_one_channel_is_looked_at_and_listened_to_around_its_clues() -> None:
    first = plan_asks(case(0.6, 0.2, SEEN_HERE), (), kit.TOOLS)
    assert spans(first) == [("mesh", 1.6, 3.4), ("egemaps", 1.6, 3.4), ("egemaps", 4.6, 8.4)]
    assert all("happy" in a.why and "sad" in a.why for a in first)
    assert asked(case(0.6, 0.2, SEEN_HERE), *first) == [("mesh", 4.6, 8.4)]
    voiced = ask("egemaps", 4.6, 7.0)
    assert asked(case(0.6, 0.2, SEEN_HERE), *first[:2], voiced) == [
        ("mesh", 4.6, 8.4),
        ("egemaps", 7.0, 8.0),
    ], "the last second of the voice touches what was asked, but shares nothing with it"
    assert asked(case(0.6, 0.2, SEEN_HERE), *first[:2], ask("egemaps", 4.6, 7.1)) == [
        ("mesh", 4.6, 8.4)
    ]
    later = ask("egemaps", 8.0, 9.0)
    assert ("egemaps", 7.0, 8.0) in asked(case(0.6, 0.2, SEEN_HERE), *first[:2], voiced, later)


def test_two_near_readings_of_two_channels_are_looked_at_once_each() -> None:
    near = case(0.6, 0.4, SAID_HERE, SEEN_HERE)
    assert asked(near) == [("mesh", 1.6, 3.4), ("egemaps", 4.6, 8.4)]
    assert asked(case(0.6, 0.35, SAID_HERE, SEEN_HERE)) == [], "the margin is kept"
    assert asked(case(0.9, 0.4, SAID_HERE, SEEN_HERE)) == []
    mute = case(0.6, 0.4, SAID_HERE, SEEN_HERE, clues=(FACE,))
    assert asked(mute) == [("mesh", 1.6, 3.4)], "there is no voice whose end could be heard"
    assert asked(case(0.6, 0.35, SAID_HERE, SEEN_HERE, HEARD)) == [], "all three channels"


def test_what_is_improbable_or_unsupported_is_not_worth_an_ask() -> None:
    assert asked(case(0.35, 0.3, SEEN_HERE)) != []
    assert asked(case(0.34, 0.3, SEEN_HERE)) == []
    alone = case(0.6, 0.2, SEEN_HERE)
    assert asked(replace(alone, standings=alone.standings[:1])) == []
    assert asked(replace(alone, standings=())) == []
    happy, sad = alone.standings
    against = standing("calm", 0.1, (SEEN_HERE, -1.0))
    assert asked(replace(alone, standings=(happy, sad, against))) == asked(alone)
    assert asked(replace(alone, standings=(against, happy, sad))) == []
    likely = standing("calm", 0.9, (SEEN_HERE, -1.0))
    assert asked(replace(alone, standings=(likely, happy, sad))) == []


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(0.1, 0.6, (0.0, 0.6)), (0.0, 1.0, (0.0, 1.0)), (0.5, 1.5, (0.5, 1.5))],
)
def test_the_end_of_the_voice_is_its_last_second_inside_the_clip(
    start: float, end: float, expected: tuple[float, float]
) -> None:
    voice = kit.clue("audio", "The voice is louder.", (start, end))
    near = case(0.6, 0.4, SAID_HERE, SEEN_HERE, clues=(FACE, voice))
    assert ("egemaps", *expected) in asked(near)


@pytest.mark.parametrize(("at", "stretch"), [((7.0, 8.0), (0.0, 6.6)), ((2.0, 3.0), (3.4, 10.0))])
def test_a_face_without_its_rest_is_looked_at_in_the_longer_stretch_beside(
    at: tuple[float, float], stretch: tuple[float, float]
) -> None:
    face = kit.clue("face", "The brows are furrowed, measured against an average face.", at)
    near = case(0.6, 0.4, SAID_HERE, evidence(face.id), clues=(face,))
    assert asked(near)[1:] == [("mesh", *stretch)]
    assert asked(case(0.6, 0.4, SAID_HERE, SEEN_HERE, clues=(face,))) == []


def test_of_two_disputes_the_first_is_looked_into() -> None:
    happy, sad = standing("happy", 0.9, (SEEN_HERE, 1.0)), standing("sad", 0.5, (SAID_HERE, 1.0))
    angry = standing("angry", 0.5, (evidence(VOICE.id, "audio"), 1.0))
    disputes = find_disputes([happy, angry, sad])
    sides = [(one.standing.family, two.standing.family) for one, two in disputes]
    assert sides == [("happy", "angry"), ("happy", "sad")]
    of = replace(case(0.9, 0.2, SEEN_HERE), standings=(happy, angry, sad), disputes=disputes)
    asks = plan_asks(of, (), kit.TOOLS)
    assert spans(asks) == [("mesh", 1.6, 3.4), ("egemaps", 4.6, 8.4)]
    assert all("disagree" in a.why and "happy and angry" in a.why for a in asks)


@pytest.mark.parametrize(
    ("duration", "expected"),
    [(2.6, [("mesh", 1.6, 2.6)]), (1.8, [("mesh", 1.6, 1.8)]), (1.79, [])],
)
def test_asks_are_cut_at_the_end_of_the_clip(duration: float, expected) -> None:
    short = case(0.6, 0.2, SEEN_HERE, clues=(FACE,), duration=duration)
    assert [a for a in asked(short) if a[0] == "mesh"] == expected


def test_an_ask_begins_at_the_start_of_the_clip_at_the_earliest() -> None:
    early = kit.clue("face", "The person nods at 0.2-0.5 s.", (0.2, 0.5))
    found = asked(case(0.6, 0.2, evidence(early.id), clues=(early,)))
    assert found[0] == ("mesh", 0.0, 0.9)
    shortest = case(0.6, 0.2, evidence(early.id), clues=(early,), duration=0.2)
    assert asked(shortest) == [("mesh", 0.0, 0.2), ("egemaps", 0.0, 0.2)]


def test_asks_are_to_the_millisecond() -> None:
    brief = kit.clue("face", "The person nods at 1.2-1.9 s.", (1.23456, 1.87654))
    found = asked(case(0.6, 0.2, evidence(brief.id), clues=(brief,)))
    assert found[0] == ("mesh", 0.835, 2.277)


def test_the_tool_that_gave_clues_is_asked_before_its_like() -> None:
    other = ToolCard(name="another", modality="face", description="observes")
    found = plan_asks(case(0.6, 0.2, SEEN_HERE), (), (other, *kit.TOOLS))
    assert found[0].tool == "mesh"
    again = plan_asks(case(0.6, 0.2, SEEN_HERE), found[:1], (other, *kit.TOOLS))
    assert spans(again)[0] == ("another", 1.6, 3.4)


def test_doubtful_words_are_looked_at_too() -> None:
    doubtful = kit.DOUBTFUL
    unsure = case(0.6, 0.4, SAID_HERE, SEEN_HERE, clues=(FACE, VOICE, doubtful))
    assert ("pocketsphinx", 1.0, 2.0) in asked(unsure)


def required(question: str, *clues: Clue, **changes) -> list[tuple[str, float, float]]:
    inquiry = kit.inquiry(*clues, question=question, **changes)
    return spans(required_asks(case_of(inquiry), inquiry))


def test_a_moment_without_a_clue_is_looked_at_first() -> None:
    when = "What happens at 3 s?"
    wanted = [("mesh", 2.5, 3.5), ("egemaps", 2.5, 3.5)]
    early = kit.clue("face", "The person nods at 0.5-1.0 s.", (0.5, 1.0))
    assert required(when, early) == wanted
    assert required(when, early, tools=kit.TOOLS[1:]) == [("camera", 2.5, 3.5), wanted[1]]
    assert required(when, early, asked=(ask("mesh", 2.501, 3.499),)) == wanted[1:]
    assert required(when, early, asked=(ask("mesh", 2.52, 3.5),)) == wanted
    assert required(when, early, asked=(ask("mesh", 2.5, 3.48),)) == wanted
    seen = kit.clue("face", "The person nods at 3.0-3.2 s.", (3.0, 3.2))
    assert required(when, seen) == []
    assert required("What does the voice do at 3 s?", seen) == wanted[1:]
    assert required("Why?", early) == required("What happens at 30 s?", early) == []
    unseen = kit.clue("text", 'The person says: "well"')
    for seconds, count in ((0.2, 2), (0.19, 0)):
        inquiry = kit.inquiry(unseen, question="What happens at 0 s?").model_copy(
            update={"duration": seconds}
        )
        assert len(required_asks(case_of(inquiry), inquiry)) == count
