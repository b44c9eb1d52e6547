"""SQLite checkpoints of threads; a disk that fails never fails the run."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_checkpoint_id,
)
from langgraph.checkpoint.sqlite import SqliteSaver

from emer.tools.runtime import private_files

BUSY_SECONDS = 10.0
LOG_BYTES = 400_000
"""Length of the write-ahead log at which it is copied: about every tenth run."""


Covered = Callable[[str, str], bool]

_LAST = """
SELECT checkpoint_id FROM checkpoints WHERE thread_id = ? AND checkpoint_ns = ?
ORDER BY rowid DESC LIMIT 1
"""
_STATES = "SELECT rowid, type, checkpoint FROM checkpoints"
_UPDATE = "UPDATE checkpoints SET type = ?, checkpoint = ? WHERE rowid = ?"
_DELETE = "DELETE FROM checkpoints WHERE rowid = ?"
_DELETE_WRITES = """
DELETE FROM writes WHERE (thread_id, checkpoint_ns, checkpoint_id) NOT IN (
    SELECT thread_id, checkpoint_ns, checkpoint_id FROM writes WHERE channel = '__interrupt__'
    INTERSECT SELECT thread_id, checkpoint_ns, checkpoint_id FROM checkpoints
)
"""
"""All writes but those of paused runs: what an interrupted run left to do is begun anew."""


class Checkpoints(SqliteSaver):
    """LangGraph's SQLite saver; the first error of the disk becomes `note`.

    The last connection to close makes SQLite copy its log into the file and wait for the disk.
    A read-only connection leaves the log as it is, which is as safe; therefore a reader is
    opened as well, and closed last until the log is long.
    """

    def __init__(self, path: Path | None) -> None:
        """Open or create the file; None or a folder that cannot be written: in memory."""
        self.note: str | None = None
        self._path = path
        super().__init__(self._open(path))
        self._reader = _open_reader(path)

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """The thread's last checkpoint, None if there is none that can be read."""
        with self._noted():
            return super().get_tuple(config if get_checkpoint_id(config) else self._last(config))
        return None

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        with self._noted():
            return super().put(config, checkpoint, metadata, new_versions)
        return config

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        with self._noted():
            super().put_writes(config, writes, task_id, task_path)

    def of_run(self, thread: str, run_id: str) -> str | None:
        """Id of a run's last checkpoint in its thread, None if there is none."""
        with self._noted():
            for item in self.list({"configurable": {"thread_id": thread}}):
                if item.checkpoint["channel_values"].get("run_id") == run_id:
                    return item.checkpoint["id"]
        return None

    def remove_runs(
        self, is_covered: Covered, clips: Collection[str], *, dry_run: bool = False
    ) -> tuple[int, int]:
        """Delete the checkpoints of runs, and their turns in those of other runs.

        Number and bytes of the deleted checkpoints. What cannot be read belongs to no run that
        can go on, and is deleted too.

        Args:
            is_covered: Tells of a run's id and the sha256 of its clip ("" if it is not known)
                whether to delete it.
            clips: Clips (sha256) of which a thread forgets the edits of its reviews.
            dry_run: Count only.

        """
        count = size = 0
        with self.cursor(transaction=not dry_run) as cursor:
            for row, *stored in cursor.execute(_STATES).fetchall():
                state = self._state(stored)
                kept = _without(state["channel_values"], is_covered, clips) if state else None
                if state is None or kept is None:
                    count, size = count + 1, size + len(stored[1] or b"")
                    change: tuple[str, tuple[Any, ...]] = (_DELETE, (row,))
                elif kept != state["channel_values"]:
                    state["channel_values"] = kept
                    change = (_UPDATE, (*self.serde.dumps_typed(state), row))
                else:
                    continue
                if not dry_run:
                    cursor.execute(*change)
            if not dry_run:
                cursor.execute(_DELETE_WRITES)
        return count, size

    def erase_deleted(self) -> bool:
        """Rewrite the file without what was deleted; False while another process reads it."""
        return private_files.erase_deleted(self.conn)

    def _state(self, stored: Sequence[Any]) -> Any:
        try:
            state = self.serde.loads_typed((stored[0], stored[1]))
            return state if isinstance(state["channel_values"], dict) else None
        except Exception:  # a damaged record can raise anything
            return None

    def _last(self, config: RunnableConfig) -> RunnableConfig:
        """The config with the id of the checkpoint that was stored last.

        The ids begin with the time, so the greatest is not the last where a clock was set back.
        """
        thread = str(config["configurable"]["thread_id"])
        space = config["configurable"].get("checkpoint_ns", "")
        with self.cursor(transaction=False) as cursor:
            found = cursor.execute(_LAST, (thread, space)).fetchone()
        last = {"checkpoint_ns": space, **({"checkpoint_id": found[0]} if found else {})}
        return {**config, "configurable": {**config["configurable"], **last}}

    def last_state(self, thread: str) -> dict[str, Any]:
        """Last state of a thread; empty for a new one."""
        item = self.get_tuple({"configurable": {"thread_id": thread}})
        return item.checkpoint["channel_values"] if item else {}

    def close(self) -> None:
        connections = [self.conn, self._reader]
        with suppress(OSError):
            if os.path.getsize(f"{self._path}-wal") > LOG_BYTES:
                connections.reverse()
        for connection in connections:
            with suppress(sqlite3.Error):
                connection.close()

    def _open(self, path: Path | None) -> sqlite3.Connection:
        if path is not None:
            with self._noted():
                private_files.private_database(path)
                return _connect(str(path))
        return _connect(":memory:")

    @contextmanager
    def _noted(self) -> Iterator[None]:
        """Turn an error of the disk into the note."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            with suppress(sqlite3.Error, AttributeError):
                self.conn.rollback()
            self.note = self.note or f"the thread is not remembered: {self._path}: {error}"


def _without(
    values: dict[str, Any], is_covered: Covered, clips: Collection[str]
) -> dict[str, Any] | None:
    """The state without turns and edits; None where its own run is covered."""
    run_id, turns = values.get("run_id", ""), values.get("history") or []
    covered = [turn for turn in turns if is_covered(turn["run_id"], turn.get("content", ""))]
    if is_covered(run_id, "") or run_id in [turn["run_id"] for turn in covered]:
        return None
    kept = dict(values)
    if covered:
        kept["history"] = [turn for turn in turns if turn not in covered]
    if edited := values.get("edited"):
        kept["edited"] = {clip: edits for clip, edits in edited.items() if clip not in clips}
    return kept


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _open_reader(path: Path | None) -> sqlite3.Connection:
    """Read-only connection to the file; to an empty database if there is none."""
    if path is not None:
        with suppress(sqlite3.Error, OSError):
            uri = f"{path.resolve().as_uri()}?mode=ro"
            reader = sqlite3.connect(uri, uri=True, check_same_thread=False)
            reader.execute("SELECT 1 FROM sqlite_master").fetchone()
            return reader
    return sqlite3.connect(":memory:")
