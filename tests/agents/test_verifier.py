"""The verifier catches what the cited clues do not carry, and strikes it out."""

# ruff: noqa: RUF001  (the full-width marks are Chinese punctuation and are meant)
from __future__ import annotations

import pytest

from emer.agents.types import Alternative, Block, Explanation, Label, Sentence
from emer.agents.verification.verifier import Finding, strike, verify
from emer.tools.types import Clue
from tests.fixtures import clues as kit

CLUES = (kit.SMILE, kit.LIVELY, kit.INSULT, kit.FURROW)


def judge(block: Block, text: str, *cited: Clue) -> Finding:
    sentence = Sentence(block=block, text=text, clue_ids=tuple(c.id for c in cited))
    return verify(Explanation(sentences=(sentence,)), CLUES, kit.DURATION).sentences[0]


@pytest.mark.parametrize(
    ("block", "text", "cited"),
    [
        ("video", "In the video, the person smiles clearly with the eyes narrowing.", kit.SMILE),
        ("video", "In the video, the person smiles with narrowing eyes at 2.4 s.", kit.SMILE),
        ("audio", "In the audio, the intonation is lively.", kit.LIVELY),
        ("text", 'In the text, the subtitle reads "you idiot".', kit.INSULT),
        ("therefore", "Therefore, the smile suggests that the person appears happy.", kit.SMILE),
        ("therefore", "The smile speaks against angry.", kit.SMILE),
        ("answer", "The person does not appear angry.", kit.SMILE),
        ("video", "在视频中，人物在2.1-2.8秒微笑，眼睛眯起。", kit.SMILE),
        ("audio", "在音频中，语调活泼。", kit.LIVELY),
        ("therefore", "因此，根据视频中的微笑，人物显得高兴。", kit.SMILE),
    ],
)
def test_what_the_clues_carry_is_supported(block: Block, text: str, cited: Clue) -> None:
    assert judge(block, text, cited).status == "supported"


@pytest.mark.parametrize(
    ("block", "text", "cited", "status", "why"),
    [
        ("video", "The person smiles at 3.6 s.", kit.SMILE, "unsupported", "3.6 s"),
        ("video", "The person smiles at 9.0 s.", kit.SMILE, "contradicted", "beyond"),
        ("video", "The person does not smile.", kit.SMILE, "contradicted", "opposite"),
        ("video", "The corners of the mouth turn down.", kit.SMILE, "contradicted", "not"),
        ("video", "The person furrows the brows.", kit.SMILE, "unsupported", "furrowed"),
        ("video", "Person 2 smiles.", kit.SMILE, "unsupported", "person 2"),
        ("video", "A dog jumps over the yellow fence.", kit.SMILE, "unsupported", "describes"),
        ("video", "在视频中，人物皱着眉头。", kit.SMILE, "unsupported", "furrowed"),
        ("video", "在视频中，背景里有一辆红色的车。", kit.SMILE, "unsupported", "held against"),
        ("audio", "The intonation is flat.", kit.LIVELY, "contradicted", "lively"),
        ("audio", "The intonation is lively (9.9 semitones).", kit.LIVELY, "unsupported", "9.9"),
        ("text", 'The subtitle reads "you angel".', kit.INSULT, "unsupported", "words"),
        ("text", "The subtitle reads “ruined nothing”.", kit.INSULT, "unsupported", "words"),
        ("therefore", "The person appears sad.", kit.SMILE, "contradicted", "sad"),
        ("therefore", "The person appears contemptuous.", kit.SMILE, "unsupported", "speak"),
        ("therefore", "The person appears not happy.", kit.SMILE, "contradicted", "happy"),
        ("therefore", "The smile speaks against happy.", kit.SMILE, "unsupported", "against"),
        ("therefore", "The furrowed brows tell.", kit.SMILE, "unsupported", "furrowed"),
    ],
)
def test_what_they_do_not_carry_is_caught(
    block: Block, text: str, cited: Clue, status: str, why: str
) -> None:
    finding = judge(block, text, cited)
    assert finding.status == status
    assert why in finding.why


def test_an_invented_id_is_caught_everywhere() -> None:
    invented = Explanation(
        sentences=(Sentence(block="video", text="The person smiles.", clue_ids=("f00000000",)),),
        labels=(Label(name="happy", band="low", clue_ids=("f00000000", kit.SMILE.id)),),
        alternatives=(Alternative(label="sad", would_change="More.", clue_ids=("f00000000",)),),
    )
    verdict = verify(invented, CLUES, kit.DURATION)
    assert not kit.holds(verdict)
    assert strike(invented, verdict) == Explanation()


def test_labels_need_clues_that_speak_for_them() -> None:
    labels = (
        Label(name="happy", band="high", clue_ids=(kit.SMILE.id,)),
        Label(name="angry", band="low", clue_ids=(kit.SMILE.id,)),
        Label(name="wistful", band="low", clue_ids=(kit.SMILE.id,)),
    )
    uncited = Alternative(label="sad", would_change="Tears.")
    explanation = Explanation(labels=labels, alternatives=(uncited,))
    verdict = verify(explanation, CLUES, kit.DURATION)
    assert [f.status for f in verdict.labels] == ["supported", "contradicted", "supported"]
    assert verdict.alternatives[0].status == "unsupported"


def test_striking_keeps_what_holds_and_names_what_does_not() -> None:
    good = Sentence(block="video", text="The person smiles.", clue_ids=(kit.SMILE.id,))
    bad = Sentence(block="video", text="The person nods.", clue_ids=(kit.SMILE.id,))
    explanation = Explanation(sentences=(good, bad))
    verdict = verify(explanation, CLUES, kit.DURATION)
    assert [r.text for r in verdict.rejected] == ["The person nods."]
    assert strike(explanation, verdict).sentences == (good,)
    with pytest.raises(ValueError, match="zip"):
        strike(Explanation(sentences=(good,)), verdict)


def test_times_of_a_clue_without_a_span_must_stand_in_its_text() -> None:
    loose = kit.clue("face", "The person smiles at 1.5 s.")
    told = [
        Sentence(block="video", text=f"The person smiles at {t} s.", clue_ids=(loose.id,))
        for t in (1.5, 2.5)
    ]
    verdict = verify(Explanation(sentences=tuple(told)), [loose], kit.DURATION)
    assert [f.status for f in verdict.sentences] == ["supported", "unsupported"]
