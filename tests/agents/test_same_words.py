"""Words that are written and heard are one clue with both times; other words both stand."""

from __future__ import annotations

import random
from typing import Any

from emer.agents.lexicon.cue_parser import is_doubtful, transcript
from emer.agents.rules.phrases import phrase, quote
from emer.agents.same_words import is_written, match_words
from emer.graphs.trace.clue_ledger import ClueLedger
from emer.tools.speech.transcript import says
from emer.tools.types import LONGEST_CLUE, Clue, Quality, Source, Span

OCR, SPEECH = Source(tool="ocr", version="1"), Source(tool="faster-whisper", version="1")
GIVEN = Source(tool="subtitle", version="1")


def clue(text: str, at: tuple[float, float] | None, source: Source, **rest: Any) -> Clue:
    span = Span(start=at[0], end=at[1]) if at else None
    quality = Quality(score=0.9)
    return Clue(modality="text", span=span, text=text, source=source, quality=quality,
                kind="transcribed", **rest)  # fmt: skip


def written(words: str, at: tuple[float, float], sure: float | list[float] = 1.0) -> Clue:
    each = sure if isinstance(sure, list) else [sure] * len(words)
    letters = [list(pair) for pair in zip(words, each, strict=True)]
    data = {"transcript": words, "letters": letters}
    return clue(f'The burnt-in subtitle reads: "{words}".', at, OCR, data=data)


def heard(words: str, at: tuple[float, float], sure: bool = True, each: float = 0.9) -> Clue:
    """Return a transcript whose words last equally long."""
    parts = words.split() if words.isascii() else list(words)
    step = (at[1] - at[0]) / len(parts)
    timed = [[w, at[0] + n * step, at[0] + (n + 1) * step, each] for n, w in enumerate(parts)]
    data = {"transcript": words, "words": timed}
    certainty = "stated" if sure else "doubtful"
    return clue(says(words, sure), at, SPEECH, data=data, certainty=certainty)


def shown(*clues: Clue) -> tuple[Clue, ...]:
    ledger = ClueLedger()
    return ledger.clues(ledger.add(clues))


LINE = written("I can't believe you did this!", (1.0, 3.0))


def test_the_same_words_are_one_clue_with_both_times() -> None:
    (one,) = shown(LINE, heard("i can't believe you did this", (1.2, 2.8)))
    assert one.text == (
        'The burnt-in subtitle reads: "I can\'t believe you did this!" '
        "(the same words are heard at 1.2-2.8 s)."
    )
    assert (one.span, one.source) == (Span(start=1.0, end=3.0), OCR)
    assert one.data["heard"] == [1.2, 2.8]
    assert transcript(one) == "I can't believe you did this!"
    assert is_written(one) and not is_doubtful(one)


def test_of_a_part_that_is_heard_no_more_is_said() -> None:
    (one,) = shown(written("我想想都很幸福你不觉得吗", (0.0, 1.6)), heard("很幸福", (0.7, 1.3)))
    assert one.text.endswith("(some of these words are heard at 0.7-1.3 s).")
    assert quote(one) == 'In the text, the subtitle reads "我想想都很幸福你不觉得吗".'


def test_an_utterance_over_two_lines_gives_each_its_own_time() -> None:
    lines = written("一个让我赶紧走", (2.6, 4.0)), written("一个不让我去", (4.5, 5.6))
    first, second = shown(*lines, heard("一個讓我趕緊走一個不讓我去", (2.6, 5.6)))
    assert first.data["transcript"] == "一个让我赶紧走"
    assert first.span is not None and first.span.end < 4.5
    assert second.data["heard"] and "一个不让我去" in second.text


def test_other_words_at_one_time_both_stand_and_say_so() -> None:
    line, other = shown(LINE, heard("the weather was nice on monday", (1.1, 2.9)))
    assert line.text.endswith('this!" (other words are heard).')
    assert other.text.endswith('monday" (the subtitle has other words).')
    assert (transcript(line), transcript(other)) == (
        "I can't believe you did this!",
        "the weather was nice on monday",
    )
    doubtful = heard("the weather was nice on monday", (1.1, 2.9), sure=False)
    _, other = shown(LINE, doubtful)
    assert "(low recognition confidence; the subtitle has other words)" in other.text
    assert is_doubtful(other)


