"""Right answers to questions of many kinds, on clues of known content, in two languages."""

# ruff: noqa: RUF001  (the full-width marks are Chinese punctuation and are meant)
from __future__ import annotations

from collections.abc import Sequence

import pytest

from emer.agents.pipeline import decide, explain
from emer.agents.rules.phrases import STOP_REASONS, sentence_of, stop_text
from emer.agents.rules.reasoner import Rules
from emer.agents.types import Explanation, Missing, Turn
from emer.tools.types import Clue
from tests.fixtures import clues as kit

HAPPY = (kit.SMILE, kit.LIVELY)
ANGRY = kit.ANGRY
LEFT = kit.clue(
    "face", "Person 1 (on the left) smiles clearly at 2.1-2.8 s.", (2.1, 2.8), person="person 1"
)
RIGHT = kit.clue(
    "face",
    "Person 2 (on the right) furrows the brows strongly and presses the lips together at "
    "1.0-2.0 s.",
    (1.0, 2.0),
    person="person 2",
)
SPEAKS = kit.clue(
    "face",
    "Person 2 (on the right) may be talking: the mouth moves as in speech at 0.2-1.6 s.",
    (0.2, 1.6),
    person="person 2",
)
TWO = (LEFT, RIGHT, SPEAKS)
TEARS = kit.clue("face", "The person cries with tears at 0.2-1.0 s.", (0.2, 1.0))
CHANGES = (TEARS, kit.SMILE)
HANDS = kit.clue("scene", "The person gestures with the hands at 1.2-2.6 s.", (1.2, 2.6))
TORN = (
    kit.clue("audio", "The pitch is raised at 0.2-2.0 s.", (0.2, 2.0)),
    kit.clue("scene", "The body of the person moves a lot at 0.2-2.0 s.", (0.2, 2.0)),
)
THROUGHOUT = kit.clue("scene", "One person is visible throughout (counted by the face).", (0, 4))
BLINKS = kit.clue("face", "The person blinks 3 times in 4.0 s.", (0.5, 3.0))


def asked(clues: Sequence[Clue], question: str, *earlier: str, **more: object) -> Explanation:
    turns = tuple(Turn(run_id="r", clip="c", question=q) for q in earlier)
    inquiry = kit.inquiry(*clues, question=question, history=turns, **more)
    return explain(Rules(), inquiry, decide(Rules(), inquiry))


def first(clues: Sequence[Clue], question: str, *earlier: str) -> str:
    return asked(clues, question, *earlier).sentences[0].text


