"""`emer forget`: what is stored of a run or a clip is gone, from every file under the home."""

from __future__ import annotations

import json
import os
import pty
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from emer.graphs.trace.jsonl import TraceWriter, read_trace
from emer.tools.evidence_store import EvidenceStore
from emer.tools.types import Observation
from tests.fixtures.clips import Written, tone, write_clip
from tests.fixtures.command_line import environment
from tests.fixtures.paths import MODULES

WORDS = "the zebra sold my violin"
HEARD = ("face=Smile", "prosody=none", "scene=none")


@pytest.fixture
def tell(ask):
    """Return a function that asks about the clip, whose words are `WORDS`."""

    def tell(*words: str, subtitle: str = WORDS) -> dict:
        done = ask("--json", "--subtitle", subtitle, *words, tools=HEARD)
        assert done.exit_code == 0, done.stderr
        return json.loads(done.stdout)

    return tell


def home() -> Path:
    return Path(os.environ["EMER_HOME"])


def holding(*texts: str) -> list[str]:
    """Return the files under the home that hold one of the texts, journals included."""
    files = [path for path in home().rglob("*") if path.is_file()]
    return [
        path.relative_to(home()).as_posix()
        for path in files
        if any(text.encode() in path.read_bytes() for text in texts)
    ]


def counts(done) -> dict[str, int]:
    """Return the numbers of what was removed, by kind."""
    assert done.exit_code == 0, done.stderr
    return {part["name"]: part["count"] for part in json.loads(done.stdout)["parts"]}


def test_the_words_of_a_clip_are_in_no_file_afterwards(tell, emer, clip):
    run = tell("--thread", "talk", "Is she happy about the zebra?")
    assert emer("memory", "add", run["run_id"]).exit_code == 0
    tell("--thread", "talk", "And the violin?")
    held = holding(WORDS, "the zebra")
    assert {"evidence.sqlite", "threads.sqlite"} <= {re.sub("-wal$", "", name) for name in held}
    assert any(name.startswith("traces/") for name in held)
    shown = counts(emer("forget", clip, "--dry-run", "--json"))
    assert holding(WORDS, "the zebra") == held
    removed = counts(emer("forget", clip, "--yes", "--json"))
    assert removed == shown
    assert removed["traces"] == 2 and removed["states of threads"] == 2
    assert removed["observations"] >= 2 and removed["exemplars"] == 1
    assert holding(WORDS, "the zebra", "the violin", run["run_id"], clip.name) == []
    again = emer("forget", clip, "--yes")
    assert again.exit_code == 2 and "nothing is stored of" in again.stderr


def test_a_clip_that_is_gone_is_named_by_its_path_or_hash(tell, emer, clip):
    sha256 = tell()["clip"]["sha256"]
    tell()
    clip.unlink()
    assert counts(emer("forget", sha256[:16], "--dry-run", "--json"))["traces"] == 2
    assert counts(emer("forget", clip, "--yes", "--json"))["traces"] == 2


def test_other_clips_stay(tell, emer, clip, tmp_path):
    tell()
    other = write_clip(tmp_path / "other.wav", Written(sound=tone(330, 1.0)))
    words = ["--tool", "face=cli_tools:Smile", "--subtitle", "an owl hums", "--thread", "other"]
    assert (
        emer("ask", other, *words, "--tool", "scene=none", "--tool", "prosody=none").exit_code == 0
    )
    assert emer("forget", clip, "--yes").exit_code == 0
    assert holding(WORDS) == [] and len(holding("an owl hums")) >= 2
    assert len(json.loads(emer("trace", "list", "--json").stdout)) == 1


def test_a_thread_forgets_the_turn_of_a_run_and_goes_on(tell, emer):
    first = tell("--thread", "talk", "Is a zebra here?", subtitle="no word of it")
    second = tell("--thread", "talk", "Is an owl here?", subtitle="no word of it")
    done = emer("forget", first["run_id"], "--yes", "--json")
    assert counts(done)["turns in later runs"] == 1
    assert any(second["run_id"] in text for text in json.loads(done.stdout)["remains"])
    assert holding("Is a zebra here?", first["run_id"]) == []
    third = tell("--thread", "talk", "And now?", subtitle="no word of it")
    started = read_trace(Path(third["trace"])).started
    assert [turn.question for turn in started.history] == ["Is an owl here?"]
    assert emer("trace", "show", second["run_id"]).exit_code == 0


