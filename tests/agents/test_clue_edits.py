"""What a person changes in the clues: what becomes of them, and what is refused."""

from __future__ import annotations

import pytest

from emer.agents.clue_edits import (
    REVIEWER_QUALITY,
    Addition,
    Edits,
    Rewrite,
    check_edits,
    matches_struck,
    reviewer_clues,
    unread_notes,
)
from emer.agents.types import Explanation, Sentence
from emer.agents.verification.verifier import verify
from emer.tools.errors import ConfigError
from emer.tools.types import Span
from tests.fixtures import clues as kit

CLUES = (kit.SMILE, kit.LIVELY, kit.FURROW)


def test_a_rewritten_clue_is_a_persons_and_says_which_clue_it_came_from():
    edits = Edits(edit=(Rewrite(clue=kit.SMILE.id, text="The person grins."),))
    (made,) = reviewer_clues(CLUES, edits)
    assert (made.text, made.span, made.modality) == ("The person grins.", kit.SMILE.span, "face")
    assert made.source.tool == "reviewer" and made.data == {"revises": kit.SMILE.id}
    assert (
        made.quality.factors == {"told_by_a_person": 1.0} and made.quality.score == REVIEWER_QUALITY
    )
    assert made.confidence is None and made.id != kit.SMILE.id


def test_a_clue_can_be_moved_in_time_alone_and_judged():
    span = Span(start=0.1, end=0.4)
    (made,) = reviewer_clues(
        CLUES, Edits(edit=(Rewrite(clue=kit.SMILE.id, span=span, quality=0.3),))
    )
    assert (made.text, made.span, made.quality.score) == (kit.SMILE.text, span, 0.3)


def test_an_added_clue_has_no_numbers_behind_it():
    added = Addition(modality="audio", text="  She\n laughs. ", person="person 1")
    (made,) = reviewer_clues(CLUES, Edits(add=(added,)))
    assert (made.text, made.span, made.person, made.data) == ("She laughs.", None, "person 1", {})


def test_the_id_of_the_first_clue_is_no_number_that_a_sentence_may_name():
    """The hash would else lend its digits to sentences that cite the rewritten clue."""
    (made,) = reviewer_clues(
        CLUES, Edits(edit=(Rewrite(clue=kit.SMILE.id, text="The person smiles."),))
    )
    digits = "".join(c for c in kit.SMILE.id if c.isdigit())
    assert digits
    for number in {digits[0], digits[:2], digits}:
        sentence = Sentence(
            block="video", text=f"The person smiles {number} times.", clue_ids=(made.id,)
        )
        verdict = verify(Explanation(sentences=(sentence,)), [made], kit.DURATION)
        assert verdict.sentences[0].status == "unsupported", number


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        (Edits(reject=("f00000000",)), "no clue 'f00000000'.*" + kit.SMILE.id),
        (Edits(edit=(Rewrite(clue="nope", text="x"),)), "no clue 'nope'"),
        (Edits(reject=(kit.SMILE.id, kit.SMILE.id)), "twice"),
        (Edits(reject=(kit.SMILE.id,), edit=(Rewrite(clue=kit.SMILE.id, text="x"),)), "twice"),
        (Edits(edit=(Rewrite(clue=kit.SMILE.id),)), "changes nothing"),
        (Edits(add=(Addition(modality="face", text="x", span=Span(start=3, end=9)),)), "lasts 4 s"),
        (Edits(edit=(Rewrite(clue=kit.SMILE.id, span=Span(start=5, end=6)),)), "5-6 s is not"),
    ],
)
def test_an_edit_that_cannot_be_carried_out_is_named(edits, message):
    with pytest.raises(ConfigError, match=message):
        check_edits(edits, CLUES, kit.DURATION)


def test_what_can_be_carried_out_passes():
    edits = Edits(
        reject=(kit.LIVELY.id,),
        edit=(Rewrite(clue=kit.SMILE.id, text="x", span=Span(start=0, end=4)),),
        add=(Addition(modality="text", text="y"),),
    )
    check_edits(edits, CLUES, kit.DURATION)
    assert edits.struck == (kit.LIVELY.id, kit.SMILE.id)


def test_of_two_edits_of_a_clue_the_later_one_holds():
    first = Edits(reject=("a", "b"), edit=(Rewrite(clue="c", text="1"),))
    both = first.and_then(Edits(edit=(Rewrite(clue="a", text="2"), Rewrite(clue="c", text="3"))))
    assert both.reject == ("b",)
    assert [(r.clue, r.text) for r in both.edit] == [("a", "2"), ("c", "3")]
    assert first.and_then(Edits(reject=("c",))).edit == ()
    assert first.and_then(Edits()) == first


@pytest.mark.parametrize(
    ("text", "at", "back"),
    [
        ("The person smiles clearly with the eyes narrowing at 2.0-2.9 s.", (2.0, 2.9), True),
        ("The person smiles strongly with the eyes narrowing at 2.0-2.9 s.", (2.0, 2.9), True),
        ("The person smiles clearly with the eyes narrowing at 0.1-0.5 s.", (0.1, 0.5), False),
        ("The person furrows the brows at 2.0-2.9 s.", (2.0, 2.9), False),
    ],
)  # fmt: skip
def test_a_closer_look_does_not_bring_back_what_was_struck_out(text, at, back):
    assert matches_struck(kit.clue("face", text, at), [kit.SMILE]) is back


def test_another_tool_or_person_may_say_what_was_struck_out():
    same = kit.SMILE.model_dump(exclude={"id"})
    other = kit.clue("face", kit.SMILE.text, (2.1, 2.8), person="person 2")
    person = reviewer_clues([], Edits(add=(Addition(modality="face", text=same["text"]),)))
    assert matches_struck(kit.SMILE, [kit.SMILE])
    assert not matches_struck(other, [kit.SMILE]) and not matches_struck(person[0], [kit.SMILE])


def test_edits_are_read_from_json_in_either_form_of_a_span():
    text = '{"add": [{"modality": "face", "text": "She winks.", "span": [1, 2]}], "reject": ["a"]}'
    assert Edits.model_validate_json(text).add[0].span == Span(start=1, end=2)
    again = Edits.model_validate_json(text).model_dump_json()
    assert Edits.model_validate_json(again) == Edits.model_validate_json(text)


@pytest.mark.parametrize(
    ("text", "back"),
    [
        ("The person smiles clearly with the mouth closed at 2.0-2.9 s.", True),
        ("The person does not smile at 2.0-2.9 s.", False),
        ("The person smiles and furrows the brows at 2.0-2.9 s.", False),
    ],
)
def test_a_closer_look_names_the_struck_sign_in_other_detail(text, back):
    assert matches_struck(kit.clue("face", text, (2.0, 2.9)), [kit.SMILE]) is back


def test_opposite_signs_of_one_group_do_not_strike_each_other():
    rising = kit.clue("audio", "The person speaks with rising intonation at 2.0-2.4 s.", (2.0, 2.4))
    falling = kit.clue(
        "audio", "The person speaks with falling intonation at 2.0-2.4 s.", (2.0, 2.4)
    )
    assert not matches_struck(rising, [falling])


@pytest.mark.parametrize(
    ("modality", "text", "near"),
    [
        ("face", "The lips of the person glisten.", "lips"),
        ("audio", "Her voice booms.", "voice"),
        ("face", "嘴唇怪怪的", "唇"),
    ],
)
def test_a_sentence_without_a_sign_is_noted_with_signs_that_are_read(modality, text, near):
    written = reviewer_clues((), Edits(add=(Addition(modality=modality, text=text),)))
    (note,) = unread_notes(written)
    assert note.startswith(f'"{text}" has no effect on the answer') and near in note.split(":")[-1]


@pytest.mark.parametrize(
    ("modality", "text"), [("face", "The person grins."), ("text", "The bus is late.")]
)
def test_a_sentence_with_a_sign_and_words_that_are_quoted_are_not_noted(modality, text):
    assert (
        unread_notes(reviewer_clues((), Edits(add=(Addition(modality=modality, text=text),)))) == ()
    )
