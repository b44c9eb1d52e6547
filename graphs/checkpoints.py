"""Where the state of a thread is kept between runs; never a reason for a run to fail."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
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
"""Length of the log from which it is copied into the file: every tenth run or so."""


class Checkpoints(SqliteSaver):
    """LangGraph's SQLite saver; what the disk refuses is noted once and let go.

    The last connection to close has SQLite copy its log into the file, and wait for the disk.
    One that cannot write leaves the log where it is, where what was written is as safe; so
    a reader is opened too, and closed last until the log is long.
    """

    def __init__(self, path: Path | None) -> None:
        """Open or make the file; None or a folder that cannot be written: in memory."""
        self.note: str | None = None
        self._path = path
        super().__init__(self._open(path))
        self._reader = _open_reader(path)

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return the thread's last checkpoint, None when there is none to be read."""
        try:
            return super().get_tuple(config)
        except sqlite3.Error as error:
            self._refused(error)
            return None

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Save a checkpoint and return the config that names it."""
        try:
            return super().put(config, checkpoint, metadata, new_versions)
        except sqlite3.Error as error:
            self._refused(error)
            return config

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Save what a node wrote before its step was over."""
        try:
            super().put_writes(config, writes, task_id, task_path)
        except sqlite3.Error as error:
            self._refused(error)

    def of_run(self, thread: str, run_id: str) -> str | None:
        """Return the id of a run's last checkpoint in its thread, None when there is none."""
        try:
            for found in self.list({"configurable": {"thread_id": thread}}):
                if found.checkpoint["channel_values"].get("run_id") == run_id:
                    return found.checkpoint["id"]
        except sqlite3.Error as error:
            self._refused(error)
        return None

    def remembered(self, thread: str) -> dict[str, Any]:
        """Return what the thread's last state holds; nothing for a thread that is new."""
        found = self.get_tuple({"configurable": {"thread_id": thread}})
        return found.checkpoint["channel_values"] if found else {}

    def close(self) -> None:
        """Close the file."""
        connections = [self.conn, self._reader]
        for connection in reversed(connections) if self._log_is_long() else connections:
            with suppress(sqlite3.Error):
                connection.close()

    def _log_is_long(self) -> bool:
        try:
            return os.path.getsize(f"{self._path}-wal") > LOG_BYTES
        except OSError:
            return False

    def _open(self, path: Path | None) -> sqlite3.Connection:
        if path is not None:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                return _connect(str(path))
            except (sqlite3.Error, OSError) as error:
                self._refused(error)
        return _connect(":memory:")

    def _refused(self, error: Exception) -> None:
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
    """Return a connection that cannot write to the file, or to nothing where there is none."""
    if path is not None:
        with suppress(sqlite3.Error, OSError):
            uri = f"{path.resolve().as_uri()}?mode=ro"
            reader = sqlite3.connect(uri, uri=True, check_same_thread=False)
            reader.execute("SELECT 1 FROM sqlite_master").fetchone()
            return reader
    return sqlite3.connect(":memory:")
