"""What a speaker's words carry: properties over frames, names, feelings and voices."""

# ruff: noqa: RUF001  (the full-width marks are Chinese punctuation and are meant)
from __future__ import annotations

import random
import re
from itertools import product

import pytest

from emer.agents.utterances import cues_of_words
from emer.agents.utterances.reader import IRONIC
from emer.agents.utterances.tables import FORMS, read_table, words
from emer.tools.cues import cue_names
from tests.agents.test_utterances import cues_in, feelings, stated
from tests.fixtures import clues as kit

DENIED_EN = ("I am not {}.", "I was never {}.", "I don't feel {} at all.", "We are no longer {}.",
             "I'm not so {}.", "I don't think I am {}.", "It doesn't make me {}.")  # fmt: skip
DENIED_ZH = (
    "我不{}。",
    "我没有{}。",
    "我一点也不{}",
    "我并不{}",
    "我从来不{}",
    "我绝不{}",
    "这没有让我{}",
)
OTHERS_EN = (
    "She is {}.", "He was so {}.", "They are very {}.", "My mother looks {}.", "You are {}.",
    "Are you {}?", "She says she is {}.", "He told me that he was {}.", "If I were {}.",
    "I want to be {}.", "I would be {}.", "When I am {} I sleep.",
)  # fmt: skip
OTHERS_ZH = (
    "她很{}。", "我妈妈非常{}", "他们特别{}", "你{}吗？", "他说他很{}", "如果我{}", "我会{}的",
    "你觉得我很{}", "我{}的时候",
)  # fmt: skip


@pytest.mark.parametrize(("frames", "language"), [(DENIED_EN, "en"), (DENIED_ZH, "zh")])
def test_a_denied_feeling_is_never_stated(frames: tuple[str, ...], language: str) -> None:
    plain = "I am so {}." if language == "en" else "我很{}。"
    known = feelings(language)
    assert len(known) > 20
    for frame, word in product(frames, known):
        own = {cue for cue in stated(plain.format(word)) if cue.startswith("said_")}
        assert own.isdisjoint(stated(frame.format(word))), frame.format(word)


@pytest.mark.parametrize(("frames", "language"), [(OTHERS_EN, "en"), (OTHERS_ZH, "zh")])
def test_a_feeling_of_others_or_supposed_is_not_the_speakers(
    frames: tuple[str, ...], language: str
) -> None:
    for frame, word in product(frames, feelings(language)):
        said = {cue for cue in stated(frame.format(word)) if cue.startswith("said_")}
        assert not said, frame.format(word)


NAMES = ("Joy", "Hope", "Grace", "Happy", "Merry", "Sunny", "Bliss", "Faith", "Felicity", "Rage")
NAMED = ("This is {}.", "I met {} in town.", "My name is {}.", "Mr. {} is here.", "I am {}.",
         "Mister {} sits there.", "He and {} went out.", "It was {} who rang.")  # fmt: skip
NAMED_ZH = ("我叫{}", "他名叫{}", "{}先生来了", "小{}在家", "她的名字叫{}")


def test_a_name_is_never_a_feeling() -> None:
    sentences = [frame.format(name) for frame, name in product(NAMED, NAMES)]
    sentences += [frame.format(word) for frame, word in product(NAMED_ZH, feelings("zh"))]
    assert {s: cues_in(s) for s in sentences if cues_in(s)} == {}


def test_the_other_language_in_a_sentence_is_read_alike() -> None:
    pairs = [
        ("angry", "生气"),
        ("happy", "开心"),
        ("sad", "难过"),
        ("tired", "疲惫"),
        ("scared", "害怕"),
    ]
    for english, chinese in pairs:
        one, other = stated(f"I am so {english}"), stated(f"我很{chinese}")
        for mixed in (f"我很{english}", f"我真的好{english}啊", f"I am so {chinese}"):
            assert stated(mixed) == one == other, mixed
        for denied in (f"我不{english}", f"I am not {chinese}", f"他很{english}"):
            assert not stated(denied), denied


def test_degrees_and_the_past_scale_a_feeling() -> None:
    def strength(sentence: str) -> float:
        return max(m.strength for m in cues_of_words(sentence) if m.cue.startswith("said_"))

    english = [strength(f"I {how} sad") for how in ("was", "am a bit", "am", "am very")]
    chinese = [strength(f"我{how}难过") for how in ("当时", "有点", "", "非常")]
    assert english == sorted(set(english)) and chinese == sorted(set(chinese))


def test_pleasant_words_beside_irony_stay_open() -> None:
    plain = {m.cue: m.strength for m in cues_of_words("Great job.")}
    ironic = {m.cue: m.strength for m in cues_of_words("Yeah, right, great job.")}
    assert ironic["praise"] == IRONIC * plain["praise"] and ironic["irony"] == 1.0


def test_words_without_meaning_for_us_carry_nothing() -> None:
    generator = random.Random(14)
    letters = "bcdfghjklmnpqrstvwxz"
    for _ in range(200):
        words_ = ("".join(generator.choices(letters, k=7)) for _ in range(6))
        assert cues_of_words(" ".join(words_)) == ()


def test_every_row_has_a_named_cue_and_a_form() -> None:
    table = read_table("words")
    assert len(words()) == len(table)
    assert {row["form"] for row in table} == set(FORMS)
    for row in table:
        assert row["cue"] in cue_names() and not re.search(row["pattern"], "")


LOUD_AND_HIGH = (
    kit.clue("audio", "The voice is much louder at 0.2-2.0 s (+7.0 dB).", (0.2, 2.0)),
    kit.clue("audio", "The pitch rises sharply at 0.2-2.0 s (+5.1 semitones).", (0.2, 2.0)),
)
APOLOGIES = ("I am so sorry!", "对不起，都是我的错。", "Please forgive me, it's all my fault.")


@pytest.mark.parametrize("words_", APOLOGIES)
def test_a_loud_high_voice_does_not_overrule_an_apology(words_: str) -> None:
    said = kit.clue("text", f'The person says: "{words_}"', (0.2, 2.0))
    labels = [label.name for label in kit.explain(said, *LOUD_AND_HIGH).labels]
    assert labels and "angry" not in labels
    assert {"embarrassed", "guilty", "worried"} & set(labels)


def test_an_aroused_voice_adds_to_what_the_words_speak_for() -> None:
    for words_, label in (("You liar!", "angry"), ("I am so happy!", "happy")):
        said = kit.clue("text", f'The person says: "{words_}"', (0.2, 2.0))
        assert kit.explain(said, *LOUD_AND_HIGH).labels[0].name == label
