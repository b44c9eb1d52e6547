"""The evidence store: what each tool gave for a clip, kept under a hash of its inputs.

A row is one `Observation` under a key of clip content, tool source, span and tool code,
so a second question runs no tool again and swapping one tool recomputes that tool alone.
Failures are never stored; "nothing to observe, because ..." is.

The store never stops a run: where the disk is full, read-only or holds a broken file, it
carries on in memory and says so once in `note`.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import sqlite3
import threading
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

from pydantic import JsonValue, ValidationError

from emer.tools.media.clip import Clip
from emer.tools.tool import Tool
from emer.tools.types import Observation, Span, digest

BUSY_SECONDS = 10.0
"""How long a write waits for another process's write."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS observation (
    key TEXT PRIMARY KEY, tool TEXT NOT NULL, record TEXT NOT NULL
) WITHOUT ROWID
"""


class EvidenceStore:
    """A content-addressed ledger of observations, safe with several threads and processes."""

    def __init__(self, path: Path | None) -> None:
        """Open or make the SQLite file at `path`; None keeps everything in memory."""
        self.path = path
        self.note: str | None = None
        """What a user should know: the store was broken, or cannot be written."""
        self._memory: dict[str, Observation] = {}
        self._lock = threading.RLock()
        self._found: tuple[int, int] | None = None
        self._writable = True
        self._connection = self._open()

    def key(
        self, clip: Clip, tool: Tool, span: Span | None = None, question: str | None = None
    ) -> str:
        """Return the hash under which the tool's observation of the clip is kept."""
        parts: dict[str, JsonValue] = {
            "clip": clip.sha256,
            "source": tool.source.model_dump(mode="json"),
            "span": None if span is None else span.model_dump(mode="json"),
            "code": code_digest(tool),
        }
        if tool.modality == "text":
            parts["subtitle"] = clip.subtitle_digest
        if question is not None:
            parts["question"] = question
        return digest(parts)[:32]

    def get(self, key: str) -> Observation | None:
        """Return what is kept under the key, or None; a damaged record counts as absent."""
        with self._lock:
            if key in self._memory:
                return self._memory[key]
            row = self._read(key)
        if row is None:
            return None
        try:
            return Observation.model_validate_json(row)
        except ValidationError:
            return None

    def put(self, key: str, observation: Observation) -> None:
        """Keep an observation; in memory alone when the file cannot be written."""
        row = (key, observation.tool, observation.model_dump_json())
        with self._lock:
            if not self._write(row):
                self._memory[key] = observation

    def close(self) -> None:
        """Close the file; what is in memory alone is lost."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def _read(self, key: str) -> str | None:
        if self._connection is None:
            return None
        try:
            query = "SELECT record FROM observation WHERE key = ?"
            found = self._connection.execute(query, (key,)).fetchone()
        except sqlite3.Error as error:
            self._recover(error)
            return None
        return str(found[0]) if found else None

    def _write(self, row: tuple[str, str, str]) -> bool:
        for _ in range(2):
            if self._connection is None or not self._writable:
                return False
            try:
                with self._connection:
                    query = "INSERT OR REPLACE INTO observation VALUES (?, ?, ?)"
                    self._connection.execute(query, row)
                return True
            except sqlite3.Error as error:
                self._recover(error)
        return False

    def _recover(self, error: sqlite3.Error) -> None:
        """Start a new file in place of a broken one; else stop writing to the disk."""
        if _is_corrupt(error):
            if self._connection is not None:
                self._connection.close()
            self._set_aside()
            self._connection = self._open()
        elif not _is_busy(error):
            self._writable = False
            self._note(f"the evidence store cannot be written ({error}); kept in memory only")

    def _open(self) -> sqlite3.Connection | None:
        if self.path is None:
            return None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return self._connect(self.path)
        except sqlite3.Error as error:
            if _is_corrupt(error) and self._set_aside():
                with suppress(sqlite3.Error):
                    return self._connect(self.path)
            self._note(f"the evidence store cannot be opened ({error}); kept in memory only")
        except OSError as error:
            self._note(f"{self.path.parent}: {error.strerror}; evidence is kept in memory only")
        self._writable = False
        return self._for_reading(self.path)

    def _connect(self, path: Path) -> sqlite3.Connection:
        self._found = _identity(path)
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            # A power cut may lose the last rows in WAL mode, never the file; they are recomputed.
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute(_SCHEMA)
            connection.execute("SELECT key FROM observation LIMIT 1").fetchall()
        except sqlite3.Error:
            connection.close()
            raise
        self._found = _identity(path)
        return connection

    @staticmethod
    def _for_reading(path: Path) -> sqlite3.Connection | None:
        """Open a file in a folder that cannot be written; what it holds still counts."""
        with suppress(sqlite3.Error, OSError):
            if path.is_file():
                uri = f"{path.resolve().as_uri()}?immutable=1"
                return sqlite3.connect(uri, uri=True, check_same_thread=False)
        return None

    def _set_aside(self) -> bool:
        """Move the broken file away, unless another process has already replaced it."""
        if self.path is None:
            return False
        if _identity(self.path) != self._found:
            return True
        aside = self.path.with_name(f"{self.path.name}.broken-{time.time_ns() // 1_000_000}")
        try:
            os.replace(self.path, aside)
        except OSError:
            return False
        for end in ("-wal", "-shm"):
            with suppress(OSError):
                os.replace(f"{self.path}{end}", f"{aside}{end}")
        self._note(f"the evidence store was broken; moved to {aside.name}, a new one was made")
        return True

    def _note(self, text: str) -> None:
        self.note = self.note or text


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what tells this file from another later put in its place."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino)


def _is_corrupt(error: sqlite3.Error) -> bool:
    return _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _is_busy(error: sqlite3.Error) -> bool:
    return _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def code_digest(tool: Tool) -> str:
    """Return a hash of the code of the tool: its file, and the others of its package.

    Part of the evidence key, so that a tool under development is run again after each
    edit without a version bump. Empty where the source is not on disk.
    """
    return _code_of(type(tool))


@cache
def _code_of(kind: type) -> str:
    try:
        path = inspect.getsourcefile(kind)
        return _files_digest(Path(path), kind.__module__) if path else ""
    except (OSError, TypeError):
        return ""


def _files_digest(path: Path, module: str) -> str:
    files = sorted(path.parent.glob("*.py")) if "." in module else [path]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