def test_a_paused_run_outlives_another_run_of_its_thread(tell, emer, ask):
    first = tell("--thread", "talk", "Is a zebra here?")
    paused = tell("--thread", "talk", "--review")
    assert emer("forget", first["run_id"], "--yes").exit_code == 0
    done = emer("review", paused["run_id"], "--accept", "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["run_id"] == paused["run_id"]


def test_runs_of_an_age(tell, emer):
    old, new = tell("--thread", "old"), tell("--thread", "new", subtitle="an owl hums")
    path = Path(old["trace"])
    text = re.sub(r'"started":"[^"]*"', '"started":"2001-01-01T00:00:00+00:00"', path.read_text())
    path.write_text(text)
    assert emer("forget", "--older-than", "30d", "--yes").exit_code == 0
    (card,) = json.loads(emer("trace", "list", "--json").stdout)
    assert card["run_id"] == new["run_id"]
    with closing(sqlite3.connect(home() / "threads.sqlite")) as threads:
        assert {name for (name,) in threads.execute("SELECT thread_id FROM checkpoints")} == {"new"}
    done = emer("forget", "--older-than", "30d")
    assert done.exit_code == 0 and "Nothing" in done.stdout


def test_rows_of_an_older_version_are_removed_with_any(tell, emer):
    run = tell()
    with closing(EvidenceStore(home() / "evidence.sqlite")) as store:
        store.put("old", Observation(tool="fake", modality="text", missing="a rhino"))
    with closing(sqlite3.connect(home() / "evidence.sqlite")) as store, store:
        store.execute("DROP TABLE origin")  # as that version wrote it
    removed = counts(emer("forget", run["run_id"], "--yes", "--json"))
    assert removed["observations of older versions"] >= 2
    assert holding("a rhino", WORDS) == []


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["nosuch"], "no run is called 'nosuch'"),
        (["20200101-000000-000000-abcd"], "nothing is stored of 20200101-000000-000000-abcd"),
        ([], "name a run or a clip"),
        (["last", "--older-than", "3d"], "name a run or a clip"),
        (["--older-than", "soon"], "write a number and h, d or w"),
        (["last"], "add --yes"),
        (["last", "--json"], "add --yes"),
        (["pyproject.jsonl"], "no run is called"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_removes_nothing(tell, emer, words, named):
    tell()
    before = holding(WORDS)
    done = emer("forget", *words)
    assert done.exit_code == 2 and named in done.stderr and done.stderr.count("\n") == 1
    assert holding(WORDS) == before


def test_a_run_at_work_is_left_alone(tell, emer):
    run = tell()
    path = Path(run["trace"])
    writer = TraceWriter.reopen(path, 0.0)
    done = emer("forget", "last", "--yes")
    assert done.exit_code == 2 and "at work in another process" in done.stderr
    writer.close()
    begun = TraceWriter(path.with_name("99990101-000000-000000-abcd.jsonl"))
    begun.write(read_trace(path).header)
    done = emer("forget", run["clip"]["path"], "--yes")
    assert done.exit_code == 2 and "at work in another process" in done.stderr
    begun.close()
    assert emer("forget", run["clip"]["path"], "--yes").exit_code == 0


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "left"), [(b"n\n", 1), (b"y\n", 0), (b"\x03", 1)])
def test_a_terminal_is_asked(tell, answer, left):
    tell()
    ours, theirs = pty.openpty()
    line = [sys.executable, "-m", "emer.app", "forget", "last"]
    with subprocess.Popen(
        line, stdin=theirs, stdout=theirs, stderr=theirs, cwd=MODULES, env=environment(),
        start_new_session=True,
    ) as process:  # fmt: skip
        os.close(theirs)
        shown = b""
        while b"[y/N]" not in shown:
            shown += os.read(ours, 1024)
        assert b"This would be removed" in shown
        if answer == b"\x03":
            process.send_signal(2)
        else:
            os.write(ours, answer)
        code = process.wait(60)
    os.close(ours)
    assert code == (0 if left == 0 else 130)
    assert len(list((home() / "traces").glob("*.jsonl"))) == left