def test_words_of_another_time_are_not_compared() -> None:
    later = heard("I can't believe you did this", (6.0, 8.0))
    assert shown(LINE, later) == (LINE, later)


def test_a_translation_stands_beside_the_subtitle() -> None:
    data = {"transcript": "I can't believe you did this!", "translated_from": "zh"}
    english = clue('Translated from Chinese into English, the person says: "I can\'t believe you '
                   'did this!".', (1.0, 3.0), SPEECH, data=data)  # fmt: skip
    assert {one.id for one in shown(LINE, english)} == {LINE.id, english.id}


def test_given_words_stand_for_those_in_the_picture() -> None:
    given = clue('The subtitle reads: "I can\'t believe you did this! Go away.".', None, GIVEN,
                 data={"transcript": "I can't believe you did this! Go away."})  # fmt: skip
    (one,) = shown(given, LINE)
    assert one.source == GIVEN
    assert "the same words stand in the picture at 1.0-3.0 s" in one.text


def test_letters_that_were_not_read_are_taken_from_the_transcript() -> None:
    sure = [1.0, 1.0, 1.0, 0.2, 0.9]
    (one,) = shown(
        written("我有点昔么", (0.0, 2.0), sure), heard("我有点什么", (0.1, 1.9), each=0.99)
    )
    assert one.data["transcript"] == "我有点什么"
    assert "(unclear letters as they are heard)" in one.text


def test_a_sure_letter_of_the_picture_is_not_overruled() -> None:
    (one,) = shown(written("就得和我有", (0.0, 2.0)), heard("就得喝我有", (0.1, 1.9), each=0.99))
    assert one.data["transcript"] == "就得和我有"
    assert "unclear" not in one.text


def test_without_the_subtitle_the_transcript_stands() -> None:
    speech = heard("i can't believe you did this", (1.2, 2.8))
    matching = match_words([LINE, speech])
    assert matching.apply([speech]) == (speech,)
    assert matching.apply([LINE]) == (LINE,)
    assert len(matching.apply([LINE, speech])) == 1


def test_the_joined_clue_is_known_by_its_id_and_by_the_tool_s_own() -> None:
    ledger = ClueLedger()
    ids = ledger.add([LINE, heard("i can't believe you did this", (1.2, 2.8))])
    (one,) = ledger.clues(ids)
    assert ledger.named([one.id]) == (one,)
    assert ledger.as_observed([one.id]) == (LINE,)
    again = ClueLedger()  # as after a restart
    again.add([LINE, heard("i can't believe you did this", (1.2, 2.8))])
    assert again.named([one.id]) == (one,)


def test_sentences_name_what_is_written_and_what_is_heard() -> None:
    (one,) = shown(LINE, heard("i can't believe you did this", (1.2, 2.8)))
    assert quote(one).endswith("and the same words are heard.")
    assert quote(LINE) == 'In the text, the subtitle reads "I can\'t believe you did this!".'
    chinese = written("都不会改变的", (0.0, 1.0))
    assert phrase(chinese, "zh") == "文本中，字幕写着“都不会改变的”"  # noqa: RUF001


def test_a_long_text_of_no_time_does_not_swallow_what_is_heard() -> None:
    made = random.Random(3)
    letters = "etaoinshrdlu" * 4 + "cmwfgypbvkjxqz"
    long = " ".join("".join(made.choices(letters, k=made.randint(2, 9))) for _ in range(3_000))
    given = clue(f'The subtitle reads: "{long}".', None, GIVEN, data={"transcript": long})
    own = [
        heard("i am so angry at you leave me alone right now", (2.0, 5.0)),
        heard("we went to the market this morning", (6.0, 8.0)),
    ]
    left = shown(given, *own)
    assert len(left) == 3 and not any("words are heard at" in each.text for each in left)


def test_a_sentence_that_would_become_too_long_stays_as_it_was() -> None:
    words = ("ha " * 8_400)[: LONGEST_CLUE - 25]
    given = clue(f'The subtitle reads: "{words}".', None, GIVEN, data={"transcript": words})
    left = shown(given, heard("we went to the market this morning", (6.0, 8.0)))
    assert given.text in {each.text for each in left}
