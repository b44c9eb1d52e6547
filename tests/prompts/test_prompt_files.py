"""The prompt files: loading, filling, digests."""

from __future__ import annotations

import hashlib

import pytest

from emer.prompts.prompt import FOLDER, digest, load, names


def test_a_prompt_is_filled_with_exactly_its_names() -> None:
    prompt = load("rules/video_first")
    assert prompt.substitute(clues="the person nods") == "In the video, the person nods."
    with pytest.raises(KeyError, match="missing \\['clues'\\]"):
        prompt.substitute()
    with pytest.raises(KeyError, match="unknown \\['clue'\\]"):
        prompt.substitute(clues="x", clue="y")


def test_values_are_put_in_as_they_are() -> None:
    assert "$clues $$ ${x}" in load("rules/video_first").substitute(clues="$clues $$ ${x}")


def test_an_unknown_prompt_is_refused_by_name() -> None:
    with pytest.raises(KeyError, match=r"rules/nothing.*rules/therefore"):
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
