"""What a question is about: people, moments, channels, signs, and what it leaves unsaid."""

# ruff: noqa: RUF001  (the full-width marks are Chinese punctuation and are meant)
from __future__ import annotations

from typing import Any

import pytest

from emer.agents.questions.question import Topic, topic_of
from emer.graphs.settings import DEFAULT
from emer.tools.types import Span

LEFT, RIGHT, MIDDLE = "on the left", "on the right", "in the middle"


def topic(*questions: str, duration: float = 8.0, there: bool = True) -> Topic:
    """Return what the last of a thread's questions is about."""
    return topic_of(questions[-1], questions[:-1], duration, lambda _: there)


@pytest.mark.parametrize(
    "question", [DEFAULT, "What emotion does the person display, and why?", "What is shown?"]
)
def test_the_plain_question_is_about_nothing_in_particular(question):
    assert topic(question) == Topic()


@pytest.mark.parametrize(
    ("question", "place"),
    [
        ("And the woman on the left?", LEFT),
        ("What does the person at the right feel?", RIGHT),
        ("Is the left man angry?", LEFT),
        ("the right-hand one?", RIGHT),
        ("What about the leftmost person?", LEFT),
        ("Is the girl in the middle sad?", MIDDLE),
        ("and the one who is sitting in the middle?", MIDDLE),
        ("the middle person", MIDDLE),
        ("And the second person from the left?", "second from the left"),
        ("左边的女人呢？", LEFT),
        ("右边那位生气吗？", RIGHT),
        ("右侧的人呢", RIGHT),
        ("中间的人呢？", MIDDLE),
        ("中间那个女人怎么了？", MIDDLE),
        ("Why does she look at something on the left?", None),
        ("Why does he turn to the left?", None),
        ("她为什么看左边？", None),
        ("他向右看吗？", None),
        ("What happens in the middle of the clip?", None),
        ("What happens at the right moment?", None),
    ],
)
def test_people_are_meant_by_their_place(question, place):
    assert topic(question).place == place


@pytest.mark.parametrize(
    ("question", "person"),
    [
        ("what about person 2?", "person 2"),
        ("What does person two display?", "person 2"),
        ("Is the second person angry?", "person 2"),
        ("And person number 3?", "person 3"),
        ("第二个人呢？", "person 2"),
        ("人物2生气吗？", "person 2"),
        ("2号呢？", "person 2"),
        ("What happens in the second half?", None),
        ("第2秒发生了什么？", None),
    ],
)
def test_people_are_meant_by_their_number(question, person):
    assert topic(question).person == person


@pytest.mark.parametrize(
    "question",
    ["What about the other person?", "And the other one?", "另一个人呢？", "旁边的人呢？"],
)
def test_somebody_else_may_be_meant(question):
    assert topic(question).other and not topic("On the other hand, is she sad?").other


@pytest.mark.parametrize(
    ("question", "start", "end", "words"),
    [
        ("what happens at 2.4 s?", 1.9, 2.9, "2.4 s"),
        ("And at 2 seconds?", 1.5, 2.5, "2 s"),
        ("what about second 3?", 2.5, 3.5, "3 s"),
        ("between 2 and 4 s?", 1.5, 4.5, "2-4 s"),
        ("from 2.5-3 seconds", 2.0, 3.5, "2.5-3 s"),
        ("at 0:05?", 4.5, 5.5, "5 s"),
        ("第3秒呢？", 2.5, 3.5, "3 s"),
        ("2.4秒发生了什么？", 1.9, 2.9, "2.4 s"),
        ("从2到3秒呢？", 1.5, 3.5, "2-3 s"),
        ("and at the beginning?", 0.0, 2.0, "the beginning"),
        ("At the very end?", 6.0, 8.0, "the end"),
        ("in the second half?", 4.0, 8.0, "the second half"),
        ("what happens in the middle?", 3.0, 5.0, "the middle"),
        ("开头呢？", 0.0, 2.0, "the beginning"),
        ("最后呢？", 6.0, 8.0, "the end"),
    ],
)
def test_a_moment_is_meant(question, start, end, words):
    moment = topic(question).moment
    assert moment is not None and moment.span == Span(start=start, end=end)
    assert moment.words == words


