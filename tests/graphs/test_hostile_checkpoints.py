"""A damaged or hostile threads.sqlite: nothing in it runs, and its thread starts anew."""

from __future__ import annotations

import json
import pickle
import random
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import ormsgpack
import pytest

from emer.graphs.checkpoints import Checkpoints
from emer.graphs.resume import find_paused, resume
from emer.graphs.state import RUN_ID, checked_state
from emer.graphs.trace.runs import new_run_id
from emer.tools.errors import ConfigError
from tests.fixtures.graph_runs import events

Change = Callable[[bytes], Any]
THREAD = "talk"
CONFIG = {"configurable": {"thread_id": THREAD}}


def packed(value: Any) -> bytes:
    return ormsgpack.packb(value)


def extension(code: int, marker: Path) -> ormsgpack.Ext:
    """Return an extension that runs `touch MARKER` where constructors are called."""
    command = f"touch {marker}"
    content = {0: command, 1: [command], 2: {"command": command}, 3: command}.get(
        code, {"command": command}
    )
    method = ["system"] if code == 3 else []
    where = ["builtins", "__import__"] if code == 3 else ["posix", "system"]
    return ormsgpack.Ext(code, packed([*where, content, *method]))


class Touch:
    """An object whose pickle runs `touch MARKER`."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        import os

        return os.system, (f"touch {self.marker}",)


def change(path: Path, table: str, column: str, new: Change, kind: str | None = None) -> int:
    """Replace a column of every row of the thread; return how many there were."""
    with closing(sqlite3.connect(path)) as file, file:
        rows = file.execute(f"SELECT rowid, {column} FROM {table}").fetchall()
        for row, old in rows:
            file.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (new(old), row))
            if kind is not None:
                file.execute(f"UPDATE {table} SET type = ? WHERE rowid = ?", (kind, row))
    return len(rows)


def with_state(**fields: Any) -> Change:
    """Return a change of the saved state's fields."""

    def changed(old: bytes) -> bytes:
        saved = ormsgpack.unpackb(old)
        return packed(saved | {"channel_values": saved["channel_values"] | fields})

    return changed


def with_keys(**keys: Any) -> Change:
    return lambda old: packed(ormsgpack.unpackb(old) | keys)


def noise(seed: int) -> Change:
    return lambda old: random.Random(seed).randbytes(len(old))


GARBAGE: dict[str, Change] = {
    "noise": noise(1),
    "cut": lambda old: old[: len(old) // 2],
    "empty": lambda _: b"",
    "nothing": lambda _: None,
    "number": lambda _: 7,
    "text": lambda _: "abc",
    "no utf-8": lambda _: sqlite3.Binary(b"\xff\xfe"),
    "list": lambda _: packed([1, 2]),
    "its keys": lambda _: packed({}),
    "deep": lambda _: b"\x91" * 100_000,
    "large": lambda old: old + bytes(25_000_000),
    "its id": with_keys(id="zz"),
    "its versions": with_keys(channel_versions={"history": 7}),
    "its values": with_keys(channel_values=[1]),
    "history is a number": with_state(history=7),
    "history of numbers": with_state(history=[7]),
    "a long history": with_state(
        history=[{"run_id": "r", "clip": "c", "question": "q"} for _ in range(11)]
    ),
    "a long text": with_state(question="x" * 30_000),
    "a long question": with_state(question="x" * 4_001),
    "a long earlier question": with_state(
        history=[{"run_id": "r", "clip": "c", "question": "x" * 4_001}]
    ),
    "edits of numbers": with_state(edited={"0" * 64: [7]}),
    "a clue that is a path": with_state(known_ids=["../../x"]),
    "a run that is a path": with_state(run_id="../../../outside/x"),
    "a count that is a text": with_state(calls="many"),
    "a branch that is a number": with_state(__pregel_tasks=[7]),
}


@pytest.fixture
def talk(run):
    """Return a function that asks in one thread, and the file of the threads."""

    def ask(**more: Any):
        answer = run(
            "Plain",
            face="Smile",
            prosody="Loud",
            ask_with={"thread": THREAD, "review": False} | more,
        )
        return answer, answer.trace_path.parents[1] / "threads.sqlite"

    return ask


def test_a_thread_that_is_whole_goes_on(talk):
    talk()
    again, _ = talk()
    assert len(again.history) == 1 and not any("anew" in note for note in again.notes)


def renewed(whole: Path, table: str, column: str, new: Change, kind: str | None = None) -> bool:
    """Change a copy of the file, renew its thread, and say whether that was necessary."""
    path = whole.with_name("copy.sqlite")
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(whole)) as file:
        file.execute("VACUUM INTO ?", (str(path),))
    assert change(path, table, column, new, kind)
    with closing(Checkpoints(path)) as saver:
        saver.renew(THREAD)
        note = saver.note or ""
        assert "\n" not in note and (
            not note or (THREAD in note and saver.last_state(THREAD) == {})
        )
        return "starts anew" in note


@pytest.mark.parametrize("name", ["noise", "history is a number", "a run that is a path"])
def test_a_thread_of_garbage_starts_anew_and_says_so(talk, name):
    _, path = talk()
    assert change(path, "checkpoints", "checkpoint", GARBAGE[name])
    answer, _ = talk()
    assert answer.text and not answer.history
    (note,) = [note for note in answer.notes if "starts anew" in note]
    assert THREAD in note and "\n" not in note
    again, _ = talk()
    assert len(again.history) == 1 and not any("anew" in note for note in again.notes)


