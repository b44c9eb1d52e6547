"""The verifier catches what the cited clues do not carry, and strikes it out."""

# ruff: noqa: RUF001  (the full-width marks are Chinese punctuation and are meant)
from __future__ import annotations

import pytest

from emer.agents.types import Alternative, Block, Explanation, Label, Sentence
from emer.agents.verification.verifier import (
    Finding,
    Opinion,
    apply_critique,
    settle,
    verify,
)
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
        ("video", "A dog jumps over the yellow fence.", kit.SMILE, "unsupported", "fence"),
        ("video", "在视频中，人物皱着眉头。", kit.SMILE, "unsupported", "furrowed"),
        ("video", "在视频中，背景里有一辆红色的车。", kit.SMILE, "unsupported", "cannot be read"),
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
    assert settle(invented, verdict, CLUES) == Explanation()


def test_labels_need_clues_that_speak_for_them() -> None:
    labels = (
        Label(name="happy", band="high", clue_ids=(kit.SMILE.id,)),
        Label(name="angry", band="low", clue_ids=(kit.SMILE.id,)),
        Label(name="wistful", band="low", clue_ids=(kit.SMILE.id,)),
    )
    uncited = Alternative(label="sad", would_change="Tears.")
    explanation = Explanation(labels=labels, alternatives=(uncited,))
    verdict = verify(explanation, CLUES, kit.DURATION)
    assert [f.status for f in verdict.labels] == ["supported", "contradicted", "unsupported"]
    assert verdict.alternatives[0].status == "unsupported"


def test_striking_keeps_what_holds_and_names_what_does_not() -> None:
    good = Sentence(block="video", text="The person smiles.", clue_ids=(kit.SMILE.id,))
    bad = Sentence(block="video", text="The person nods.", clue_ids=(kit.SMILE.id,))
    denied = Sentence(block="video", text="The person does not smile.", clue_ids=(kit.SMILE.id,))
    explanation = Explanation(sentences=(good, bad, denied))
    verdict = verify(explanation, CLUES, kit.DURATION)
    assert [r.text for r in verdict.rejected] == [bad.text, denied.text]
    assert [f.status for f in verdict.sentences[1:]] == ["unsupported", "contradicted"]
    assert settle(explanation, verdict, CLUES).sentences == (good,)
    with pytest.raises(ValueError, match="zip"):
        settle(Explanation(sentences=(good,)), verdict, CLUES)


def test_times_of_a_clue_without_a_span_must_stand_in_its_text() -> None:
    loose = kit.clue("face", "The person smiles at 1.5 s.")
    sentences = [
        Sentence(block="video", text=f"The person smiles at {t} s.", clue_ids=(loose.id,))
        for t in (1.5, 2.5)
    ]
    verdict = verify(Explanation(sentences=sentences), [loose], kit.DURATION)
    assert [f.status for f in verdict.sentences] == ["supported", "unsupported"]


SPAN = kit.clue("face", "The person smiles clearly with narrowing eyes.", (2.0, 3.0))
END = kit.clue("face", "The person smiles.", (3.0, 4.0))


def status(block: Block, text: str, *cited: Clue) -> str:
    sentence = Sentence(block=block, text=text, clue_ids=tuple(c.id for c in cited))
    return verify(Explanation(sentences=(sentence,)), cited, kit.DURATION).sentences[0].status


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("at 1.5 s", "supported"),
        ("at 1.4 s", "unsupported"),
        ("at 3.5 s", "supported"),
        ("at 3.6 s", "unsupported"),
        ("from 1.6 to 3.4 seconds", "supported"),
        ("from 2.1 to 3.9 seconds", "unsupported"),
        ("for 1.5 s", "supported"),
        ("for about 1.6 s", "unsupported"),
    ],
)
def test_a_time_is_in_its_clues_span_and_a_length_no_longer(when: str, expected: str) -> None:
    assert status("video", f"The person smiles {when}.", SPAN) == expected


