"""The view of an explanation: answer, paragraphs, lists, and the markers of clues."""

# ruff: noqa: RUF001  (the full-width marks are Chinese punctuation and are meant)

from __future__ import annotations

from emer.agents.rules.passages import answer_line, markers, passages, render
from emer.agents.types import Alternative, Explanation, Label, Missing, Sentence

SMILE, FROWN, LOUD = "f11111111", "f22222222", "a33333333"
FULL = Explanation(
    sentences=(
        Sentence(text="Yes: the person appears happy.", block="answer", clue_ids=(FROWN,)),
        Sentence(text="She smiles.", block="video", clue_ids=(SMILE, FROWN)),
        Sentence(text="The voice is loud.", block="audio", clue_ids=(LOUD,)),
    ),
    labels=(Label(name="happy", band="low", clue_ids=(SMILE,)),),
    alternatives=(
        Alternative(label="amused", would_change="laughter would support it", clue_ids=(LOUD,)),
    ),
    missing=(Missing(modality="text", why="nobody speaks"),),
)


def test_the_answer_comes_first_and_what_is_missing_last() -> None:
    assert render(FULL).split("\n\n") == [
        "Yes: the person appears happy. [f1]",
        "She smiles. [f2, f1]",
        "The voice is loud. [a1]",
        "Labels: happy (low) [f2]\n"
        "Also possible: amused; laughter would support it. [a1]\n"
        "Missing: the words, because nobody speaks.",
    ]


def test_markers_are_numbered_by_modality_in_the_order_of_citation() -> None:
    assert markers(FULL) == {FROWN: "f1", SMILE: "f2", LOUD: "a1"}


def test_without_a_sentence_that_answers_the_labels_stand_for_it() -> None:
    assert answer_line(Explanation(labels=FULL.labels)).text == "The person appears happy (low)."
    in_chinese = Explanation(labels=FULL.labels, language="zh")
    assert answer_line(in_chinese).text == "此人显得高兴（低）。"


def test_a_question_without_an_answer_is_said_with_the_reason() -> None:
    gap = Missing(modality="question", why="no clue tells of the hands")
    asked = Explanation(labels=FULL.labels, missing=(gap,))
    assert answer_line(asked).text == "Not answered: no clue tells of the hands."
    assert "hands" not in render(asked).partition("\n")[2]


def test_without_anything_the_reason_why_stands_for_the_answer() -> None:
    gaps = FULL.missing
    assert answer_line(Explanation(missing=gaps)).text == "Not answered: nobody speaks."
    assert answer_line(Explanation()).text == "What was observed does not carry a reading."


def test_a_declined_question_is_one_line() -> None:
    declined = Explanation(declined="health")
    (only,) = passages(declined)
    assert only.kind == "answer" and render(declined) == only.parts[0].text
    assert "illness" in only.parts[0].text and markers(declined) == {}
