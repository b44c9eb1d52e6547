"""Evidence store: SQLite cache of observations, keyed by a hash of their inputs.

The key covers clip content, tool source, span and tool code: a second question runs no tool
again, and replacing a tool recomputes that tool alone. Failures are never stored; the reason
for an observation without clues is.

The store never stops a run: where the disk is full, read-only or holds a broken file, it
continues in memory and reports that once in `note`.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import sqlite3
import threading
import time
from collections.abc import Collection
from contextlib import suppress
from functools import cache
from pathlib import Path

from pydantic import JsonValue, ValidationError

from emer.tools.media.clip import Clip
from emer.tools.runtime.private_files import erase_deleted, private_database
from emer.tools.tool import Tool
from emer.tools.types import Observation, Span, digest

BUSY_SECONDS = 10.0
"""Time that a write waits for the write of another process."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS observation (
    key TEXT PRIMARY KEY, tool TEXT NOT NULL, record TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS origin (key TEXT PRIMARY KEY, clip TEXT NOT NULL) WITHOUT ROWID;
"""
"""The sha256 of a row's clip is in a table of its own, so that older versions can write too."""
_HELD = """
SELECT count(*), sum(length(record)) FROM observation LEFT JOIN origin USING (key)
"""
_OF_CLIPS = "clip IN (SELECT value FROM json_each(?))"
_CORRUPT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class EvidenceStore:
    """Observations by key, safe with several threads and processes."""

    def __init__(self, path: Path | None) -> None:
        """Open or create the SQLite file at `path`; None keeps everything in memory."""
        self.path = path
        self.note: str | None = None
        """A message for the user: the store was broken, or cannot be written."""
        self._memory: dict[str, Observation] = {}
        self._lock = threading.RLock()
        self._inode: tuple[int, int] | None = None
        self._writable = True
        self._connection = self._open()

    def key(
        self, clip: Clip, tool: Tool, span: Span | None = None, question: str | None = None
    ) -> str:
        """Key of the tool's observation: a hash of everything that changes it."""
        parts: dict[str, JsonValue] = {
            "clip": clip.sha256,
            "source": tool.source.model_dump(mode="json"),
            "span": None if span is None else span.model_dump(mode="json"),
            "code": code_digest(type(tool)),
        }
        if tool.modality == "text":
            parts["subtitle"] = clip.subtitle_digest
        if question is not None:
            parts["question"] = question
        return digest(parts)[:32]

    def get(self, key: str) -> Observation | None:
        """Stored observation, or None; a damaged record counts as absent."""
        with self._lock:
            if key in self._memory:
                return self._memory[key]
            record = self._read(key)
        try:
            return None if record is None else Observation.model_validate_json(record)
        except ValidationError:
            return None

    def put(self, key: str, observation: Observation, clip: str | None = None) -> None:
        """Store an observation of a clip (sha256); in memory if it cannot be written."""
        row = (key, observation.tool, observation.model_dump_json())
        with self._lock:
            if not self._write(row, clip):
                self._memory[key] = observation

    def clips(self) -> set[str]:
        """Sha256 of every clip with a stored observation."""
        if self._connection is None:
            return set()
        return {clip for (clip,) in self._connection.execute("SELECT DISTINCT clip FROM origin")}

    def held(self, clips: Collection[str]) -> tuple[tuple[int, int], tuple[int, int]]:
        """Number and bytes of these clips' observations, and of those of unknown clips."""
        if self._connection is None:
            return (0, 0), (0, 0)
        chosen = (json.dumps([*clips]),)
        known = self._connection.execute(f"{_HELD} WHERE {_OF_CLIPS}", chosen).fetchone()
        unknown = self._connection.execute(f"{_HELD} WHERE clip IS NULL").fetchone()
        return (known[0], known[1] or 0), (unknown[0], unknown[1] or 0)

    def remove(self, clips: Collection[str]) -> bool:
        """Delete the observations of these clips (sha256), and those of an unknown clip.

        False where another process reads the file, which keeps the deleted bytes in it.
        """
        if self._connection is None:
            return True
        with self._lock, self._connection:
            chosen = (json.dumps([*clips]),)
            self._connection.execute(f"DELETE FROM origin WHERE {_OF_CLIPS}", chosen)
            orphans = "DELETE FROM observation WHERE key NOT IN (SELECT key FROM origin)"
            self._connection.execute(orphans)
        return erase_deleted(self._connection)

    def close(self) -> None:
        """Close the file; what is in memory only is lost."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def _read(self, key: str) -> str | None:
        if self._connection is None:
            return None
        try:
            query = "SELECT record FROM observation WHERE key = ?"
            row = self._connection.execute(query, (key,)).fetchone()
        except sqlite3.Error as error:
            self._recover(error)
            return None
        return str(row[0]) if row else None

    def _write(self, row: tuple[str, str, str], clip: str | None) -> bool:
        for _ in range(2):
            if self._connection is None or not self._writable:
                return False
            try:
                with self._connection:
                    query = "INSERT OR REPLACE INTO observation VALUES (?, ?, ?)"
                    self._connection.execute(query, row)
                    if clip is not None:
                        query = "INSERT OR REPLACE INTO origin VALUES (?, ?)"
                        self._connection.execute(query, (row[0], clip))
                return True
            except sqlite3.Error as error:
                self._recover(error)
        return False

    def _recover(self, error: sqlite3.Error) -> None:
        """Replace a broken file; after any other error stop writing to the disk."""
        if _code(error) in _CORRUPT and self.path is not None:
            if self._connection is not None:
                self._connection.close()
            self._set_aside(self.path)
            self._connection = self._open()
        elif _code(error) not in _BUSY:
            self._writable = False
            self._report(f"the evidence store cannot be written ({error}); kept in memory only")

    def _open(self) -> sqlite3.Connection | None:
        if self.path is None:
            return None
        try:
            private_database(self.path)
            return self._connect(self.path)
        except sqlite3.Error as error:
            if _code(error) in _CORRUPT and self._set_aside(self.path):
                with suppress(sqlite3.Error):
                    return self._connect(self.path)
            self._report(f"the evidence store cannot be opened ({error}); kept in memory only")
        except OSError as error:
            self._report(f"{self.path.parent}: {error.strerror}; evidence is kept in memory only")
        self._writable = False
        with suppress(sqlite3.Error, OSError):  # observations of a read-only folder still count
            if self.path.is_file():
                uri = f"{self.path.resolve().as_uri()}?immutable=1"
                return sqlite3.connect(uri, uri=True, check_same_thread=False)
        return None

    def _connect(self, path: Path) -> sqlite3.Connection:
        self._inode = _inode(path)
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            # A power cut may lose the last rows in WAL mode, never the file; they are recomputed.
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.executescript(_SCHEMA)
            connection.execute("SELECT key FROM observation LIMIT 1").fetchall()
        except sqlite3.Error:
            connection.close()
            raise
        self._inode = _inode(path)
        return connection

    def _set_aside(self, path: Path) -> bool:
        """Move the broken file away, unless another process has already replaced it."""
        if _inode(path) != self._inode:
            return True
        aside = path.with_name(f"{path.name}.broken-{time.time_ns() // 1_000_000}")
        try:
            os.replace(path, aside)
        except OSError:
            return False
        for end in ("-wal", "-shm"):
            with suppress(OSError):
                os.replace(f"{path}{end}", f"{aside}{end}")
        self._report(f"the evidence store was broken; moved to {aside.name}, a new one was made")
        return True

    def _report(self, text: str) -> None:
        self.note = self.note or text


@cache
def code_digest(kind: type) -> str:
    """Hash of the code of a tool's class: all modules of its package.

    Part of the key, so that a tool under development is run again after each edit without a
    new version. Empty where the source is not on disk.
    """
    try:
        source = inspect.getsourcefile(kind)
        if source is None:
            return ""
        path = Path(source)
        files = sorted(path.parent.glob("*.py")) if "." in kind.__module__ else [path]
        return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
    except (OSError, TypeError):
        return ""


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_dev, facts.st_ino


def _code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF
