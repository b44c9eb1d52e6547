"""Quotations in sentences: a translation is read for its words, and quoted as such."""

from __future__ import annotations

import pytest

from emer.agents.lexicon.cue_parser import is_doubtful, mentions_in, transcript
from emer.agents.rules.phrases import join, quote
from emer.agents.rules.reasoner import Rules
from emer.agents.types import Inquiry
from emer.agents.verification.verifier import verify
from emer.tools.speech.transcript import says, translated
from emer.tools.types import Clue, Quality, Source, Span


def clue(text: str, span: tuple[float, float] = (0.2, 1.9), **data: str) -> Clue:
    return Clue(
        modality="text",
        span=Span(start=span[0], end=span[1]),
        text=text,
        quality=Quality(score=0.9, factors={"word_probability": 0.9}),
        source=Source(tool="whisper", version="1"),
        data=data,
    )


GERMAN = clue(says("Ich danke dir so sehr!", True), language="de")
ENGLISH = clue(translated("Thank you so much!", "German", True), translated_from="de")


def test_its_words_are_read_like_those_of_the_speaker():
    assert transcript(ENGLISH) == "Thank you so much!"
    assert "thanks" in {m.cue for m in mentions_in(transcript(ENGLISH), "text")}
    assert "thanks" not in {m.cue for m in mentions_in(transcript(GERMAN), "text")}
    doubtful = clue(translated("Thank you!", "German", False))
    assert is_doubtful(doubtful) and not is_doubtful(ENGLISH)


def test_it_is_quoted_as_a_translation():
    assert quote(ENGLISH) == (
        'In the text, the words, translated from German, are "Thank you so much!".'
    )
    assert quote(GERMAN) == 'In the text, the words "Ich danke dir so sehr!" are heard.'


def test_the_rules_tell_the_translation_and_the_verifier_supports_it():
    inquiry = Inquiry(question="What is displayed?", clues=(GERMAN, ENGLISH), duration=2.0)
    rules = Rules()
    written = rules.explain(inquiry, rules.decide(inquiry))
    assert [s.text for s in written.sentences if s.block == "text"] == [
        'In the text, the words "Ich danke dir so sehr!" are heard, in English '
        '"Thank you so much!".'
    ]
    assert not verify(written, inquiry.clues, inquiry.duration).rejected


UNSURE = clue(says("Ich danke dir so sehr!", False), language="de")
LATER = clue(says("Du bist lieb.", True), (2.5, 3.4), language="de")
BOTH = clue(translated("Thank you so much!", "German", True), (0.2, 3.4), translated_from="de")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_words_in_doubt_stay_hedged_beside_a_translation_that_is_sure(language):
    inquiry = Inquiry(
        question="What is displayed?", clues=(UNSURE, ENGLISH), duration=2.0, language=language
    )
    rules = Rules()
    written = rules.explain(inquiry, rules.decide(inquiry))
    (text,) = [s.text for s in written.sentences if s.block == "text"]
    for part in {"en": ("may be saying", "perhaps", "low recognition confidence"),
                 "zh": ("可能说的是", "英译可能是", "识别置信度低")}[language]:  # fmt: skip
        assert part in text
    assert not verify(written, inquiry.clues, inquiry.duration).rejected


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_translation_of_several_utterances_stands_beside_all_of_them(language):
    inquiry = Inquiry(
        question="What is displayed?", clues=(LATER, BOTH, GERMAN), duration=4.0, language=language
    )
    rules = Rules()
    written = rules.explain(inquiry, rules.decide(inquiry))
    (sentence,) = [s for s in written.sentences if s.block == "text"]
    order = [sentence.text.index(w) for w in ("danke dir", "Du bist lieb", "Thank you")]
    assert order == sorted(order) and len(sentence.clue_ids) == 3
    assert not verify(written, inquiry.clues, inquiry.duration).rejected


def test_someone_s_voice_is_no_name_in_the_middle_of_a_sentence() -> None:
    texts = (
        "The intonation is flat at 0.4-5.6 s.",
        "Someone speaks slowly at 0.4-5.6 s.",
        "Someone makes a long pause of 1.0 s at 2.0-3.0 s.",
    )
    text = join([clue(each) for each in texts])
    assert "Someone" not in text and text.count("someone") == 1
