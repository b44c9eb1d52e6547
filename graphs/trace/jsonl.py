"""A trace, one JSON line per event: written during a run, and read."""

from __future__ import annotations

import fcntl
import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from emer.agents.clue_edits import Edits, matches_struck
from emer.agents.types import Explanation
from emer.graphs.trace.clue_ledger import ClueLedger, by_time
from emer.graphs.trace.events import (
    EVENT,
    Event,
    Explained,
    Finished,
    Header,
    Paused,
    Reviewed,
    RunStarted,
    ToolFinished,
)
from emer.tools.errors import ConfigError
from emer.tools.runtime.private_files import private_folder, private_opener
from emer.tools.text import escaped
from emer.tools.types import Clue

Listener = Callable[[Event], None]
MOST_BYTES = 200_000_000
"""Largest trace that is read (chosen by us; a run of an hour of video writes some MB)."""


class TraceWriter:
    """Writer of a trace: appends events to a file and passes them to a listener.

    Safe from several threads. A disk error ends the file, not the run, and becomes a note;
    without a path there is no file.
    """

    def __init__(self, path: Path | None, listener: Listener | None = None) -> None:
        self.notes: list[str] = []
        self._listener = listener
        self._began = time.monotonic()
        self._lock = threading.RLock()
        self._file: IO[str] | None = None
        self.path: Path | None = None
        if path is None:
            return
        try:
            private_folder(path.parent)
            self._file = open(path, "x", encoding="utf-8", opener=private_opener)  # noqa: SIM115
            self.path = path
            with suppress(OSError):  # a file system without locks
                fcntl.flock(self._file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # against `emer forget`
        except OSError as error:
            self.notes.append(f"no trace could be written: {path}: {error.strerror}")

    @classmethod
    def reopen(cls, path: Path, after: float, listener: Listener | None = None) -> TraceWriter:
        """Continue the trace of a run that took `after` seconds so far.

        `ConfigError` if the file cannot be written, or another process continues it.
        """
        writer = cls(None, listener)
        writer._began -= after
        try:
            writer._file = _locked(path)
            writer.path = path
        except OSError as error:
            raise ConfigError(f"{path} cannot be written: {error.strerror}") from error
        return writer

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return round(time.monotonic() - self._began, 4)

    def write(self, event: Event) -> None:
        """Stamp the event with the time, append it, then call the listener."""
        with self._lock:
            stamped = event.model_copy(update={"at": self.seconds})
            self._append(_line(stamped))
            self._notify(stamped)

    def announce(self, event: Event) -> None:
        """Pass a passing event to the listener; the file does not hold it."""
        with self._lock:
            self._notify(event.model_copy(update={"at": self.seconds}))

    def close(self) -> None:
        """Close the file; later events are dropped."""
        with self._lock:
            self._listener = None
            if self._file is not None:
                self._file.close()
            self._file = None

    def _append(self, line: str) -> None:
        if self._file is None:
            return
        try:
            self._file.write(line + "\n")
            self._file.flush()
        except OSError as error:
            self.notes.append(f"the trace ends early: {error.strerror}")
            file, self._file = self._file, None
            with suppress(OSError):
                file.close()

    def _notify(self, event: Event) -> None:
        if self._listener is None:
            return
        try:
            self._listener(event)
        except Exception as error:
            self._listener = None
            self.notes.append(f"the listener broke and was left out: {error!r}")


def _line(event: Event) -> str:
    try:
        return event.model_dump_json()
    except PydanticSerializationError:  # a path that is not UTF-8
        return escaped(json.dumps(event.model_dump(mode="json"), ensure_ascii=False))


def _locked(path: Path) -> IO[str]:
    """Open and lock a trace to append; a torn last line is cut off."""
    file = path.open("r+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise ConfigError(f"{path}: this run is being taken up by another process") from error
    whole = path.read_bytes()
    file.seek(whole.rfind(b"\n") + 1)
    file.truncate()
    return file


@dataclass(frozen=True, slots=True)
class Trace:
    """A run read from its file; `torn` if the last line was incomplete."""

    header: Header
    events: tuple[Event, ...]
    torn: bool = False

    @property
    def started(self) -> RunStarted | None:
        """The first event: question and history."""
        return next((e for e in self.events if isinstance(e, RunStarted)), None)

    @property
    def question(self) -> str:
        """The question; empty where the run ended before its first event."""
        return self.started.question if self.started else ""

    @property
    def seconds(self) -> float:
        """Seconds that the run has worked; the wait for a review does not count."""
        return max((event.at for event in self.events), default=0.0)

    @property
    def finished(self) -> Finished | None:
        """The last event of a finished run."""
        return next((e for e in self.events if isinstance(e, Finished)), None)

    @property
    def observed(self) -> tuple[Clue, ...]:
        """Every clue of a tool or a reviewer, each once, in order of time."""
        sources = (event for event in self.events if isinstance(event, ToolFinished | Reviewed))
        return by_time({clue.id: clue for event in sources for clue in event.clues}.values())

    @property
    def clues(self) -> tuple[Clue, ...]:
        """The clues at the end, without repeats and without rejected ones."""
        valid: dict[str, Clue] = {}
        struck: dict[str, Clue] = {}
        ledger = ClueLedger()
        ledger.add(self.observed)
        for event in self.effective:
            if isinstance(event, Reviewed):
                ids = ledger.observed_ids(event.struck)
                struck |= {id: valid.pop(id) for id in ids if id in valid}
            if isinstance(event, Reviewed | ToolFinished):
                barred = [*struck.values()] if isinstance(event, ToolFinished) else []
                valid |= {c.id: c for c in event.clues if not matches_struck(c, barred)}
        return ledger.clues(valid)

    @property
    def struck(self) -> tuple[Clue, ...]:
        """The clues that a reviewer rejected or rewrote."""
        ids = {id for e in self.effective if isinstance(e, Reviewed) for id in e.struck}
        return tuple(clue for clue in self.observed if clue.id in ids)

    @property
    def effective(self) -> tuple[Event, ...]:
        """The events that led to the result.

        Drafts of a review are left out, and what was begun after a review and interrupted.
        """
        events = [e for e in self.events if not (isinstance(e, Reviewed) and e.stage == "draft")]
        pauses = [i for i, e in enumerate(events) if isinstance(e, Paused)]
        reviews = [i for i, e in enumerate(events) if isinstance(e, Reviewed) and e.stage == "done"]
        return (*events[: pauses[0]], *events[reviews[-1] :]) if reviews else tuple(events)

    @property
    def paused(self) -> Paused | None:
        """The last pause of a run that is not finished; None without one."""
        if self.finished is not None:
            return None
        return next((e for e in reversed(self.events) if isinstance(e, Paused)), None)

    @property
    def edits(self) -> Edits:
        """The last edits of the first clues, a draft or final."""
        reviews = (e for e in reversed(self.events) if isinstance(e, Reviewed))
        return next((e.edits for e in reviews if e.stage != "earlier"), Edits())

    @property
    def explanation(self) -> Explanation | None:
        """The final explanation, else the last one written."""
        written = (e.explanation for e in self.events if isinstance(e, Explained | Finished))
        return next(reversed([*written]), None)


def read_trace(path: Path) -> Trace:
    """Read a trace without a torn last line; `ConfigError` if it is damaged before it."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > MOST_BYTES:
        raise ConfigError(f"{path} is larger than {MOST_BYTES} bytes: no trace of emer")
    lines = content.split(b"\n")
    torn = lines.pop() != b""
    events: list[Event] = []
    for number, line in enumerate(lines, start=1):
        try:
            events.append(EVENT.validate_json(line))
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]["msg"]
            raise ConfigError(
                f"{path}, line {number} is not an event of emer: {problem}"
            ) from error
    if not events or not isinstance(events[0], Header):
        raise ConfigError(f"{path} is not a trace of emer: it does not begin with a header")
    return Trace(header=events[0], events=tuple(events[1:]), torn=torn)
