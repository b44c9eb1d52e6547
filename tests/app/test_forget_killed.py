"""`emer forget` killed at each of its steps: the home stays readable, a second one ends it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from emer.app.removal import remove, select
from emer.graphs.settings import load_settings
from tests.app.conftest import Emer
from tests.fixtures.command_line import swaps

pytestmark = pytest.mark.slow

WORDS = "the zebra sold my violin"
STEPS = {"unlink", "remove", "rename", "replace", "execute", "commit", "write", "truncate", "close"}


def steps(target: str, last: int | None) -> int:
    """Remove the target in a process that is killed before step `last`; the steps it began.

    A step is a call that can change a file. A process that is not killed has begun them all.
    """
    reads, writes = os.pipe()
    child = os.fork()
    if child:
        os.close(writes)
        with os.fdopen(reads, "rb") as pipe:
            begun = len(pipe.read())
        os.waitpid(child, 0)
        return begun
    count = 0

    def profile(_: Any, event: str, function: Any) -> None:
        nonlocal count
        if event != "c_call" or function.__name__ not in STEPS:
            return
        if isinstance(getattr(function, "__self__", None), str):  # a text's `replace`
            return
        if count == last:
            os.kill(os.getpid(), signal.SIGKILL)
        count += 1
        os.write(writes, b".")

    try:
        settings = load_settings()
        selection = select(settings, target, None)
        sys.setprofile(profile)
        remove(settings, selection)
    finally:
        sys.setprofile(None)
        os._exit(0)


def holding(home: Path, text: str) -> list[Path]:
    """Return the files under the home that hold a text."""
    files = (path for path in home.rglob("*") if path.is_file())
    return [path for path in files if text.encode() in path.read_bytes()]


@pytest.fixture
def told(ask: Emer, emer: Emer) -> tuple[Path, str]:
    """Return a home with three runs of a thread and an exemplar, and the id of the first run."""
    ids = []
    for question in ("Is she happy, zebra here?", "Is she sad, owl here?", "Why?"):
        given = ("--subtitle", WORDS, "--thread", "talk", "--json")
        done = ask(question, *given, tools=("face=Smile", "prosody=none", "scene=none"))
        ids.append(json.loads(done.stdout)["run_id"])
    assert emer("memory", "add", ids[0]).exit_code == 0
    return Path(os.environ["EMER_HOME"]), ids[0]


@pytest.mark.parametrize("what", ["run", "clip"])
def test_a_killed_forget_leaves_a_home_that_can_be_read_and_forgotten(
    told: tuple[Path, str], clip: Path, emer: Emer, tmp_path: Path, what: str
) -> None:
    home, run = told
    target, gone = (run, "zebra here") if what == "run" else (str(clip), WORDS)
    before = tmp_path / "before"
    shutil.copytree(home, before)
    count = steps(target, None)
    assert count > 20 and holding(home, gone) == []
    for step in range(count):
        shutil.rmtree(home)
        shutil.copytree(before, home)
        assert steps(target, step) == step, "it was killed"
        listed = emer("trace", "list", "--json")
        assert listed.exit_code == 0, f"step {step}: {listed.stderr}"
        for card in json.loads(listed.stdout):
            shown = emer("trace", "show", card["run_id"])
            assert shown.exit_code == 0, f"step {step}: {shown.stderr}"
        again = emer("forget", target, "--yes")
        assert again.exit_code == 0 or "nothing is stored of" in again.stderr, again.output
        assert holding(home, gone) == [], f"step {step}"
        assert holding(home, f'"run_id":"{run}"') == [], f"step {step}"


def test_a_file_that_a_killed_command_left_half_written_is_removed_with_any(
    told: tuple[Path, str], emer: Emer
) -> None:
    home, run = told
    unfinished = ("traces/.a.jsonl.part", "memory/exemplars/.x1.json-abc")
    for name in unfinished:
        (home / name).write_text("a panda")
    (home / "traces" / "notes.txt").write_text("of the user")
    done = emer("forget", run, "--yes", "--json")
    parts = {part["name"]: part["count"] for part in json.loads(done.stdout)["parts"]}
    assert parts["broken stores and unfinished files"] == 2 and holding(home, "a panda") == []
    assert holding(home, "of the user") == [home / "traces" / "notes.txt"]


def test_a_thread_goes_on_after_a_killed_forget(
    told: tuple[Path, str], clip: Path, emer: Emer, tmp_path: Path
) -> None:
    home, run = told
    before = tmp_path / "before"
    shutil.copytree(home, before)
    for step in range(0, steps(run, None), 7):
        shutil.rmtree(home)
        shutil.copytree(before, home)
        steps(run, step)
        words = swaps("face=Smile", "prosody=none", "scene=none", "speech=none")
        done = emer("ask", clip, "And now?", "--thread", "talk", "--json", *words)
        assert done.exit_code == 0, f"step {step}: {done.stderr}"