@pytest.mark.parametrize(
    ("clues", "question", "start"),
    [
        (HAPPY, kit.WHY, "The person appears happy (medium confidence), from a smile with the"),
        (HAPPY, "Is she happy?", "Yes: the person appears happy (medium confidence), from a smile"),
        (HAPPY, "Is she excited?", "No, not clearly excited: the person appears happy (medium"),
        ((*HAPPY, kit.LOUD), "Is she excited?", "Yes: the person appears excited (high"),
        (HAPPY, "Is she angry?", "No, not clearly angry: the person appears happy"),
        (HAPPY, "isn't she sad?", "No, not clearly sad: the person appears happy"),
        (HAPPY, "Is he frustrated?", "No, not clearly annoyed: the person appears happy"),
        (ANGRY, "Is he frustrated?", "Yes: the person appears angry (high confidence)"),
        (TORN, "Is this voice angry?", "Perhaps: the person may appear angry (low confidence)"),
        ((BLINKS,), "Is she angry?", "Unclear: no clue speaks for or against angry"),
        (HAPPY, "Is she smiling and sad at once?", "No, not both: the person smiles clearly"),
        (HAPPY, "Is she smiling and happy?", "Yes, both: the person smiles clearly"),
        (ANGRY, "Is she smiling or sad?", "No, neither: no clue states a smile; not clearly sad"),
        (HAPPY, "Is she happy or angry?", "Rather happy: the person appears happy"),
        (HAPPY, "why not angry?", "Not angry, because of a smile with the eyes narrowing at 2.1"),
        (HAPPY, "why not happy?", "But it is: the person appears happy"),
        ((kit.LIVELY,), "Why isn't she ashamed?", "Nothing speaks for guilty"),
        (ANGRY, "What speaks against happy?", "Not happy, because of furrowed brows"),
        (HAPPY, "How confident are you?", "With medium confidence: the person appears happy, from"),
        (TORN, "How confident are you?", "Not confident in any one emotion: "),
        (HAPPY, "what would change your mind?", "Brightening eyes or a fixed gaze would support"),
        (HAPPY, "What if she frowned, would your answer change?", "Furrowed brows would support"),
        (ANGRY, "Would it change without the voice?", "Only the confidence would: without the"),
        (HAPPY, "If she did not smile, is she still happy?", "Only the confidence would: without"),
        (HAPPY, "Would it change if she were not nodding?", "No: no clue rests on a nod"),
        (TORN, "And if you could not hear her?", "No: with or without"),
        (HAPPY, "how does the emotion develop over the clip?", "No clear change: the person"),
        (CHANGES, "how does the emotion develop?", "It changes: at first the person appears sad"),
        (HAPPY, "when does she smile?", "At 2.1-2.8 s: the person smiles clearly with the eyes"),
        (HAPPY, "when is she happy?", "At 1.0-3.0 s and 2.1-2.8 s: "),
        (HAPPY, "how many times does she smile?", "Once: the person smiles"),
        ((BLINKS,), "how often does she blink?", "As counted in the clip, the person blinks 3"),
        ((THROUGHOUT, kit.SMILE), "How many people are there?", "As counted in the clip, one"),
        ((HANDS, *HAPPY), "What do his hands do?", "The person gestures with the hands at 1.2"),
        (HAPPY, "What do his hands do?", "No clue tells of the hands; the person appears happy"),
        (HAPPY, "does he nod?", "No clue tells of a nod; the person appears happy (medium"),
        ((kit.NO_SMILE, kit.FURROW), "does he smile?", "No: the person does not smile."),
        (TWO, "Which one is happier?", "More clearly happy is person 1 (on the left) (low"),
        (HAPPY, "Which one is happier?", "Only one person is told apart: the person appears"),
        (TWO, "Who is angry?", "Person 2 (on the right) appears angry (low confidence)"),
        (TWO, "Who smiles?", "Person 1 (on the left) smiles clearly at 2.1-2.8 s."),
        (TWO, "who is speaking?", "Person 2 (on the right) may be talking: the mouth moves"),
        (HAPPY, "who is speaking?", "No clue tells of the speaker; the person appears happy"),
        (TWO, "Are they both happy?", "No, not both: person 1 (on the left) appears happy"),
        (HAPPY, "what happens at 10 s?", "No clue tells of that moment; the person appears"),
        (HAPPY, "What happens at 2.4 s?", "Around 2.4 s, "),
        (CHANGES, "What does she feel at the beginning?", "The person appears sad"),
        (HAPPY, "她高兴吗？", "是的：此人显得高兴（中等置信度），依据是2.1-2.8 秒"),
        (HAPPY, "她不难过吗？", "悲伤不明显：此人显得高兴"),
        (HAPPY, "她是不是又笑又难过？", "不是都有：2.1-2.8 秒伴眼周收缩的微笑；悲伤不明显。"),
        (HAPPY, "为什么不是生气？", "不是生气，因为2.1-2.8 秒伴眼周收缩的微笑"),
        (TWO, "谁更开心？", "更明显高兴的是人物1（左侧）（低置信度）"),
        (HAPPY, "她什么时候笑？", "2.1-2.8 秒：伴眼周收缩的微笑。"),
        (HAPPY, "她笑了几次？", "一次：2.1-2.8 秒伴眼周收缩的微笑。"),
        (HAPPY, "他点头了吗？", "没有线索涉及点头；此人显得高兴"),
        (CHANGES, "情绪如何变化？", "有变化：起初此人显得悲伤"),
        (HAPPY, "你有多确定？", "中等置信度：此人显得高兴，依据是"),
        (HAPPY, "什么会改变你的看法？", "眼神发亮或视线固定会支持好奇"),
        (HAPPY, "如果听不到她的声音，你的答案会变吗？", "只有置信度会变：没有声音，此人显得高兴"),
        (HAPPY, "有什么反面证据？", "没有线索反对高兴"),
        ((THROUGHOUT, kit.SMILE), "有几个人？", "据片段统计，画面中有 1 人。"),
    ],
)
def test_the_first_sentence_is_the_answer(clues, question, start) -> None:
    found = asked(clues, question)
    assert found.sentences[0].text.startswith(start)
    assert found.sentences[0].block == "answer"
    assert {i for s in found.sentences for i in s.clue_ids} <= {clue.id for clue in clues}


def test_the_answer_without_a_channel_is_weighed_without_it() -> None:
    clues = (kit.LOUD, kit.SHARP, kit.POLITE)
    found = asked(clues, "Would your answer change if you could not see her?")
    assert found.sentences[0].text.startswith("Yes: without what is seen, the person appears angry")
    assert {*found.sentences[0].clue_ids} == {kit.LOUD.id, kit.SHARP.id}
    assert found.sentences[1].text.startswith("With what is seen, the person appears happy")
    unheard = asked(clues, "Would your answer change if you could not hear her?")
    assert unheard.sentences[0].text.startswith("No: even without what is heard, the person")


@pytest.mark.parametrize(
    "question", ["Is she angry?", "and her voice?", "why?", "Which one is happier?", "她呢？"]
)
def test_a_follow_up_is_at_most_three_sentences_of_answer(question) -> None:
    found = asked((*ANGRY, kit.MEDIUM), question, kit.WHY)
    assert 1 <= len(found.sentences) <= 3
    assert {s.block for s in found.sentences} == {"answer"}
    assert found.labels and found.alternatives == ()


