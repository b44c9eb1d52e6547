"""Follow-up questions answered by the rules from the clues, or with what is missing for them."""

# ruff: noqa: RUF001  (the full-width marks are Chinese punctuation and are meant)
from __future__ import annotations

from collections.abc import Sequence

import pytest

from emer.agents.lexicon.lexicon import lexicon
from emer.agents.llm.messages import decider
from emer.agents.pipeline import ReasoningResult, decide, explain, reason
from emer.agents.questions.person_focus import people_in, place_of
from emer.agents.rules.reasoner import Rules
from emer.agents.types import Ask, Budget, Inquiry, Turn
from emer.tools.tool import ToolCard
from emer.tools.types import Clue, Source, Span
from tests.fixtures import clues as kit


def left(text: str, at: tuple[float, float]) -> Clue:
    return kit.clue("face", f"Person 1 (on the left) {text}", at, person="person 1")


def right(text: str, at: tuple[float, float]) -> Clue:
    return kit.clue("face", f"Person 2 (on the right) {text}", at, person="person 2")


SMILES = left("smiles clearly with the eyes narrowing at 2.1-2.8 s.", (2.1, 2.8))
NODS = left("nods at 3.0-3.4 s.", (3.0, 3.4))
FROWNS = right("furrows the brows strongly at 1.0-2.0 s (AU4).", (1.0, 2.0))
PRESSES = right("presses the lips together clearly at 1.1-1.9 s.", (1.1, 1.9))
TWO = (SMILES, NODS, FROWNS, PRESSES, kit.LIVELY, kit.MEDIUM)
ONE = (*kit.ANGRY, kit.INSULT, kit.MEDIUM, kit.DOWN)


def inquiry(clues: Sequence[Clue], *questions: str, **more: object) -> Inquiry:
    """Return the last of a thread's questions with the earlier ones as its history."""
    turns = tuple(Turn(run_id="r", clip="c", question=q) for q in questions[:-1])
    return kit.inquiry(*clues, question=questions[-1], history=turns, **more)


def result(clues: Sequence[Clue], *questions: str) -> ReasoningResult:
    """Return what the rules decide and write."""
    asked = inquiry(clues, *questions)
    decision = decide(Rules(), asked)
    return ReasoningResult(decision=decision, explanation=explain(Rules(), asked, decision))


def answer(clues: Sequence[Clue], *questions: str) -> str:
    return " ".join(
        s.text for s in result(clues, *questions).explanation.by_modality.get("answer", ())
    )


def missing(clues: Sequence[Clue], *questions: str) -> list[str]:
    return [m.why for m in result(clues, *questions).explanation.missing]


def leading(clues: Sequence[Clue], *questions: str) -> str | None:
    labels = result(clues, *questions).explanation.labels
    return lexicon().family_of(labels[0].name) if labels else None


@pytest.mark.parametrize(
    ("question", "understood"),
    [
        ("What is she wearing?", False),
        ("Is he tall?", False),
        ("她穿什么衣服？", False),
        ("What does the person display?", True),
        ("Why?", True),
        ("Describe her mood.", True),
        ("Is she angry?", True),
        ("And at the end?", True),
        ("他怎么了？", True),
    ],
)
def test_a_question_that_names_nothing_is_said_not_to_be_understood(question, understood) -> None:
    missing_parts = [
        m for m in result(ONE, question).explanation.missing if m.modality == "question"
    ]
    assert bool(missing_parts) is not understood
    if not understood:
        found = result(ONE, question).explanation
        assert [s.block for s in found.sentences] == ["answer"]


def test_of_several_people_the_one_whom_all_cited_clues_are_about_is_named() -> None:
    def concluded(*clues: Clue) -> str:
        block = result(clues, "What is displayed?").explanation.by_modality["therefore"]
        return block[0].text

    frown = right("furrows the brows strongly at 1.0-2.0 s (AU4).", (1.0, 2.0))
    assert "person 2 (on the right) appears angry" in concluded(frown, PRESSES, NODS)
    assert "the person appears angry" in concluded(frown, PRESSES)
    elsewhere = kit.clue(
        "scene", "Person 2 (on the left) raises a fist at 1.0-2.0 s.", (1.0, 2.0),
        person="person 2",
    ).model_copy(update={"source": Source(tool="camera", version="1")}
    )  # fmt: skip
    both = concluded(frown, PRESSES, NODS, elsewhere)
    assert "the clenched fist" in both and "brows" not in both, "two people in one conclusion"
    loud = kit.clue("audio", "The voice is loud and harsh at 1.0-2.0 s.", (1.0, 2.0))
    assert "the person appears angry" in concluded(frown, PRESSES, NODS, loud)


