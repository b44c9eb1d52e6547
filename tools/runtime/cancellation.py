"""The current call of a tool: whether it is cancelled, and its notes for the user.

Python cannot end a thread: a cancelled call is marked here, and long work calls
`raise_if_cancelled` between its steps. A note says how a result came about; it is no clue.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

from emer.tools.errors import EmerError

POLL_SECONDS = 0.05
"""Interval at which a waiting call checks whether it is cancelled."""


class Cancelled(EmerError):
    """The current call was cancelled: its time is up, or the user stopped the run."""


class Call:
    """One call of a tool; may be cancelled from another thread."""

    def __init__(self, on_progress: Callable[[float], None] | None = None) -> None:
        self.on_progress = on_progress
        self._cancelled = threading.Event()
        self._notes: list[str] = []
        self._endings: list[Callable[[], None]] = []

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes in order, each text once."""
        return tuple(dict.fromkeys(self._notes))

    @property
    def cancelled(self) -> bool:
        """Whether the result is no longer needed."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Have the work end at its next step, and close its connections."""
        self._cancelled.set()
        with suppress(IndexError):  # two threads may cancel at once
            while True:
                self._endings.pop()()

    def on_cancel(self, ending: Callable[[], None]) -> None:
        """Call `ending` when this call is cancelled, at once if it already is."""
        self._endings.append(ending)
        if self.cancelled:
            self.cancel()

    def note(self, text: str) -> None:
        """Add a sentence for the user."""
        self._notes.append(text)

    def report_progress(self, share: float) -> None:
        """Tell the listener, if there is one, that this share of the work is done."""
        if self.on_progress is not None:
            self.on_progress(share)


_CALL: ContextVar[Call | None] = ContextVar("call", default=None)
_LOCAL = threading.local()


@contextmanager
def in_call(call: Call) -> Iterator[Call]:
    """Make `call` the current one of this context while the block runs."""
    token = _CALL.set(call)
    try:
        yield call
    finally:
        _CALL.reset(token)


def current_call() -> Call | None:
    """The call that this thread works for, if any: a copied context keeps it."""
    return _CALL.get()


def raise_if_cancelled() -> None:
    """Raise `Cancelled` if the current call of this thread was cancelled."""
    call = current_call()
    if call is not None and call.cancelled:
        raise Cancelled("the call was cancelled")


def note(text: str) -> None:
    """Add a note to the current call of this thread; without one it is dropped."""
    collected: list[str] | None = getattr(_LOCAL, "collected", None)
    call = current_call()
    if collected is not None:
        collected.append(text)
    elif call is not None:
        call.note(text)


def report_progress(share: float) -> None:
    """Report to the current call which share of its work, in [0, 1], is done."""
    call = current_call()
    if call is not None:
        call.report_progress(share)


@contextmanager
def collected_notes() -> Iterator[list[str]]:
    """Collect this thread's notes in a list instead of in its call."""
    outer = getattr(_LOCAL, "collected", None)
    notes: list[str] = []
    _LOCAL.collected = notes
    try:
        yield notes
    finally:
        _LOCAL.collected = outer


@contextmanager
def locked(lock: threading.Lock) -> Iterator[None]:
    """Hold `lock`; `Cancelled` if the call is cancelled while it waits."""
    while not lock.acquire(timeout=POLL_SECONDS):
        raise_if_cancelled()
    try:
        yield
    finally:
        lock.release()
