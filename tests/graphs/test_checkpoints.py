"""What a thread holds is on the disk when the file is closed, in the file or its log."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from langgraph.checkpoint.base import empty_checkpoint

from emer.graphs.checkpoints import LOG_BYTES, Checkpoints


def put(path: Path, thread: str, size: int = 10) -> None:
    with closing(Checkpoints(path)) as saver:
        config = {"configurable": {"thread_id": thread, "checkpoint_ns": ""}}
        checkpoint = {**empty_checkpoint(), "channel_values": {"x": "." * size}}
        saver.put(config, checkpoint, {"step": 1}, {})  # type: ignore[typeddict-item]
        assert saver.note is None


def test_what_was_put_is_there_after_closing(tmp_path: Path) -> None:
    path = tmp_path / "threads.sqlite"
    put(path, "a")
    put(path, "b")
    with closing(Checkpoints(path)) as saver:
        for thread in "ab":
            assert saver.get_tuple({"configurable": {"thread_id": thread}}) is not None
    with closing(sqlite3.connect(path)) as plain:
        assert plain.execute("SELECT count(*) FROM checkpoints").fetchone() == (2,)


def test_closing_does_not_wait_for_the_log_to_be_copied(tmp_path: Path) -> None:
    path = tmp_path / "threads.sqlite"
    put(path, "a")
    log = path.with_name(f"{path.name}-wal")
    assert log.stat().st_size > 0


def test_the_log_does_not_grow_without_end(tmp_path: Path) -> None:
    path = tmp_path / "threads.sqlite"
    for number in range(60):
        put(path, str(number), size=40_000)
        log = path.with_name(f"{path.name}-wal")
        assert not log.exists() or log.stat().st_size < LOG_BYTES + 200_000
    assert path.stat().st_size > LOG_BYTES


def test_the_last_state_is_the_last_one_also_where_the_clock_was_set_back(tmp_path: Path) -> None:
    with closing(Checkpoints(tmp_path / "threads.sqlite")) as saver:
        for number, id in enumerate(
            ("2f000000-0000-6000-8000-000000000000", "1f000000-0000-6000-8000-000000000000")
        ):
            config = {"configurable": {"thread_id": "a", "checkpoint_ns": ""}}
            checkpoint = {**empty_checkpoint(), "id": id, "channel_values": {"calls": number}}
            saver.put(config, checkpoint, {"step": 1}, {})  # type: ignore[typeddict-item]
        assert saver.last_state("a") == {"calls": 1} and saver.last_state("b") == {}


def test_a_state_that_cannot_be_read_is_removed_with_any_run(tmp_path: Path) -> None:
    path = tmp_path / "threads.sqlite"
    put(path, "a")
    put(path, "b")
    with closing(sqlite3.connect(path)) as plain, plain:
        plain.execute("UPDATE checkpoints SET checkpoint = ? WHERE thread_id = 'a'", (b"\xff",))
    with closing(Checkpoints(path)) as saver:
        assert saver.remove_runs(lambda run, clip: run == "x", ()) == (1, 1)
        assert saver.last_state("b") and not saver.last_state("a")
