"""`emer ask --review` and `emer review`: on a terminal, in a pipe, days later."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from emer.agents.clue_edits import Edits
from emer.graphs.trace.jsonl import read_trace
from tests.fixtures.command_line import FAKES, environment, swaps
from tests.fixtures.paths import MODULES

Process = "subprocess.Popen[bytes]"

SMILE = "The person smiles clearly at 0.2-0.8 s."
LOUD = "The voice is louder at 0.1-0.9 s."


@pytest.fixture
def paused(ask):
    """Return what `emer ask --review --json` says."""
    return json.loads(ask("--review", "--json").stdout)


def trace():
    """Return the only trace there is."""
    (path,) = (Path(os.environ["EMER_HOME"]) / "traces").iterdir()
    return read_trace(path)


def clue(record, text):
    return next(c["id"] for c in record["clues"] if c["text"] == text)


def texts(record):
    return {c["text"] for c in record["clues"]}


def test_without_a_terminal_the_paused_run_is_shown_with_how_to_go_on(ask):
    done = ask("--review")
    assert done.exit_code == 0
    assert SMILE in done.stdout and LOUD in done.stdout and "Labels" not in done.stdout
    assert f"emer review {trace().header.run_id} --accept" in done.stdout


def test_json_of_a_paused_run_says_the_same(paused, emer):
    assert paused["paused"] and texts(paused) == {SMILE, LOUD}
    assert paused["next"][0] == f"emer review {paused['run_id']} --accept"
    assert json.loads(emer("review", "--json").stdout) == paused
    assert SMILE in emer("review", paused["run_id"]).stdout


def test_another_process_takes_it_up(spawn, clip):
    begun = spawn("ask", clip, *swaps(*FAKES), "--review", "--json")
    record = json.loads(begun.stdout)
    done = spawn("review", record["run_id"], "--reject", clue(record, SMILE), "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert texts(answer) == {LOUD} and answer["run_id"] == record["run_id"]
    assert answer["question"] == record["question"] and answer["clip"] == record["clip"]


def test_edits_in_words(paused, emer):
    smile, loud = clue(paused, SMILE), clue(paused, LOUD)
    done = emer(
        "review", paused["run_id"], "--edit", f"{smile}=The person grins. @0.1-0.5",
        "--edit", f"{loud}=@0.2 - 0.4 s", "--add", "Face: The person cries. @0.3-0.6", "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    made = {c["text"]: (c["span"], c["data"]) for c in json.loads(done.stdout)["clues"]}
    assert made == {
        "The person grins.": ({"start": 0.1, "end": 0.5}, {"revises": smile}),
        LOUD: ({"start": 0.2, "end": 0.4}, {"revises": loud}),
        "The person cries.": ({"start": 0.3, "end": 0.6}, {}),
    }


def test_edits_in_a_file_and_in_words_go_together(paused, emer, tmp_path):
    file = tmp_path / "edits.json"
    added = {"modality": "audio", "text": "She laughs.", "span": [0.1, 0.4], "quality": 0.5}
    file.write_text(json.dumps({"reject": [clue(paused, SMILE)], "add": [added]}))
    done = emer("review", "--file", file, "--reject", clue(paused, LOUD), "--json")
    (only,) = json.loads(done.stdout)["clues"]
    assert (only["text"], only["quality"]["score"]) == ("She laughs.", 0.5)


def test_accept_explains_and_the_trace_shows_the_review(paused, emer):
    done = emer("review", "--accept")
    assert done.exit_code == 0 and "Labels" in done.stdout
    assert "all accepted as they are" in emer("trace", "show").stdout
    assert emer("review", "--accept").exit_code == 2


def test_the_trace_shows_what_a_person_changed(paused, emer):
    smile = clue(paused, SMILE)
    assert "it waits for: emer review" in emer("trace", "show").stdout
    emer("review", "--edit", f"{smile}=The person grins.", "--reject", clue(paused, LOUD))
    shown = emer("trace", "show").stdout
    assert f"- {clue(paused, LOUD)}  rejected" in shown
    assert f"instead of {smile}: 0.2-0.8 s  The person grins." in shown
    assert "reviewer" in shown.split("what is displayed")[1]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("--reject f00000000", "no clue 'f00000000'"),
        ("--edit f00000000", "ID=TEXT"),
        ("--edit f00000000=", "ID=TEXT"),
        ("--add laughs", "MODALITY: TEXT"),
        ("--add smell:smoke", "known: face, scene, audio, text"),
        ("--add face:", "MODALITY: TEXT"),
        ("--add face:She_laughs.@0.9-0.1", "ends before it starts"),
        ("--add face:She_laughs.@5-9", "lasts 1 s"),
        ("--file nowhere.json", "nowhere.json"),
        ("--clip nowhere.mp4 --accept", "nowhere.mp4"),
    ],
)
def test_bad_input_is_one_line_and_the_run_goes_on_waiting(paused, emer, words, named):
    done = emer("review", paused["run_id"], *words.split())
    assert done.exit_code == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and named in done.stderr
    assert trace().events[-1].event == "paused"


@pytest.mark.parametrize(
    "text", ["[]", "3", "{", '{"reject": "x"}', '{"add": [{"modality": "x"}]}']
)
def test_a_file_without_edits_is_named(paused, emer, tmp_path, text):
    file = tmp_path / "edits.json"
    file.write_text(text)
    done = emer("review", "--file", file)
    assert done.exit_code == 2 and "edits.json holds no edits: " in done.stderr
    assert ": :" not in done.stderr and done.stderr.count("\n") == 1


def test_a_changed_clip_is_one_line(paused, emer, clip):
    clip.write_bytes(clip.read_bytes() + b"x")
    done = emer("review", "--accept")
    assert done.exit_code == 2 and "has changed since run" in done.stderr


def at_terminal(lines: str, *words: object) -> tuple[int, str]:
    """Run `emer` at a terminal, type a line at each prompt; return the code and the screen."""
    screen, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "emer.app", *(str(word) for word in words)],
        stdin=theirs, stdout=theirs, stderr=theirs, cwd=MODULES,
        env=environment(TERM="xterm", COLUMNS="120"),
    )  # fmt: skip
    os.close(theirs)
    try:
        return _typed(process, screen, iter(lines.split("|")))
    finally:
        process.kill()
        process.wait()
        os.close(screen)


def _typed(process: Process, screen: int, typed: Iterator[str]) -> tuple[int, str]:
    seen = asked = ""
    while piece := _read(screen):
        seen += piece
        asked += piece
        if asked.rstrip().endswith((">", "is):", "throughout):", "sentence:", "text:")):
            asked = ""
            word = next(typed, "^D")
            if word == "^C":
                process.send_signal(signal.SIGINT)
            else:
                os.write(screen, b"\x04" if word == "^D" else f"{word}\n".encode())
    return process.wait(60), seen


def _read(screen: int) -> str:
    try:
        return os.read(screen, 65_536).decode(errors="replace")
    except OSError:  # the process has ended
        return ""


@pytest.mark.slow
def test_at_a_terminal_it_asks_and_then_explains(clip):
    typed = "dance|reject 1 9|reject 1|edit 2|The person grins.|0.1-0.5|add|face|She cries.||go"
    code, screen = at_terminal(typed, "ask", clip, *swaps(*FAKES), "--review")
    assert code == 0
    assert "'dance' is no command" in screen and "no clue '9'" in screen
    assert "Labels" in screen
    assert {c.text for c in trace().clues} == {"The person grins.", "She cries."}


@pytest.mark.slow
@pytest.mark.parametrize(("leave", "code"), [("^D", 0), ("^C", 130), ("quit", 0)])
def test_leaving_keeps_the_edits(clip, leave, code):
    words = ("ask", clip, *swaps(*FAKES), "--review")
    left, screen = at_terminal(f"reject 1|{leave}", *words)
    assert left == code and f"emer review {trace().header.run_id}" in screen
    waits = trace()
    assert waits.events[-1].event == "paused" and len(waits.edits.reject) == 1
    back, screen = at_terminal("keep 1|reject 2|go", "review")
    assert back == 0 and "rejected" in screen
    assert [c.text for c in trace().clues] == [LOUD]


@pytest.mark.slow
def test_leaving_at_once_changes_nothing(paused):
    path = next((Path(os.environ["EMER_HOME"]) / "traces").iterdir())
    before = path.read_bytes()
    code, _ = at_terminal("^D", "review")
    assert code == 0 and path.read_bytes() == before
    assert trace().edits == Edits()