def test_a_moment_behind_the_end_has_no_span():
    moment = topic("What happens at 9 s?").moment
    assert moment is not None and moment.span is None and moment.words == "9 s"
    assert topic("Is she 30 percent happier?").moment is None


@pytest.mark.parametrize(
    ("question", "modality"),
    [
        ("what about her voice?", "audio"),
        ("How does she sound?", "audio"),
        ("And the tone?", "audio"),
        ("她的声音呢？", "audio"),
        ("他的语气怎么样？", "audio"),
        ("what about her words?", "text"),
        ("What does he say?", "text"),
        ("What is she saying there?", "text"),
        ("她说了什么？", "text"),
        ("and her face?", "face"),
        ("他的表情呢？", "face"),
        ("What about the body language?", "scene"),
        ("背景呢？", "scene"),
        ("what does it show?", None),
        ("what happens in this scene?", None),
    ],
)
def test_a_channel_is_meant(question, modality):
    assert topic(question).modality == modality


@pytest.mark.parametrize(
    ("question", "cue"),
    [
        ("why does she look down?", "gaze_down"),
        ("Is the smile real or polite?", "smile"),
        ("does she nod?", "nod"),
        ("他为什么皱眉？", "brow_furrow"),
    ],
)
def test_a_sign_is_meant(question, cue):
    assert cue in topic(question).cues and not topic(question).denied
    assert topic("Why doesn't she smile?").denied


ANGRY: dict[str, Any] = {"families": ("angry",)}


@pytest.mark.parametrize(
    ("questions", "found"),
    [
        (("Is she angry?", "And her voice?"), Topic(**ANGRY, modality="audio")),
        (("Is she angry?", "why?"), Topic(**ANGRY, bare=True)),
        (("Is she angry?", "为什么？"), Topic(**ANGRY, bare=True)),
        (("Is she angry?", "what about person 2?"), Topic(**ANGRY, person="person 2")),
        (
            ("And the woman on the left?", "why not angry?"),
            Topic(**ANGRY, place=LEFT, sex="women", against=True),
        ),
        (("左边的人呢？", "她生气吗？"), Topic(**ANGRY, place=LEFT)),
        (
            ("The woman on the left?", "Is the woman angry?"),
            Topic(**ANGRY, place=LEFT, sex="women"),
        ),
        (("The woman on the left?", "Is the man angry?"), Topic(**ANGRY, sex="men")),
        (("What about her voice?", "And the man on the right?"), Topic(place=RIGHT, sex="men")),
        (("The one on the left?", "what emotion does the person display?"), Topic()),
        (("Is she angry?", DEFAULT), Topic()),
        (("Is she angry?", "Why does she look down?"), Topic(cues=("gaze_down",))),
        (("Why does she look down?", "why?"), Topic(cues=("gaze_down",), bare=True)),
        (("the one on the left?", "and in the middle?"), Topic(place=MIDDLE)),
    ],
)
def test_a_follow_up_takes_over_what_it_does_not_say(questions, found):
    assert topic(*questions) == found


def test_a_follow_up_keeps_the_moment_and_what_comes_next_moves_it():
    voice = topic("What happens at 2.4 s?", "And her voice?")
    assert voice.moment is not None and voice.moment.words == "2.4 s"
    then = topic("What happens at 2.4 s?", "And then?").moment
    assert then is not None and then.span == Span(start=2.9, end=4.4)
    late = topic("What happens at 8 s?", "And then?").moment
    assert late is not None and late.span is None
    assert topic("What happens at 2.4 s?", "why not angry?").moment is None
    assert topic("And then?").moment is None


def test_of_somebody_who_is_not_there_nobody_goes_on_to_speak():
    assert topic("and the man in the middle?", "Is he angry?", there=False) == Topic(**ANGRY)
    assert topic("and the man in the middle?", there=False).place == MIDDLE
