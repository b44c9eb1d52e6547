"""SQLite checkpoints of threads; a disk that fails never fails the run."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
)
from langgraph.checkpoint.sqlite import SqliteSaver

BUSY_SECONDS = 10.0
LOG_BYTES = 400_000
"""Length of the write-ahead log at which it is copied: about every tenth run."""


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
            return super().get_tuple(config)
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
            with self._noted((sqlite3.Error, OSError)):
                path.parent.mkdir(parents=True, exist_ok=True)
                return _connect(str(path))
        return _connect(":memory:")

    @contextmanager
    def _noted(self, kinds: tuple[type[Exception], ...] = (sqlite3.Error,)) -> Iterator[None]:
        """Turn an error of these kinds into the note."""
        try:
            yield
        except kinds as error:
            with suppress(sqlite3.Error, AttributeError):
                self.conn.rollback()
            self.note = self.note or f"the thread is not remembered: {self._path}: {error}"


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
