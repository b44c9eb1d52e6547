"""The facts of the catalogue: whole, unlike one another, and what the libraries say, too."""

from __future__ import annotations

import re

import pytest

from emer.tools.errors import ConfigError
from emer.tools.weights.catalogue import Weights, catalogue, is_repository, named, of_tool

PINNED = [weights for weights in catalogue() if weights.repository is not None]


@pytest.mark.parametrize("weights", catalogue(), ids=lambda weights: weights.name)
def test_every_fact_has_its_form(weights):
    shas = [sha for sha in (weights.sha256, *weights.sha256s.values()) if sha]
    assert all(re.fullmatch(r"[0-9a-f]{64}", sha) for sha in shas)
    assert weights.licence and weights.facts and weights.megabytes
    assert (weights.url or "https://").startswith("https://")
    assert weights.pull == f"emer models pull {weights.name}"
    if not shas:
        assert "no published sha256" in weights.facts


@pytest.mark.parametrize("weights", PINNED, ids=lambda weights: weights.name)
def test_every_repository_is_pinned(weights):
    assert re.fullmatch(r"[0-9a-f]{40}", weights.revision or "")
    assert is_repository(weights.repository or "") and weights.files


def test_no_two_mean_the_same():
    choices = [(w.tool, name) for w in catalogue() for name in (w.model, *w.aliases)]
    assert len({*choices}) == len(choices)
    names = [w.name for w in catalogue()]
    assert len({*names}) == len(names)
    checks = [sha for w in catalogue() for sha in (w.sha256, *w.sha256s.values()) if sha]
    assert len({*checks}) == len(checks)


def test_each_tool_suggests_one():
    for tool in {weights.tool for weights in catalogue()}:
        assert sum(weights.suggested for weights in of_tool(tool)) == 1, tool


@pytest.mark.slow
def test_the_whisper_rows_are_what_openai_whisper_lists():
    pytest.importorskip("whisper", reason="openai-whisper is not installed")
    import whisper

    for weights in of_tool("whisper"):
        for name in (weights.model, *weights.aliases):
            assert whisper._MODELS[name] == weights.url
        assert f"/{weights.sha256}/" in (weights.url or "")


@pytest.mark.slow
def test_the_faster_whisper_rows_are_what_it_lists():
    pytest.importorskip("faster_whisper", reason="faster-whisper is not installed")
    from faster_whisper import utils

    for weights in of_tool("faster-whisper"):
        for name in (weights.model, *weights.aliases):
            assert utils._MODELS[name] == weights.repository


def test_a_repository_may_be_named_with_a_revision():
    assert named("org/some.model-1@abc").revision == "abc"
    assert named("Systran/faster-whisper-tiny").name == "faster-whisper-tiny"
    assert named("Systran/faster-whisper-tiny@main").revision == "main"
    with pytest.raises(ConfigError, match="there are no weights 'whisper-huge'; known: whisper-"):
        named("whisper-huge")
    for odd in ("../x", "a/../b", "/a", "a/", "a/b/c", "a b/c", ".a/b"):
        assert not is_repository(odd)


def test_a_row_needs_one_origin():
    facts = {"name": "x", "tool": "y", "model": "z", "licence": "MIT", "facts": "none"}
    with pytest.raises(ValueError, match="either a url or a repository"):
        Weights.model_validate(facts)
    with pytest.raises(ValueError, match="needs a path"):
        Weights.model_validate({**facts, "url": "https://x"})
