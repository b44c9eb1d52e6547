"""The prompt files: loading, filling, digests."""

# ruff: noqa: RUF001  (the full-width marks are Chinese punctuation and are meant)

from __future__ import annotations

import hashlib

import pytest

from emer.prompts.prompt import FOLDER, digest, load, names, term, translated_reason


def test_a_prompt_is_filled_with_exactly_its_names() -> None:
    prompt = load("rules/en/video_first")
    assert prompt.substitute(clues="the person nods") == "In the video, the person nods."
    with pytest.raises(KeyError, match="missing \\['clues'\\]"):
        prompt.substitute()
    with pytest.raises(KeyError, match="unknown \\['clue'\\]"):
        prompt.substitute(clues="x", clue="y")


def test_values_are_put_in_as_they_are() -> None:
    assert "$clues $$ ${x}" in load("rules/en/video_first").substitute(clues="$clues $$ ${x}")


def test_an_unknown_prompt_is_refused_by_name() -> None:
    with pytest.raises(KeyError, match=r"rules/nothing.*rules/en/therefore"):
        load("rules/nothing")
    with pytest.raises(KeyError):
        load("../pyproject")


def test_every_prompt_has_words_and_a_digest_of_them() -> None:
    assert names()
    for name in names():
        text = (FOLDER / f"{name}.md").read_text(encoding="utf-8").strip()
        assert text
        assert digest(name) == hashlib.sha256(text.encode()).hexdigest()
        assert load(name).substitute(**dict.fromkeys(load(name).placeholders, "x"))


def test_the_rules_write_the_same_sentences_in_both_languages() -> None:
    """A Chinese sentence may leave out a value that is told by its words; it adds none."""
    of = {
        language: {
            name.rsplit("/", 1)[1] for name in names() if name.startswith(f"rules/{language}/")
        }
        for language in ("en", "zh")
    }
    assert of["en"] == of["zh"] != set()
    for name in of["en"] - {"answer_people_count"}:
        english, chinese = (load(f"rules/{language}/{name}") for language in ("en", "zh"))
        same = {n.casefold() for n in english.placeholders}
        assert {n.casefold() for n in chinese.placeholders} == same, name


def test_a_tools_reason_is_told_in_the_language_of_the_answer() -> None:
    why = "no face was found in the 12 frames looked at; other clues of it were found"
    assert translated_reason(why, "en") == why
    assert translated_reason(why, "zh") == "在查看的 12 帧中没有发现人脸；但有该方面的其他线索"
    assert translated_reason("a reason of a stranger", "zh") == "a reason of a stranger"
    assert (term("medium", "zh"), term("medium", "en")) == ("中等", "medium")
