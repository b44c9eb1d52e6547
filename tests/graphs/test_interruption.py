"""Killed, interrupted and disk-less runs: the store stays sound and the next run goes on."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emer.graphs.ask import ask
from emer.graphs.trace.jsonl import read_trace
from tests.fixtures.graph_runs import events, fakes
from tests.fixtures.paths import ROOT, python_path

pytestmark = pytest.mark.slow

Start = Callable[..., "subprocess.Popen[str]"]

SCRIPT = """
import os, sys
from emer.graphs.ask import ask
from tests.fixtures.graph_runs import fakes
{before}
def heard(event):
    print(event.event, flush=True)
answer = ask(sys.argv[1], settings=fakes({slots}).model_copy(update={change}), listener=heard)
print("notes", answer.notes, len(answer.clues), flush=True)
"""


@pytest.fixture
def start(clip_path: Path) -> Iterator[Start]:
    """Give a function that starts a run in a process of its own."""
    started: list[subprocess.Popen[str]] = []

    def start(slots: str, change: str = "{}", before: str = "") -> subprocess.Popen[str]:
        script = SCRIPT.format(slots=slots, change=change, before=textwrap.dedent(before))
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(clip_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": python_path(ROOT)},
            cwd=clip_path.parent,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def traces(home: Path) -> list[Path]:
    """Return the traces in the order they were begun."""
    return sorted((home / "traces").glob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns)


def home() -> Path:
    """Return this test's EMER_HOME."""
    return Path(os.environ["EMER_HOME"])


def is_sound(path: Path) -> bool:
    """Tell whether SQLite finds nothing wrong with the file."""
    with sqlite3.connect(path) as connection:
        return connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def wait_for(process: subprocess.Popen[str], line: str) -> None:
    """Read what the run says until it says `line`."""
    assert process.stdout is not None
    for printed in process.stdout:
        if printed.strip() == line:
            return
    raise AssertionError(
        f"the run ended without {line!r}: {process.stderr and process.stderr.read()}"
    )


def test_a_killed_run_leaves_a_readable_trace_and_the_next_resumes(start, clip_path):
    process = start('face="Smile", scene="Hang"')
    wait_for(process, "tool_finished")
    process.kill()
    process.communicate(timeout=60)
    (path,) = traces(home())
    trace = read_trace(path)
    assert trace.finished is None and len(trace.clues) == 1
    assert is_sound(home() / "evidence.sqlite")
    answer = ask(clip_path, settings=fakes(face="Smile", scene="Dark"))
    assert [event.slot for event in events(answer, "tool_started") if event.cached] == ["face"]


def test_ctrl_c_is_traced_and_the_process_ends(start, clip_path):
    process = start('face="Smile", scene="Hang"')
    wait_for(process, "tool_finished")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert "KeyboardInterrupt" in errors and process.returncode != 0
    (path,) = traces(home())
    assert read_trace(path).events[-1].event == "interrupted"
    assert is_sound(home() / "evidence.sqlite") and is_sound(home() / "threads.sqlite")
    answer = ask(clip_path, settings=fakes(face="Smile"))
    assert events(answer, "tool_started")[0].cached


def test_ctrl_c_while_the_run_starts_is_traced(run, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("emer.graphs.session.start_daemon", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(face="Smile")
    (path,) = traces(home())
    assert read_trace(path).events[-1].event == "interrupted"


def test_a_thread_goes_on_after_an_interrupted_run(run):
    with pytest.raises(KeyboardInterrupt):
        run(face="Smile", scene="Interrupting", ask_with={"thread": "talk"})
    after = run(prosody="Loud", ask_with={"thread": "talk"})
    assert after.history == () and [c.source.tool for c in after.clues] == ["loud"]


def test_a_hanging_tool_does_not_keep_the_process(start):
    process = start('face="Smile", scene="Hang"', change='{"tool_seconds": 0.2}')
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "tool_failed" in output and output.splitlines()[-1].endswith("1")


def test_a_full_disk_is_told_and_the_answer_comes(start):
    """No file of the process may grow beyond 40 KB, which is what a full disk looks like."""
    before = """
        import resource, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_960, 40_960))
    """
    process = start('face="Many", prosody="Loud"', before=before)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    last = output.splitlines()[-1]
    assert "evidence" in last and "trace ends early" in last and last.endswith("201")
    (path,) = traces(home())
    assert read_trace(path).header.clip.name == "silence.wav"


def test_a_home_that_cannot_be_written_is_told_once(run, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("EMER_HOME", str(tmp_path / "file" / "home"))
    answer = run(face="Smile")
    assert answer.clues and answer.trace_path is None
    assert len([note for note in answer.notes if "evidence" in note]) == 1
    assert any("trace" in note for note in answer.notes)
    assert any("thread" in note for note in answer.notes)


def test_a_broken_store_is_moved_aside(run):
    run(face="Smile")
    store = home() / "evidence.sqlite"
    for end in ("-wal", "-shm"):
        Path(f"{store}{end}").unlink(missing_ok=True)
    store.write_bytes(b"this is no database, whatever its name says" * 100)
    answer = run(face="Smile")
    assert any("moved to" in note for note in answer.notes)
    assert not events(answer, "tool_started")[0].cached
    assert events(run(face="Smile"), "tool_started")[0].cached
    assert list(home().glob("evidence.sqlite.broken-*"))


def test_several_processes_share_the_store(start, clip_path):
    processes = [start('face="Many", prosody="Loud"') for _ in range(3)]
    for process in processes:
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        assert output.splitlines()[-1] == "notes () 201"
    assert is_sound(home() / "evidence.sqlite") and is_sound(home() / "threads.sqlite")
    answer = ask(clip_path, settings=fakes(face="Many", prosody="Loud"))
    assert all(event.cached for event in events(answer, "tool_started"))


def test_state_is_small_and_plain_whatever_the_tools_bring(run):
    """A checkpoint holds ids and small records, at most 64 KB, and no class of ours."""
    for _ in range(12):
        run("Asking", face="Many", prosody="Loud", scene="Crash", ask_with={"thread": "talk"})
    with sqlite3.connect(home() / "threads.sqlite") as connection:
        blobs = [row[0] for row in connection.execute("SELECT checkpoint FROM checkpoints")]
    assert max(len(blob) for blob in blobs) <= 64 * 1024
    assert not any(b"emer." in blob for blob in blobs)
