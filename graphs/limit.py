"""Calling something that may hang: with a time limit, and without waiting at exit."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

from emer.tools.call import Call, at_work

Result = TypeVar("Result")

_SLICE = 0.05
"""Seconds between looks at whether the run was stopped."""


class TimeUp(Exception):
    """The call did not return within its limit and was abandoned."""


class Stopped(Exception):
    """The user stopped the run while the call was going on."""


class _Outcome(Generic[Result]):
    def __init__(self) -> None:
        self.done = threading.Event()
        self.value: Result | None = None
        self.error: BaseException | None = None


def call(
    work: Callable[[], Result],
    seconds: float,
    stop: threading.Event,
    nice: int = 0,
    this: Call | None = None,
) -> Result:
    """Return what `work` returns or raise what it raises, waiting at most `seconds`.

    `nice` is how far the thread steps back for others, as in Unix's nice(1). `this` hears
    what the work notes, and is given up when nobody waits any more.

    It runs in a daemon thread of its own: Python cannot end a thread, and those of an
    executor are waited for when the process exits, so a hanging tool would hold it back.
    Raises `TimeUp`, or `Stopped` once `stop` is set.
    """
    outcome: _Outcome[Result] = _Outcome()
    this = this or Call()
    given = (work, outcome, nice, this)
    threading.Thread(target=_run, args=given, name="emer-tool", daemon=True).start()
    try:
        in_time = _wait(outcome.done, seconds, stop)
    except BaseException:
        this.give_up()
        raise
    if not in_time:
        this.give_up()
        raise TimeUp(f"no result within {seconds:g} s")
    if outcome.error is not None:
        raise outcome.error
    return outcome.value  # type: ignore[return-value]


def _run(work: Callable[[], Result], outcome: _Outcome[Result], nice: int, this: Call) -> None:
    _step_back(nice)
    try:
        with at_work(this):
            outcome.value = work()
    except BaseException as error:  # SystemExit too: a tool must not end the run
        outcome.error = error
    finally:
        outcome.done.set()


def _step_back(nice: int) -> None:
    """Lower this thread's priority; on Linux alone a thread has one of its own."""
    if nice and sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)


def _wait(done: threading.Event, seconds: float, stop: threading.Event) -> bool:
    """Tell whether `done` was set in time; raise `Stopped` if `stop` was first."""
    deadline = time.monotonic() + seconds
    while not done.is_set():
        left = deadline - time.monotonic()
        if stop.is_set():
            raise Stopped
        if left <= 0:
            return False
        done.wait(min(left, _SLICE))
    return True
