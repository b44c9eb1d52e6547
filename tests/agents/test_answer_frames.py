"""Frames of answers: what the rules write is carried, the same frames around lies are not."""

# ruff: noqa: RUF001  (the full-width marks are Chinese punctuation and are meant)
from __future__ import annotations

import pytest

from emer.agents.pipeline import decide, explain
from emer.agents.rules.reasoner import Rules
from emer.agents.types import Explanation, Sentence
from emer.agents.verification.verifier import verify
from emer.tools.types import Clue
from tests.agents.test_asked_questions import CHANGES, HANDS, HAPPY, THROUGHOUT, TORN, TWO
from tests.fixtures import clues as kit

QUESTIONS = (
    kit.WHY, "Is she excited?", "Is she smiling and sad at once?", "Is he frustrated?",
    "Is this voice angry?", "What do his hands do?", "why not angry?", "Which one is happier?",
    "who is speaking?", "how does the emotion develop?", "what would change your mind?",
    "How confident are you?", "Would your answer change if you could not hear her?",
    "and the person third from the left?", "what happens at 10 s?", "when does she smile?",
    "how many times does she smile?", "does he nod?", "isn't she sad?", "Is she happy or angry?",
    "What speaks against it?", "Is it so from the voice alone?", "who is angry?",
    "Are they both happy?", "How many people are there?", "What does she feel at the end?",
    "她高兴吗？", "她又笑又难过吗？", "为什么不是生气？", "谁更开心？", "情绪如何变化？",
    "你有多确定？", "什么会改变你的看法？", "如果听不到她的声音，你的答案会变吗？",
    "她什么时候笑？", "她笑了几次？", "他点头了吗？", "有什么反面证据？", "有几个人？",
    "他的手在做什么？", "这个人表现出什么情绪？", "左边的人呢？",
)  # fmt: skip
AROUSED = kit.clue(
    "audio", "The voice is slightly high in arousal (index +0.5 of alpha ratio -9 dB, Hammarberg "
    "index 18 dB and a median of 240 Hz) at 0.5-2.5 s, against typical values.", (0.5, 2.5),
)  # fmt: skip
CLIPS = {
    "happy": HAPPY,
    "angry": (*kit.ANGRY, kit.INSULT, kit.DOWN),
    "two": TWO,
    "changes": CHANGES,
    "torn": TORN,
    "hands": (HANDS, THROUGHOUT, *HAPPY),
    "mixed": (*kit.SAD, kit.SMILE, kit.LIVELY),
    "surprised": kit.SURPRISED,
    "aroused": (AROUSED,),
}


@pytest.mark.parametrize("clip", CLIPS)
def test_whatever_is_asked_the_rules_own_answer_is_carried(clip: str) -> None:
    for question in QUESTIONS:
        inquiry = kit.inquiry(*CLIPS[clip], question=question)
        written = explain(Rules(), inquiry, decide(Rules(), inquiry))
        assert written.sentences
        verdict = verify(written, inquiry.clues, inquiry.duration)
        struck = [f for f in verdict.sentences if f.status != "supported"]
        assert struck == [], question


@pytest.mark.parametrize(
    ("clues", "text"),
    [
        (HAPPY, "No, not clearly happy: the person appears happy (medium confidence)."),
        (HAPPY, "No clue tells of a smile; the person appears happy (medium confidence)."),
        (HAPPY, "No clue tells of a knife; the person appears happy (medium confidence)."),
        (HAPPY, "Yes: the person appears angry (medium confidence), from a smile at 2.1-2.8 s."),
        (HAPPY, "Yes: the person suffers from depression."),
        (HAPPY, "No: without a smile, the person appears happy (low confidence)."),
        (HAPPY, "No: even without what is heard, the person appears happy (medium confidence)."),
        (HAPPY, "No: even without a knife, the person appears happy (medium confidence)."),
        (HAPPY, "A smile would support angry; so far the person appears happy (low confidence)."),
        (HAPPY, "A knife would support angry; so far the person appears happy (low confidence)."),
        (HAPPY, "Twice: the person smiles clearly with the eyes narrowing at 2.1-2.8 s."),
        (HAPPY, "At 0.1-0.4 s: the person smiles clearly with the eyes narrowing."),
        (HAPPY, "Nothing speaks for happy: the person appears happy (medium confidence)."),
        (HAPPY, "Unclear: no clue speaks for or against sad; the person appears happy."),
        (HAPPY, "No one emotion is clear: the person smiles clearly with the eyes narrowing."),
        (HAPPY, "With high confidence: the person appears happy, from a smile."),
        (HAPPY, "Yes, both: the person smiles; the person appears sad (low confidence)."),
        (HAPPY, "No, not both: the person smiles; no clue states a smile."),
        (TWO, "Only one person is told apart: person 1 (on the left) smiles clearly."),
        (TWO, "More clearly happy is person 2 (on the right) (low confidence), from a smile."),
        (TWO, "The clues tell of person 7."),
        (HAPPY, "高兴不明显：此人显得高兴（中等置信度）。"),
        (HAPPY, "没有线索涉及微笑；此人显得高兴（中等置信度）。"),
        (HAPPY, "微笑会支持生气；目前此人显得高兴（中等置信度）。"),
        ((THROUGHOUT,), "据片段统计，画面中有 3 人。"),
    ],
)
def test_a_lie_in_the_frame_of_an_answer_is_not(clues: tuple[Clue, ...], text: str) -> None:
    labels = kit.explain(*clues).labels
    sentence = Sentence(block="answer", text=text, clue_ids=tuple(c.id for c in clues))
    (finding,) = verify(
        Explanation(sentences=(sentence,), labels=labels), clues, kit.DURATION
    ).sentences
    assert finding.status != "supported"