def test_every_kind_of_garbage_is_known_as_such(talk):
    _, path = talk(review=True)
    assert not renewed(path, "checkpoints", "checkpoint", lambda old: old)
    for name, garbage in GARBAGE.items():
        assert renewed(path, "checkpoints", "checkpoint", garbage), name
        if name in ("nothing", "number", "text", "deep", "large"):
            assert renewed(path, "writes", "value", garbage), name
    for metadata in (b"\xff", b"[]", b"7", b"{}", b'{"step": "one"}', 7, "x"):
        assert renewed(path, "checkpoints", "metadata", lambda _, new=metadata: new), metadata


def test_another_thread_is_left_as_it_is(talk):
    talk(thread="other")
    _, path = talk()
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE checkpoints SET checkpoint = x'00' WHERE thread_id = ?", (THREAD,))
    talk()
    assert len(talk(thread="other")[0].history) == 1


def test_an_extension_is_not_run(talk, tmp_path):
    marker = tmp_path / "marker"
    _, path = talk(review=True)
    for code in range(8):
        hostile = extension(code, marker)
        in_state = with_state(history=[hostile])
        assert renewed(path, "checkpoints", "checkpoint", in_state), code
        for table, column in (("checkpoints", "checkpoint"), ("writes", "value")):
            whole = packed(hostile)
            assert renewed(path, table, column, lambda _, new=whole: new, "msgpack"), code
    assert not marker.exists()
    change(path, "checkpoints", "checkpoint", with_state(history=[extension(1, marker)]))
    answer, _ = talk()
    assert any("starts anew" in note for note in answer.notes) and not marker.exists()


def test_no_other_format_is_read(talk, tmp_path):
    marker = tmp_path / "marker"
    made = {"lc": 2, "type": "constructor", "id": ["posix", "system"], "args": [f"touch {marker}"]}
    _, path = talk(review=True)
    for kind in ("pickle", "json", "bytes", "bytearray", "", "x"):
        content = json.dumps(made).encode() if kind == "json" else pickle.dumps(Touch(marker))
        for table, column in (("checkpoints", "checkpoint"), ("writes", "value")):
            assert renewed(path, table, column, lambda _, new=content: new, kind), kind
    assert not marker.exists()


def test_a_paused_run_of_garbage_cannot_go_on_and_says_so(talk):
    waits, path = talk(review=True)
    with closing(sqlite3.connect(path)) as file:
        whole = dict(file.execute("SELECT rowid, checkpoint FROM checkpoints"))
    for name, garbage in GARBAGE.items():
        change(path, "checkpoints", "checkpoint", garbage)
        for take_up in (find_paused, resume):
            with pytest.raises(ConfigError, match="cannot go on") as error:
                take_up(waits.trace_path)
            assert "\n" not in str(error.value) and waits.run_id in str(error.value), name
        with closing(sqlite3.connect(path)) as file, file:
            for row, old in whole.items():
                query = "UPDATE checkpoints SET checkpoint = ? WHERE rowid = ?"
                file.execute(query, (old, row))
    assert events(waits, "paused") and not events(waits, "failed")
    assert resume(waits.trace_path).text


def test_a_paused_run_does_not_take_up_the_state_of_another(talk):
    waits, path = talk(review=True)
    other = "20260101-000000-000000-abcd"
    change(path, "checkpoints", "checkpoint", with_state(run_id=other))
    with pytest.raises(ConfigError, match="cannot go on"):
        resume(waits.trace_path)


def test_a_paused_run_goes_on_where_only_a_later_checkpoint_is_damaged(talk):
    waits, path = talk(review=True)
    talk()
    with closing(sqlite3.connect(path)) as file, file:
        query = "SELECT max(checkpoint_id) FROM checkpoints"
        (last,) = file.execute(query).fetchone()
        file.execute("UPDATE checkpoints SET checkpoint = x'c1' WHERE checkpoint_id = ?", (last,))
    assert resume(waits.trace_path).text


def test_any_flipped_bit_is_read_or_is_garbage(talk):
    """No damage raises from the saver; what it returns has the shape of a state."""
    _, path = talk(review=True)
    with closing(sqlite3.connect(path)) as file:
        rows = file.execute("SELECT rowid, checkpoint FROM checkpoints").fetchall()
    chance = random.Random(20261130)
    row, whole = rows[-1]
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        with closing(sqlite3.connect(path)) as file, file:
            file.execute("UPDATE checkpoints SET checkpoint = ? WHERE rowid = ?", (damaged, row))
        with closing(Checkpoints(path)) as saver:
            state = saver.last_state(THREAD)
        assert (
            checked_state({name: value for name, value in state.items() if value is not None})
            is not None
        )


def test_the_id_of_a_run_is_checked_by_the_pattern_of_new_ids(tmp_path):
    assert all(re.match(RUN_ID, new_run_id(tmp_path)) for _ in range(20))
    for other in ("../x", "20260101-000000-000000-abcd\n", "", "20260101-000000-000000-ABCD"):
        with pytest.raises(ValueError, match="run_id"):
            checked_state({"run_id": other})
