"""Writing a run's events as they happen, one JSON line each, and reading them back."""

from __future__ import annotations

import fcntl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from emer.agents.clue_edits import Edits, matches_struck
from emer.agents.types import Explanation
from emer.graphs.trace.clue_ledger import in_order, once
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
from emer.tools.types import Clue

Listener = Callable[[Event], None]


class TraceWriter:
    """Appends events to a file, flushed line by line, and tells a listener of each.

    Safe from several threads. A disk that cannot be written ends the file, not the run:
    `notes` says so once.
    """

    def __init__(self, path: Path | None, listener: Listener | None = None) -> None:
        """Make the file at `path` (None: no file); `listener` hears of each event in turn."""
        self.notes: list[str] = []
        self._listener = listener
        self._began = time.monotonic()
        self._lock = threading.RLock()
        self._file: IO[str] | None = None
        self.path: Path | None = None
        if path is not None:
            self._open(path)

    @classmethod
    def reopen(cls, path: Path, after: float, listener: Listener | None = None) -> TraceWriter:
        """Go on with a trace whose run took `after` seconds until now.

        `ConfigError` when the file cannot be written, or another process goes on with it.
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
        """Stamp the event with the time, append it, then tell the listener."""
        with self._lock:
            stamped = event.model_copy(update={"at": self.seconds})
            self._append(stamped.model_dump_json())
            self._tell(stamped)

    def close(self) -> None:
        """Close the file; later events reach nobody."""
        with self._lock:
            self._listener = None
            if self._file is not None:
                self._file.close()
            self._file = None

    def _open(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("x", encoding="utf-8")
            self.path = path
        except OSError as error:
            self.notes.append(f"no trace could be written: {path}: {error.strerror}")

    def _append(self, line: str) -> None:
        if self._file is None:
            return
        try:
            self._file.write(line + "\n")
            self._file.flush()
        except OSError as error:
            self.notes.append(f"the trace ends early: {error.strerror}")
            file, self._file = self._file, None
            try:
                file.close()
            except OSError:
                return

    def _tell(self, event: Event) -> None:
        if self._listener is None:
            return
        try:
            self._listener(event)
        except Exception as error:
            self._listener = None
            self.notes.append(f"the listener broke and was left out: {error!r}")


def _locked(path: Path) -> IO[str]:
    """Open a trace for more lines, held against other processes, a torn last line cut off."""
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
    """A run read back: its header, its events, and whether the last line was torn."""

    header: Header
    events: tuple[Event, ...]
    torn: bool = False

    @property
    def started(self) -> RunStarted | None:
        """The question and its history."""
        return next((e for e in self.events if isinstance(e, RunStarted)), None)

    @property
    def finished(self) -> Finished | None:
        """The answer, if the run came to one."""
        return next((e for e in self.events if isinstance(e, Finished)), None)

    @property
    def observed(self) -> tuple[Clue, ...]:
        """Every clue any tool gave or any person wrote, each once, in order of time."""
        return in_order({clue.id: clue for clue in _given(self.events)}.values())

    @property
    def clues(self) -> tuple[Clue, ...]:
        """The clues as they stand in the end, each once, without what a person struck out."""
        stand: dict[str, Clue] = {}
        struck: dict[str, Clue] = {}
        for event in self.effective:
            if isinstance(event, Reviewed):
                struck |= {id: stand.pop(id) for id in event.struck if id in stand}
            if isinstance(event, Reviewed | ToolFinished):
                new = {clue.id: clue for clue in event.clues}
                gone = [*struck.values()] if isinstance(event, ToolFinished) else []
                stand |= {id: clue for id, clue in new.items() if not matches_struck(clue, gone)}
        return once(stand.values())

    @property
    def effective(self) -> tuple[Event, ...]:
        """The events that led to where the run stands.

        Without drafts of a review, and without what was begun after a review and broken off.
        """
        reviews = [i for i, e in enumerate(self.events) if _is_done(e)]
        pauses = [i for i, e in enumerate(self.events) if isinstance(e, Paused)]
        kept = self.events
        if reviews:
            kept = (*self.events[: pauses[0]], *self.events[reviews[-1] :])
        return tuple(e for e in kept if not (isinstance(e, Reviewed) and e.stage == "draft"))

    @property
    def paused(self) -> Paused | None:
        """Where the run waits for a review, or waited and was broken off after; None if not."""
        if self.finished is not None:
            return None
        return next((e for e in reversed(self.events) if isinstance(e, Paused)), None)

    @property
    def edits(self) -> Edits:
        """What a person has made of the first clues so far, as a draft or for good."""
        made = (e for e in reversed(self.events) if isinstance(e, Reviewed))
        return next((e.edits for e in made if e.stage != "earlier"), Edits())

    @property
    def explanation(self) -> Explanation | None:
        """The final explanation, else the last one written."""
        written = (e.explanation for e in self.events if isinstance(e, Explained | Finished))
        return next(reversed([*written]), None)


def _given(events: Iterable[Event]) -> Iterator[Clue]:
    for event in events:
        if isinstance(event, ToolFinished | Reviewed):
            yield from event.clues


def _is_done(event: Event) -> bool:
    return isinstance(event, Reviewed) and event.stage == "done"


def read_trace(path: Path) -> Trace:
    """Return the run that a file tells of; a torn last line is left out.

    `ConfigError` when the file is no trace or is damaged before its last line.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    torn = lines.pop() != b""
    events = [_event(path, number, line) for number, line in enumerate(lines, start=1)]
    if not events or not isinstance(events[0], Header):
        raise ConfigError(f"{path} is not a trace of emer: it does not begin with a header")
    return Trace(header=events[0], events=tuple(events[1:]), torn=torn)


def _event(path: Path, number: int, line: bytes) -> Event:
    try:
        return EVENT.validate_json(line)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]["msg"]
        raise ConfigError(f"{path}, line {number} is not an event of emer: {problem}") from error