def test_a_follow_up_names_the_gaps_that_it_is_about() -> None:
    gaps = (Missing(modality="text", why="no speech"), Missing(modality="audio", why="no sound"))
    assert asked(HAPPY[:1], "and her voice?", kit.WHY, missing=gaps).missing == (gaps[1],)
    assert set(asked(HAPPY[:1], kit.WHY, missing=gaps).missing) == set(gaps)


@pytest.mark.parametrize(
    ("question", "why"),
    [
        ("what happens at 10 s?", "the clip ends at 4 s; nothing of it is at 10 s"),
        ("does he nod?", "no clue states a nod"),
        ("What do his hands do?", "no clue tells of the hands"),
        ("who is speaking?", "no clue tells of the speaker"),
        ("and the person third from the left?", "nobody is seen third from the left; the clues"),
        ("从左数第三个人呢？", "左起第三位没有看到人"),
        ("Is he frustrated?", '"frustrated" is read as "annoyed"'),
        ("10秒时发生了什么？", "片段在 4 秒 结束，没有 10 秒 的内容"),
    ],
)
def test_what_gets_no_answer_is_said_with_its_reason(question, why) -> None:
    (only,) = [m for m in asked(HAPPY, question).missing if m.modality == "question"]
    assert only.why.startswith(why)


def test_what_is_not_about_the_clip_gets_no_report() -> None:
    found = asked(HAPPY, "what is the weather in Paris?")
    assert found == Explanation(declined="outside")
    assert asked(HAPPY, "巴黎的天气怎么样？") == Explanation(declined="outside", language="zh")
    assert asked(HAPPY, "Is she depressed?").declined == "health"


def test_the_answer_is_in_the_language_of_the_question_or_as_wished() -> None:
    assert asked(HAPPY, "2.4 s?", "她高兴吗？").language == "zh"
    assert asked(HAPPY, "她高兴吗？", language="en").sentences[0].text.startswith("Yes: ")
    wished = asked(HAPPY, kit.WHY, language="zh")
    assert [label.name for label in wished.labels] == ["高兴"]
    latin = [s.text for s in wished.sentences if any("a" <= c <= "z" for c in s.text)]
    assert latin == []
    assert {stop_text(reason, "en") for reason in STOP_REASONS} == {*STOP_REASONS.values()}


def test_a_clue_is_told_in_chinese_by_its_cues_degree_and_time() -> None:
    assert sentence_of(kit.SMILE, "en") == kit.SMILE.text
    assert sentence_of(kit.FURROW, "zh") == "1.0-2.0 秒皱眉（强烈）。"
    assert sentence_of(kit.SLIGHT, "zh") == "1.0-2.0 秒皱眉（略微）。"
    assert sentence_of(kit.NO_SMILE, "zh") == "0.0-4.0 秒没有微笑。"
    assert sentence_of(LEFT, "zh") == "人物1（左侧）在2.1-2.8 秒微笑。"
    assert sentence_of(kit.CHINESE, "zh") == "他眉头紧锁，嘴角略微下垂。"
    assert sentence_of(kit.MEDIUM, "zh") == "“A medium shot shows one person.”。"
    assert sentence_of(kit.INSULT, "zh").startswith("文本中，字幕写着“You ruined everything")


def test_nothing_that_is_no_evidence_is_in_the_explanation() -> None:
    found = asked((*HAPPY, kit.MEDIUM, kit.DARK, THROUGHOUT), kit.WHY)
    cited = {i for s in found.sentences for i in s.clue_ids}
    assert cited == {kit.SMILE.id, kit.LIVELY.id}
    assert not any("Besides" in s.text for s in found.sentences)


def test_a_reliable_transcript_is_quoted_before_a_doubtful_one() -> None:
    found = asked((kit.DOUBTFUL, kit.INSULT, *ANGRY), kit.WHY).by_modality["text"]
    assert [s.clue_ids for s in found] == [(kit.INSULT.id,)]
    words = "word " * 100
    long = kit.clue("text", f'The subtitle reads: "{words.strip()}"', (1.0, 2.0))
    assert words.strip() in asked((long,), "What does she say?").sentences[0].text


def test_the_most_probable_alternative_comes_first() -> None:
    found = asked((*kit.SURPRISED, kit.SMILE, kit.INSULT), kit.WHY)
    decided = {
        h.label: h.probability for h in kit.decide(*kit.SURPRISED, kit.SMILE, kit.INSULT).hypotheses
    }
    known = [decided[a.label] for a in found.alternatives if a.label in decided]
    assert known == sorted(known, reverse=True)
    assert all(a.would_change.endswith(" would support it") for a in found.alternatives)
