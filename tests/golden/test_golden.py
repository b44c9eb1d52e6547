"""The golden files' own tool: what it makes alike, and what it reports as changed."""

from __future__ import annotations

import copy
import json
from typing import Any

import golden
import golden_outputs
import pytest

SMILE = {
    "id": "f0a1b2c3d",
    "modality": "face",
    "span": {"start": 1.0, "end": 2.0},
    "text": "The person smiles at 1.0-2.0 s.",
    "data": {"z": 7.9},
}
PAUSE = {
    "id": "a99887766",
    "modality": "audio",
    "span": {"start": 0.5, "end": 0.9},
    "text": "The person pauses at 0.5-0.9 s.",
    "data": {"z": 1.0},
}


def output(clues: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Return what a command printed that found these clues."""
    cited = [f"She smiles. [{SMILE['id']}, {PAUSE['id']}]", "run 20261129-224609-123456-ab12"]
    stdout = {
        "clues": clues,
        "labels": [{"clue_ids": [SMILE["id"]]}],
        "text": cited,
        "seconds": 1.5,
    }
    return {"command": "emer ask", "exit": 0, "stdout": stdout, "stderr": [], **more}


def test_ids_are_numbered_by_the_clues_times_and_alike_everywhere() -> None:
    stdout = golden_outputs.normalised([output([SMILE, PAUSE])])[0]["stdout"]
    assert [clue["id"] for clue in stdout["clues"]] == ["clue-2", "clue-1"]
    assert stdout["labels"] == [{"clue_ids": ["clue-2"]}]
    assert stdout["text"] == ["She smiles. [clue-2, clue-1]", "run run-1"]
    assert stdout["seconds"] == "<seconds>"


def test_other_ids_of_the_same_clues_are_no_difference() -> None:
    text = json.dumps([output([SMILE, PAUSE])])
    other = json.loads(text.replace(SMILE["id"], "fffffffff").replace("-ab12", "-cd34"))
    assert (
        golden.differences(
            golden_outputs.normalised(json.loads(text)), golden_outputs.normalised(other)
        )
        == []
    )


@pytest.mark.parametrize(
    ("line", "plain"),
    [
        ("stopped after 1 min 17 s: no question", "stopped after <seconds>: no question"),
        ("  ✓ face   mesh, 0.0-2.9 s  0.42 s", "  ✓ face  mesh, 0.0-2.9 s  <seconds>"),
        (" run-1  a.mp4  happy  finished  1.2 s", " run-1  a.mp4  happy  finished  <seconds>"),
        ("began  2026-11-29T22:50:05+00:00", "began  <moment>"),
        ("emer   0.1.0 (8f111842)", "emer  <version>"),
        ("smiles at 1.0-2.0 s", "smiles at 1.0-2.0 s"),
        ("no file <home>/x of /tmp/q", "no file <home>/x of <work>"),
    ],
)
def test_moments_durations_and_folders_are_replaced(line: str, plain: str) -> None:
    assert golden_outputs.plain_text(line, {}, {"/tmp/q": "<work>"}) == plain


def test_calls_stand_in_a_fixed_order_on_one_line_each() -> None:
    face = ["  · face  nothing: the clip has", "  no picture  0.1 s"]
    lines = ["round 1", "  ✓ scene  3 clues  1.0 s", *face]
    ordered = golden_outputs.ordered(golden_outputs.unwrapped(lines))
    assert "  · face  nothing: the clip has no picture  0.1 s" in ordered
    assert len(ordered) == 3
    assert golden_outputs.ordered([ordered[0], *reversed(ordered[1:])]) == ordered


def changed(**more: Any) -> list[str]:
    """Return the differences between an output and one with a changed smile or exit code."""
    smile = copy.deepcopy(SMILE)
    if "z" in more:
        smile["data"] = {"z": more.pop("z")}
    smile["text"] = more.pop("text", smile["text"])
    old = golden_outputs.normalised([output([SMILE, PAUSE])])
    return golden.differences(old, golden_outputs.normalised([output([smile, PAUSE], **more)]))


def test_a_sentence_a_number_and_an_exit_code_are_reported() -> None:
    assert any("grins" in line for line in changed(text="The person grins at 1.0-2.0 s."))
    assert any(line.startswith("+") and "7.91" in line for line in changed(z=7.91))
    assert '- "exit": 0,' in changed(exit=1) and '+ "exit": 1,' in changed(exit=1)
    assert changed(z=7.9 * (1 + 1e-9)) == []


def test_a_command_that_is_gone_or_new_is_reported() -> None:
    old, new = [output([SMILE])], [output([SMILE], command="emer dance")]
    assert golden.differences(old, new) == [
        "command is gone: emer ask",
        "command is new: emer dance",
    ]


def test_a_command_that_is_given_twice_is_compared_twice() -> None:
    first, second = output([PAUSE]), output([PAUSE], exit=2)
    old = golden_outputs.normalised([first, second])
    assert golden.differences(old, golden_outputs.normalised([first, second])) == []
    assert golden.differences(old, golden_outputs.normalised([first, first]))


def test_every_file_holds_the_commands_of_its_case() -> None:
    steps = {case.name: list(case.steps) for case in golden.read_cases()}
    files = sorted(golden.DATA.glob("*.json"))
    assert files
    for file in files:
        held = json.loads(file.read_text(encoding="utf-8"))
        assert [step["command"] for step in held] == steps[file.stem]


def test_a_file_reads_back_as_it_was_laid_out() -> None:
    value = {"b": [1, 2.5, None], "a": {"long": ["x" * 80, "y" * 80], "empty": []}}
    assert json.loads(golden.layout(value)) == value