def test_a_time_of_any_cited_clue_will_do() -> None:
    assert status("video", "The person smiles at 2.2 s and at 3.9 s.", SPAN, END) == "supported"
    assert status("video", "The person smiles from 2.2 to 3.9 s.", SPAN, END) == "unsupported"


def test_a_length_needs_a_span_or_the_number_itself() -> None:
    loose = kit.clue("face", "The person smiles.")
    assert status("video", "The person smiles for 0.1 s.", loose) == "unsupported"
    measured = kit.clue("face", "The person smiles for 3.5 s.", (0.0, 1.0))
    assert status("video", "The person smiles for 3.5 s.", measured) == "supported"


def test_the_clip_ends_a_frame_late_at_most() -> None:
    assert status("video", "The person smiles at 4.05 s.", END) == "supported"
    assert status("video", "The person smiles at 4.06 s.", END) == "contradicted"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The smile by a window.", "unsupported"),
        ("The person smiles clearly, a window and a curtain.", "unsupported"),
        ("The person smiles clearly.", "supported"),
    ],
)
def test_all_words_of_a_description_are_its_clues(text: str, expected: str) -> None:
    assert status("video", text, SPAN) == expected


def test_all_words_of_a_conclusion_are_read() -> None:
    assert status("therefore", "Therefore, a window and the smile.", SPAN) == "unsupported"
    assert status("therefore", "Therefore, the smile suggests happy.", SPAN) == "supported"


@pytest.mark.parametrize("text", ["rather than happy", "instead of happy", "against happy"])
def test_what_speaks_for_an_emotion_is_not_cited_against_it(text: str) -> None:
    assert status("therefore", f"The smile is a sign, {text}.", SPAN) == "unsupported"
    assert status("therefore", f"The smile is a sign, {text.replace('happy', 'sad')}.", SPAN) == (
        "supported"
    )


def test_a_clause_behind_a_comma_is_not_denied_by_the_one_before() -> None:
    assert status("therefore", "The person is not crying, happy.", SPAN) == "unsupported"
    assert status("therefore", "The person appears not angry, but happy.", SPAN) == "supported"


def test_both_for_and_against_is_not_denied() -> None:
    both = (SPAN, kit.clue("face", "The person cries with tears at 2.0-3.0 s.", (2.0, 3.0)))
    assert status("therefore", "The person appears not happy.", *both) == "supported"
    assert status("therefore", "The smile and the tears speak against happy.", *both) == "supported"


SPOKEN = kit.clue("text", 'The person says: "I am fine, really."', (1.0, 2.0))
SIGN = kit.clue("scene", 'A sign reads "Exit now" at 1.0-2.0 s.', (1.0, 2.0))


@pytest.mark.parametrize(
    ("block", "text", "cited", "expected"),
    [
        ("text", 'The person says "I am fine".', SPOKEN, "supported"),
        ("text", 'The person says "FINE, REALLY!"', SPOKEN, "supported"),
        ("text", 'The person says "fin".', SPOKEN, "unsupported"),
        ("text", 'The person says "the person says".', SPOKEN, "unsupported"),
        ("text", 'A sign reads "exit now".', SIGN, "unsupported"),
        ("audio", 'A sign reads "exit now".', SIGN, "unsupported"),
        ("answer", 'A sign reads "exit now".', SIGN, "supported"),
        ("video", 'A sign reads "exit now".', SIGN, "supported"),
        ("video", 'A sign reads "exit here".', SIGN, "unsupported"),
        ("video", 'A sign reads "…".', SIGN, "unsupported"),
    ],
)
def test_a_quotation_is_in_the_transcript_or_outside_the_text_in_the_clue(
    block: Block, text: str, cited: Clue, expected: str
) -> None:
    assert status(block, text, cited) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The pitch falls by 2.1 semitones.", "supported"),
        ("The pitch falls (-2.1 semitones).", "supported"),
        ("The pitch falls by 2.2 semitones.", "unsupported"),
        ("The pitch falls by 2 semitones.", "unsupported"),
        ("The pitch falls by 7.5 semitones.", "supported"),
        ("The pitch falls by 7.5 Hz.", "unsupported"),
        ("The pitch falls, AU12.", "unsupported"),
    ],
)
def test_a_number_stands_in_the_sentence_or_the_data_of_a_clue(text: str, expected: str) -> None:
    falls = kit.clue("audio", "The pitch falls by 2.1 semitones, AU99.", data={"range_st": [7.5]})
    assert status("audio", text, falls) == expected


