"""The JSON Schema of `emer ask --json`, and that what is printed is valid by it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from emer.graphs.answer import answer_schema
from tests.app.conftest import Emer
from tests.fixtures.paths import ROOT

PUBLISHED: dict[str, Any] = json.loads((ROOT / "docs" / "answer.schema.json").read_text("utf-8"))


def check(printed: str) -> Any:
    """Return the printed JSON after it was checked by the published schema."""
    value = json.loads(printed)
    Draft202012Validator(PUBLISHED).validate(value)
    return value


def test_the_published_schema_is_that_of_the_program(emer: Emer) -> None:
    """Write it anew with docs/generate.py."""
    Draft202012Validator.check_schema(PUBLISHED)
    assert answer_schema() == PUBLISHED == json.loads(emer("ask", "--json-schema").stdout)


@pytest.mark.parametrize(
    ("words", "declined"),
    [((), False), (("Is she depressed?",), True), (("她高兴吗？",), False)],  # noqa: RUF001
)
def test_an_answer_is_valid(ask: Emer, words: tuple[str, ...], declined: bool) -> None:
    record = check(ask(*words, "--json").stdout)
    assert record["schema_version"] == 1 and bool(record["explanation"]["declined"]) is declined
    assert record["answer"] and record["text"].startswith(record["answer"])


def test_markers_name_the_cited_clues(ask: Emer) -> None:
    record = check(ask("--json").stdout)
    known = {clue["id"] for clue in record["clues"]}
    assert record["markers"] and set(record["markers"]) <= known
    assert all(f"{marker}" in record["text"] for marker in record["markers"].values())


def test_a_paused_and_a_reviewed_run_are_valid(ask: Emer, emer: Emer) -> None:
    paused = check(ask("--review", "--json").stdout)
    assert paused["paused"] is True and paused["next"]
    assert check(emer("review", paused["run_id"], "--accept", "--json").stdout)["answer"]


def test_a_list_is_valid_with_the_failures_in_it(ask: Emer, tmp_path: Any) -> None:
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(b"no video" * 100)
    first, second = check(ask(damaged, "--json").stdout)
    assert first["answer"] and "cannot be read" in second["error"]


def test_what_is_no_answer_is_refused() -> None:
    with pytest.raises(ValidationError):
        Draft202012Validator(PUBLISHED).validate({"file": "a.mp4"})