def test_why_not_is_answered_by_what_speaks_against_it_first() -> None:
    both = (*ONE, kit.BROWS_UP)
    sad = (*kit.SAD, kit.SMILE)
    assert answer(sad, "why isn't she angry?").startswith(
        "Not angry, because of a smile with the eyes narrowing at 2.1-2.8 s"
    )
    assert answer(both, "why isn't she angry?").startswith("But it is: the person appears angry")
    assert answer(both, "is she angry?").startswith("Yes: the person appears angry")


@pytest.mark.parametrize(
    ("question", "family"),
    [
        ("and the woman on the left?", "happy"),
        ("What does the person on the right display?", "angry"),
        ("what about person 2?", "angry"),
        ("左边的人呢？", "happy"),
        ("右边的女人呢？", "angry"),
    ],
)
def test_a_person_is_found_by_place_or_number(question, family):
    assert leading(TWO, kit.WHY, question) == family
    cited = {i for s in result(TWO, question).explanation.sentences for i in s.clue_ids}
    other = {FROWNS.id, PRESSES.id} if family == "happy" else {SMILES.id, NODS.id}
    assert cited and not cited & other


def test_what_another_person_displays_is_not_said_of_the_main_one():
    assert leading(TWO, kit.WHY) == "happy"
    assert "brows" not in answer((*TWO, kit.INSULT), "Is she angry?")


def test_the_other_person_is_whoever_is_not_the_main_one():
    main = leading(TWO, kit.WHY)
    assert {main, leading(TWO, kit.WHY, "And the other person?")} == {"happy", "angry"}


def test_a_follow_up_stays_with_the_person():
    text = answer(TWO, "And the man on the right?", "Why not happy?")
    assert text.startswith("Not happy, because of furrowed brows")
    assert "smile" not in text
    assert leading(TWO, "And the man on the right?", "Why not happy?") == "angry"


def camera(text: str, person: str) -> Clue:
    return kit.clue("scene", text, (1, 2), person=person)


def test_tools_that_number_people_otherwise_agree_on_the_place():
    seen = camera("Person 1 (on the right) leans forward.", "person 1")
    assert {(p.tool, p.name, p.place) for p in people_in((*TWO, seen))} == {
        ("mesh", "person 1", "on the left"),
        ("mesh", "person 2", "on the right"),
        ("camera", "person 1", "on the right"),
    }
    other = camera("Person 2 (on the left) leans back.", "person 2")
    for question in ("What about the person on the right?", "What about person 2?"):
        cited = result((*TWO, seen, other), question).explanation.sentences
        ids = {id for sentence in cited for id in sentence.clue_ids}
        assert seen.id in ids and FROWNS.id in ids
        assert not ids & {other.id, SMILES.id, NODS.id}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Person 2 (on the left) nods.", "on the left"),
        ("The person on the right turns away.", "on the right"),
        ("In the video, the woman in the middle smiles.", "in the middle"),
        ("Person 3 (second from the left) smiles.", "second from the left"),
        ("左边的女人笑了。", "on the left"),
        ("The person looks at something on the left.", None),
        ("Two people stand on the left.", None),
    ],
)
def test_the_place_is_read_from_the_clues_own_words(text, place):
    assert place_of(kit.clue("face", text)) == place
    assert place_of(kit.clue("text", f'The subtitle reads: "{text}"')) is None


@pytest.mark.parametrize(
    ("questions", "why"),
    [
        (("And the woman in the middle?",), "nobody is seen in the middle"),
        (("中间那个女人呢？",), "中间没有看到人"),
        (("What about person 3?",), "nobody is seen called person 3"),
    ],
)
def test_a_person_who_is_not_there_is_said_to_be_missing(questions, why):
    found = result(TWO, *questions)
    assert found.decision.stop_reason == "not_shown" and found.decision.hypotheses == ()
    assert found.explanation.labels == ()
    (only,) = found.explanation.missing
    assert only.why.startswith(why)
    assert ("左" in only.why) or ("on the left" in only.why and "on the right" in only.why)
    (sentence,) = found.explanation.sentences
    assert sentence.block == "answer" and set(sentence.clue_ids) == {SMILES.id, FROWNS.id}