def test_a_person_is_the_clues_own_or_named_in_it() -> None:
    nods = kit.clue("face", "Nods at 2.0-3.0 s.", (2.0, 3.0), person="person 2")
    both = kit.clue("face", "Person 1 nods to person 3 at 2.0-3.0 s.", (2.0, 3.0))
    assert status("video", "Person 2 nods.", nods) == "supported"
    assert status("video", "Person 3 nods.", both) == "supported"
    assert status("video", "Person 3 nods.", nods) == "unsupported"
    assert status("video", "Person 20 nods.", nods) == "unsupported"


def test_a_contradiction_is_told_before_what_is_missing_and_each_reason_once() -> None:
    finding = judge("video", "The person smiles at 3.6 s, does not smile at 3.6 s.", kit.SMILE)
    first, *rest = finding.why.split("; ")
    assert finding.status == "contradicted"
    assert "opposite" in first
    assert len(rest) == len({*rest}) and any("3.6 s" in why for why in rest)


def test_every_id_that_does_not_exist_is_named() -> None:
    ids = ("f00000000", kit.SMILE.id, "f11111111")
    sentence = Sentence(block="video", text="The person smiles.", clue_ids=ids)
    (finding,) = verify(Explanation(sentences=(sentence,)), CLUES, kit.DURATION).sentences
    assert finding.why == "there is no clue f00000000, f11111111"


def test_a_label_against_its_clues_is_contradicted_one_without_is_unsupported() -> None:
    labels = [
        Label(name=name, band="low", clue_ids=(kit.SMILE.id,))
        for name in ("sad", "joyful", "tired")
    ]
    verdict = verify(Explanation(labels=tuple(labels)), CLUES, kit.DURATION)
    assert [f.status for f in verdict.labels] == ["contradicted", "supported", "unsupported"]


def test_a_critic_can_reject_a_sentence_and_cannot_save_one() -> None:
    texts = ("The person smiles.", "The person nods.", "The person smiles clearly.")
    sentences = tuple(Sentence(block="video", text=t, clue_ids=(kit.SMILE.id,)) for t in texts)
    before = verify(Explanation(sentences=sentences), CLUES, kit.DURATION)
    opinions = [
        Opinion(verdict="rejected", why="it does not"),
        Opinion(verdict="confirmed"),
        Opinion(verdict="unverified", why="perhaps"),
    ]
    after = apply_critique(before, opinions, Explanation(sentences=sentences), CLUES)
    assert [f.status for f in after.sentences] == ["unsupported", "unsupported", "supported"]
    assert after.sentences[0].why == "the critic rejects it: it does not"
    assert after.sentences[1:] == before.sentences[1:]
    assert after.opinions == tuple(opinions)
    curt = apply_critique(
        before, [Opinion(verdict="rejected")], Explanation(sentences=sentences), CLUES
    )
    assert curt.sentences[0].why == "the critic rejects it"
    assert curt.sentences[1:] == before.sentences[1:]
    denial = Sentence(block="video", text="The person does not smile.", clue_ids=(kit.SMILE.id,))
    denied = Explanation(sentences=(denial, sentences[1]))
    wrong = verify(denied, CLUES, kit.DURATION)
    rejected = apply_critique(wrong, [Opinion(verdict="rejected", why="no")] * 2, denied, CLUES)
    assert rejected.sentences == wrong.sentences, "what was wrong before stays so, with its reason"
