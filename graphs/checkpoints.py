"""SQLite checkpoints of threads; a disk that fails never fails the run.

The file may be damaged or made by a stranger: nothing in it is constructed but plain JSON and two
records of LangGraph, and a checkpoint of any other content counts as unreadable.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_checkpoint_id,
)
from langgraph.checkpoint.serde.jsonplus import (
    EXT_CONSTRUCTOR_KW_ARGS,
    EXT_CONSTRUCTOR_POS_ARGS,
    JsonPlusSerializer,
)
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Interrupt, Send
from pydantic import BaseModel, ConfigDict, StringConstraints

from emer.graphs.state import OrderRecord, checked_state
from emer.tools.runtime import private_files

BUSY_SECONDS = 10.0
LOG_BYTES = 400_000
"""Length of the write-ahead log at which it is copied: about every tenth run."""
TASKS = "__pregel_tasks"
"""LangGraph's channel of the branches that wait."""
MOST_BYTES = 20_000_000
"""Size of a value that is read from the file (chosen by us; usual: 100 kB)."""


class PlainSerializer(JsonPlusSerializer):
    """Msgpack of plain JSON, with `Send` and `Interrupt` as its only extensions.

    LangGraph's own setting for strict msgpack still constructs some thirty types.
    """

    def __init__(self) -> None:
        super().__init__(allowed_msgpack_modules=None, __unpack_ext_hook__=self._extension)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """The value; `ValueError` for a format that no run writes (pickle, json)."""
        if data[0] not in ("msgpack", "null"):
            raise ValueError(f"{data[0]!r} is no type of a run's state")
        return super().loads_typed(data)

    def _extension(self, code: int, data: bytes) -> Send | Interrupt:
        module, name, content = self.loads_typed(("msgpack", data))
        if (code, module, name) == (EXT_CONSTRUCTOR_POS_ARGS, Send.__module__, "Send"):
            return Send(*content)
        if (code, module, name) == (EXT_CONSTRUCTOR_KW_ARGS, Interrupt.__module__, "Interrupt"):
            return Interrupt(**content)
        raise ValueError("it holds an object that a run does not write")


Version = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,32}\.[0-9.e-]{1,32}$")]


class _SavedCheckpoint(BaseModel):
    """What LangGraph reads of a checkpoint, with its types."""

    model_config = ConfigDict(strict=True)

    id: str
    v: int
    ts: str
    channel_values: dict[str, Any]
    channel_versions: dict[str, Version]
    versions_seen: dict[str, dict[str, Version]]
    updated_channels: list[str] | None = None


class _SavedMetadata(BaseModel):
    """What LangGraph reads of a checkpoint's metadata."""

    model_config = ConfigDict(strict=True)

    step: int
    source: str = ""
    parents: dict[str, str] = {}


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
        super().__init__(self._open(path), serde=PlainSerializer())
        self._reader = _open_reader(path)

    def with_allowlist(self, extra_allowlist: Collection[tuple[str, ...]]) -> Checkpoints:
        """Itself: LangGraph's list of further types is not wanted."""
        return self

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """The thread's last checkpoint, None if there is none that can be read."""
        with self._noted():
            try:
                return self._read(config)
            except ValueError:
                thread = config["configurable"]["thread_id"]
                self.note = self.note or f"what is saved of thread {thread} cannot be read"
        return None

    def renew(self, thread: str) -> None:
        """Remove a thread whose last checkpoint cannot be read; `note` says so."""
        with self._noted():
            try:
                self._read({"configurable": {"thread_id": thread}})
            except ValueError:
                self.delete_thread(thread)
                self.note = (
                    f"thread {thread} starts anew: what was saved of it in {self._path} "
                    "could not be read"
                )

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
            query = "SELECT checkpoint_id FROM checkpoints WHERE thread_id = ? ORDER BY rowid DESC"
            with self.cursor(transaction=False) as rows:
                ids = [id for (id,) in rows.execute(query, (thread,)).fetchall()]
            for id in ids:
                item = self.get_tuple({"configurable": {"thread_id": thread, "checkpoint_id": id}})
                if item and item.checkpoint["channel_values"].get("run_id") == run_id:
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

    def _read(self, config: RunnableConfig) -> CheckpointTuple | None:
        """The checkpoint as it is saved; `ValueError` if it is not one of a run."""
        try:
            item = super().get_tuple(config if get_checkpoint_id(config) else self._last(config))
            if item is not None:
                _check(item)
        except sqlite3.DataError as error:  # larger than MOST_BYTES
            raise ValueError("a saved value is too large") from error
        except (sqlite3.Error, OSError, ValueError):
            raise
        except Exception as error:  # whatever a damaged value makes a decoder raise
            raise ValueError(f"a saved value is damaged: {type(error).__name__}") from error
        return item

    def _open(self, path: Path | None) -> sqlite3.Connection:
        if path is not None:
            with self._noted((sqlite3.Error, OSError)):
                private_files.private_database(path)
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


def _check(item: CheckpointTuple) -> None:
    """Raise an exception for a checkpoint that no run has written."""
    saved = _SavedCheckpoint.model_validate(item.checkpoint)
    _SavedMetadata.model_validate(item.metadata)
    if saved.id != item.config["configurable"]["checkpoint_id"] or str(UUID(saved.id)) != saved.id:
        raise ValueError("a checkpoint has another id than its row")
    values = saved.channel_values
    writes = [write for write in item.pending_writes or () if not write[1].startswith("__")]
    for fields in (values, *({channel: value} for _, channel, value in writes)):
        # None empties a channel.
        checked_state({name: value for name, value in fields.items() if value is not None})
    for send in values.get(TASKS, ()):
        checked_state(send.arg, OrderRecord, needed=("run_id", "job"))


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
    connection.text_factory = lambda text: text.decode(errors="replace")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_BYTES)
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