def test_nobody_goes_on_to_speak_of_somebody_who_is_not_there():
    assert leading(TWO, "And the woman in the middle?", "Why not happy?") is not None
    assert result(ONE, "And the other person?").explanation.missing[0].why.startswith("nobody else")
    assert leading(ONE, "And the other person?", "Is she angry?") == "angry"
    assert leading(ONE, "What about person 2?") is None


def test_where_the_clues_show_one_person_the_answer_is_about_that_one():
    assert leading(ONE, "And the woman on the left?") == "angry"
    assert "do not say where" in missing(ONE, "And the woman on the left?")[0]
    assert leading(ONE, "What about person 1?") == "angry"


def test_clues_that_do_not_tell_women_from_men_say_so():
    assert "no clue tells women from men" in missing(TWO, "Is the woman angry?")[0]
    entry = kit.clue("scene", "A woman enters.", (1, 2))
    assert missing((*TWO, entry), "Is the woman angry?") == []
    assert missing(TWO, "Is the woman on the left angry?") == []


@pytest.mark.parametrize(
    ("questions", "heard"),
    [
        (("What about her voice?",), "The voice is much louder"),
        (("她的声音呢？",), "1.0-2.0 秒音量增大（强烈），1.0-2.2 秒声音紧张尖锐。"),
        (("And the words?",), 'the subtitle reads "You ruined everything, you idiot. Get out!"'),
        (("他说了什么？",), "字幕写着“You ruined everything, you idiot. Get out!”"),
        (("and her face?",), "The person furrows the brows strongly"),
    ],
)
def test_a_channel_is_answered_from_its_own_clues(questions, heard):
    text = answer(ONE, kit.WHY, *questions)
    assert heard in text
    assert "would speak for angry" in text or "支持生气" in text


def test_an_emotion_can_be_asked_for_on_one_channel():
    text = answer(ONE, "Is she angry?", "And her voice?")
    assert text.startswith("Yes: the person appears angry (medium confidence), from a loud, sharp")
    assert "brows" not in text and "words" not in text


def test_a_channel_that_says_nothing_of_the_emotion_is_told_all_the_same():
    text = answer((*kit.ANGRY[:2], kit.LIVELY), "Why angry?", "And her voice?")
    assert text.startswith("No, not clearly angry: the person appears happy")
    assert "lively intonation" in text


def test_whose_voice_is_heard_no_clue_tells():
    assert missing(TWO, "What about person 2?", "And her voice?") == [
        "no clue tells whose voice is heard"
    ]
    assert missing(ONE, "What about her voice?") == []


def test_a_channel_without_a_clue_is_missing():
    assert missing(kit.SURPRISED[:3], "What about her voice?") == ["no clue tells of the voice"]
    assert missing(kit.SURPRISED, "What about the words?") == ["no clue tells of the words"]


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("Why does she look down?", "The person looks down at 0.5-3.0 s"),
        ("他为什么皱眉？", "1.0-2.0 秒皱眉（强烈）。"),
        ("Does she press the lips together?", "presses the lips together"),
    ],
)
def test_a_sign_is_answered_with_the_clue_that_states_it(question, wanted):
    assert wanted in answer(ONE, question)


def test_a_sign_tells_what_it_speaks_for():
    text = answer(ONE, "Why does she frown?")
    assert text.startswith("The person furrows the brows strongly at 1.0-2.0 s. The person appears")


def test_whether_a_smile_is_polite_is_answered_with_its_form():
    text = answer((kit.SMILE, kit.LIVELY), "Is the smile real or polite?")
    assert "smiles clearly with the eyes narrowing at 2.1-2.8 s" in text


def test_a_sign_that_no_clue_states_is_not_taken_for_granted():
    assert missing(ONE, "Why does she cry?") == [
        "no clue states tears or sob-like breaks in the voice"
    ]
    assert missing(ONE, "Why doesn't she smile?") == []


def test_a_moment_is_answered_by_what_holds_then():
    text = answer(ONE, "What happens at 2.4 s?")
    assert text.startswith("Around 2.4 s, the person looks down at 0.5-3.0 s")
    then = answer(TWO, "What happens at 1.5 s?", "And then?")
    assert "smiles clearly" in then and "furrows" not in then
    assert answer(ONE, "结尾呢？") == "在结尾前后：0.5-3.0 秒视线向下。"


