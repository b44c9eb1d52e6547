"""Names and words in any encoding: file names that are not UTF-8, and output that is ASCII."""

from __future__ import annotations

import json
import os
import shutil
import stat
from pathlib import Path

import pytest

from tests.fixtures.command_line import FAKES, environment, swaps

NAMES = {
    "latin-1": b"caf\xe9 \xff.wav",
    "255 bytes": b"a" * 251 + b".wav",
    "255 bytes and a short suffix": b"b" * 252 + b".au",
    "255 bytes of UTF-8": "é".encode() * 125 + b"x.wav",
    "a line and a colour": b"a\n\x1b[31mb.wav",
}


@pytest.fixture(params=NAMES.values(), ids=NAMES)
def odd(request, clip) -> str:
    """Return the path of the silent clip under an odd name."""
    path = os.fsdecode(os.path.join(os.fsencode(clip.parent), request.param))
    shutil.copy(clip, path)
    return path


@pytest.mark.slow
def test_an_odd_name_is_asked_listed_shown_reviewed_and_forgotten(emer, odd):
    words = [*swaps(*FAKES), "--thread", "caf\udce9", "--json"]
    paused = emer("ask", odd, "Is she happy, \udce9?", *words, "--review")
    assert paused.exit_code == 0, paused.stderr
    run = json.loads(paused.stdout)["run_id"]
    for command in (("list",), ("list", "--json"), ("show", run), ("show", run, "--json")):
        shown = emer("trace", *command)
        assert shown.exit_code == 0, shown.stderr
        shown.stdout.encode("utf-8")
    done = emer("review", run, "--accept", "--json")
    assert done.exit_code == 0, done.stderr
    for words in (
        ["trace", "diff", run, run],
        ["trace", "whatif", run, "--without", "face"],
        ["memory", "add", run],
    ):
        assert emer(*words).exit_code == 0
    assert emer("forget", odd, "--yes").exit_code == 0
    assert json.loads(emer("trace", "list", "--json").stdout) == []


def test_a_home_whose_name_is_odd(ask, emer, tmp_path, monkeypatch):
    monkeypatch.setenv("EMER_HOME", os.fsdecode(bytes(tmp_path) + b"/caf\xe9"))
    asked = ask("--json")
    assert asked.exit_code == 0 and json.loads(asked.stdout)["notes"] == []
    assert emer("trace", "show", "last").exit_code == 0
    assert emer("forget", "last", "--yes").exit_code == 0


def test_what_is_wrong_with_an_odd_name_is_one_line(emer, tmp_path):
    missing = emer("ask", os.fsdecode(bytes(tmp_path) + b"/caf\xe9.mp4"))
    assert missing.exit_code == 2 and r"caf\xe9.mp4" in missing.stderr
    too_long = emer("ask", "x" * 300 + ".mp4")
    assert too_long.exit_code == 2 and too_long.stderr.count("\n") == 1
    for command in (("trace", "show"), ("forget",), ("review",)):
        done = emer(*command, "x" * 300 + ".jsonl")
        assert done.exit_code == 2 and done.stderr.count("\n") == 1


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252:strict"])
def test_every_encoding_of_the_output_can_print(spawn, clip, encoding):
    env = environment(PYTHONIOENCODING=encoding)
    question = "她的声音呢 \U0001f600 é"
    done = spawn("ask", clip, question, *swaps(*FAKES), "--json", env=env, encoding="latin-1")
    assert done.returncode == 0, done.stderr
    output = json.loads(done.stdout.encode("latin-1").decode(encoding.partition(":")[0]))
    assert output["question"] == question
    for words in (("trace", "list"), ("trace", "show", "last"), ("tools", "list"), ("--help",)):
        done = spawn(*words, env=env, encoding="latin-1")
        assert done.returncode == 0, done.stderr
    missing = spawn("ask", "é她.mp4", env=env, encoding="latin-1")
    assert missing.returncode == 2 and missing.stderr.count("\n") == 1


def test_all_that_a_run_leaves_is_private(spawn, clip):
    home = Path(os.environ["EMER_HOME"])
    done = spawn("ask", clip, *swaps(*FAKES), "--review", umask=0)
    assert done.returncode == 0, done.stderr
    modes = {stat.S_IMODE(p.stat().st_mode) & 0o077 for p in (home, *home.rglob("*"))}
    assert modes == {0}
