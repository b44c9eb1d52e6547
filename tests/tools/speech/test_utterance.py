"""Words are one clue up to a real pause; a sentence stays whole."""

from __future__ import annotations

from emer.tools.speech.transcript import TimedWord
from emer.tools.speech.utterance import LONGEST, ends_sentence, text_of, utterances


def words(*timed: tuple[str, float]) -> list[TimedWord]:
    """Return words of 0.3 s from their text and start."""
    return [TimedWord(f" {text}", start, start + 0.3, 0.9) for text, start in timed]


def texts(said: list[TimedWord]) -> list[str]:
    return ["".join(word.text for word in group).strip() for group in utterances(said)]


def test_a_pause_behind_a_sentence_ends_an_utterance_and_one_inside_does_not():
    said = words(
        ("And", 0.0), ("so,", 0.3), ("ask", 1.9), ("not.", 2.2), ("Ask", 3.1), ("me!", 3.4)
    )
    assert texts(said) == ["And so, ask not.", "Ask me!"]
    assert texts(words(("Yes.", 0.0), ("Good.", 0.6))) == ["Yes. Good."]


def test_no_sentence_lasts_over_two_seconds_of_silence():
    assert texts(words(("And", 0.0), ("then", 2.5), ("left.", 2.8))) == ["And", "then left."]


def test_without_marks_a_long_pause_divides():
    assert texts(words(("one", 0.0), ("two", 0.9), ("three", 2.3))) == ["one two", "three"]


def test_speech_without_a_pause_is_divided_between_sentences():
    text = ("Nobody", "knows", "why.") * 20
    said = words(*((word, 0.31 * n) for n, word in enumerate(text)))
    groups = utterances(said)
    assert len(groups) > 1 and all(ends_sentence(group[-1]) for group in groups)
    assert all(group[-1].end - group[0].start <= LONGEST for group in groups)
    assert [word for group in groups for word in group] == said
    assert len(utterances(words(*((f"w{n}", 0.31 * n) for n in range(90))))) == 1


def test_chinese_has_a_comma_at_a_pause_where_no_mark_is_written():
    timed = (("好", 0.0), ("吧", 0.3), ("你们", 1.2), ("呀。", 1.5), ("走", 2.6))
    said = [TimedWord(text, start, start + 0.3, 0.9) for text, start in timed]
    assert text_of(said, "zh") == "好吧，你们呀。走"  # noqa: RUF001
    assert text_of(words(("so", 0.0), ("then", 1.0)), "en") == "so then"
    assert text_of([], "zh") == ""


def test_marks_of_several_scripts_end_a_sentence():
    for mark in ("yes.", "why?", '"no!"', "好。", "吗？", "好！”", "wait..."):  # noqa: RUF001
        assert ends_sentence(words((mark, 0.0))[0]), mark
    for mark in ("yes,", "3.5", "好，", "and"):  # noqa: RUF001
        assert not ends_sentence(words((mark, 0.0))[0]), mark