def test_a_moment_of_one_person_leaves_the_others_out():
    other = answer(TWO, "And the man on the right?", "What happens at 1.9 s?")
    one = answer(TWO, "And the man on the left?", "What happens at 1.9 s?")
    assert "furrows" in other and "furrows" not in one and "smiles" in one


def test_a_moment_behind_the_end_is_answered_with_that_reason():
    (why,) = missing(ONE, "What happens at 9 s?")
    assert why == "the clip ends at 4 s; nothing of it is at 9 s"
    text = answer(ONE, "What happens at 9 s?")
    assert text == "No clue tells of that moment; the person appears angry (high confidence)."


def test_a_moment_no_clue_tells_of_is_asked_for_once():
    asked = inquiry(TWO, "What happens at 0.2 s?")
    asks = Rules().decide(asked).asks
    assert [(a.tool, a.span) for a in asks] == [
        ("mesh", Span(start=0, end=0.7)),
        ("egemaps", Span(start=0, end=0.7)),
    ]
    assert all("0.2 s" in ask.why for ask in asks)
    done = Rules().decide(asked.model_copy(update={"asked": asks}))
    assert done.asks == () and done.stop_reason is not None
    assert missing(TWO, "What happens at 0.2 s?") == ["no clue tells of 0.2 s"]
    spent = asked.model_copy(update={"budget": Budget(rounds=0)})
    assert Rules().decide(spent).stop_reason == "rounds_spent"
    voice = Rules().decide(inquiry(TWO, "How does her voice sound at 0.2 s?")).asks
    assert [ask.tool for ask in voice] == ["egemaps"]
    near = Ask(tool="mesh", span=Span(start=0.0004, end=0.7), why="x")
    again = Rules().decide(asked.model_copy(update={"asked": (near,)})).asks
    assert [ask.tool for ask in again] == ["egemaps"]


@pytest.mark.parametrize(
    "questions",
    [
        (kit.WHY, "why not happy?"),
        (kit.WHY, "why?"),
        (kit.WHY, "what about her voice?"),
        (kit.WHY, "what happens at 2.4 s?"),
        (kit.WHY, "Why does she look down?"),
    ],
)
def test_what_the_clues_answer_asks_nothing(questions):
    assert Rules().decide(inquiry(ONE, *questions)).asks == ()
    assert answer(ONE, *questions)


def test_why_alone_is_answered_for_the_leading_reading():
    assert answer(ONE, kit.WHY, "Why?").startswith("The person appears angry (high confidence)")
    assert answer(ONE, "Is she happy?", "为什么不？").startswith("不是高兴，因为")
    assert answer(ONE, kit.WHY).startswith("The person appears angry (high confidence), from")


def test_a_declined_question_is_not_answered_otherwise():
    found = result(ONE, "Who is the woman in the middle?")
    assert found.decision.stop_reason == "declined" and found.explanation.missing == ()


def test_a_model_is_told_what_the_clues_do_not_carry():
    text = str(decider(inquiry(ONE, "What happens at 9 s?"), "en").content)
    assert "the clip ends at 4 s" in text and "Not observed" not in text
    assert "涉及而线索没有" in str(decider(inquiry(ONE, "9秒发生了什么？"), "zh").content)
    assert "do not carry" not in str(decider(inquiry(ONE, kit.WHY), "en").content)


def test_a_reasoner_is_not_asked_about_somebody_who_is_not_there():
    class Asked(Rules):
        def decide(self, inquiry: Inquiry):
            raise AssertionError

        explain = decide  # type: ignore[assignment]

    asked = inquiry(TWO, "And the woman in the middle?")
    assert decide(Asked(), asked).stop_reason == "not_shown"
    assert reason(Asked(), asked, Budget).explanation.sentences


def test_a_moment_that_only_words_cover_is_said_to_be_so() -> None:
    said_then = kit.clue("text", 'The person says: "and then we left".', (3.4, 4.0))
    (only,) = missing((SMILES, said_then), "what happens at 3.6 s?")
    assert only == "no clue but what is said tells of 3.6 s"
    (none,) = missing((SMILES,), "what happens at 3.6 s?")
    assert none == "no clue tells of 3.6 s"


def test_where_no_face_tool_is_there_one_of_the_scene_looks_at_the_moment() -> None:
    captioner = ToolCard(name="captioner", modality="scene", description="Describes frames.")
    asked = inquiry((SMILES,), "what happens at 3.6 s?", tools=(captioner,))
    (ask,) = Rules().decide(asked).asks
    assert ask.tool == "captioner" and ask.span.start <= 3.6 <= ask.span.end
