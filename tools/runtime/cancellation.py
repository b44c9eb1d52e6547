"""The call a tool is at work in: whether anybody still waits for it, and what it has to say.

Python cannot end a thread. Whoever gives a call up says so here, and long work asks between
its steps:

    for window in windows:
        still_wanted()
        ...

`note` is for what a user should know of how a result came about; it is no clue.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from emer.tools.errors import EmerError

SLICE = 0.05
"""Seconds between two looks at whether a call that waits is still wanted."""


class Abandoned(EmerError):
    """Nobody waits for this call any more: its time is up, or the user stopped the run."""


class Call:
    """One call of a tool; safe to give up from another thread."""

    def __init__(self) -> None:
        """Begin: wanted, and with nothing to say."""
        self._given_up = threading.Event()
        self._notes: list[str] = []

    @property
    def notes(self) -> tuple[str, ...]:
        """What was noted, each text once, in order."""
        return tuple(dict.fromkeys(self._notes))

    @property
    def wanted(self) -> bool:
        """Whether somebody still waits for the result."""
        return not self._given_up.is_set()

    def give_up(self) -> None:
        """Have the work end at its next step."""
        self._given_up.set()

    def note(self, text: str) -> None:
        """Keep a sentence for the user."""
        self._notes.append(text)


_HERE = threading.local()


@contextmanager
def at_work(call: Call) -> Iterator[Call]:
    """Make `call` the one that this thread is at work in while the block runs."""
    before = current()
    _HERE.call = call
    try:
        yield call
    finally:
        _HERE.call = before


def current() -> Call | None:
    """Return the call that this thread is at work in."""
    return getattr(_HERE, "call", None)


def still_wanted() -> None:
    """Raise `Abandoned` when this thread's call has been given up."""
    call = current()
    if call is not None and not call.wanted:
        raise Abandoned("the call was given up")


def note(text: str) -> None:
    """Tell the user of this thread's call, if it is one; else nobody asked."""
    heard: list[str] | None = getattr(_HERE, "heard", None)
    call = current()
    if heard is not None:
        heard.append(text)
    elif call is not None:
        call.note(text)


@contextmanager
def overhearing() -> Iterator[list[str]]:
    """Yield a list that fills with what this thread notes while the block runs.

    Its call hears nothing of that: whoever has the list says whom it concerns.
    """
    before = getattr(_HERE, "heard", None)
    heard: list[str] = []
    _HERE.heard = heard
    try:
        yield heard
    finally:
        _HERE.heard = before


@contextmanager
def holding(lock: threading.Lock) -> Iterator[None]:
    """Hold `lock` while the block runs; a call that is given up does not wait on for it."""
    while not lock.acquire(timeout=SLICE):
        still_wanted()
    try:
        yield
    finally:
        lock.release()
