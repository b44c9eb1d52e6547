"""Blocking work in a daemon thread, with a time limit and an end when it is given up."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from contextvars import copy_context
from typing import Final, TypeVar

from emer.tools.errors import EmerError
from emer.tools.runtime.cancellation import POLL_SECONDS, Call, in_call, raise_if_cancelled

Result = TypeVar("Result")

WORKER: Final = "emer-tool"
"""Name of the threads of limited calls; one that was given up may outlast its caller."""


class TimeLimitExceeded(EmerError):
    """The work did not end within its limit and was given up."""


def start_daemon(work: Callable[[], Result], name: str) -> Future[Result]:
    """Start `work` in a daemon thread of its own.

    Python cannot end a thread, and those of an executor are waited for when the process exits,
    so a hanging tool would delay it.
    """
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # SystemExit too: a tool must not end the run
            future.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future


def call_with_limit(
    work: Callable[[], Result],
    seconds: float,
    *,
    call: Call | None = None,
    watch: Callable[[], None] = lambda: None,
    nice: int = 0,
) -> Result:
    """Result of `work`, within so many seconds and until the caller's own call is cancelled.

    Args:
        work: Runs in a daemon thread.
        seconds: Its time limit.
        call: Receives its notes; cancelled when the work is given up, which closes its
            connections (`connections.bound`).
        watch: Called at each poll; an error that it raises gives the work up.
        nice: Niceness of the thread, as in Unix's nice(1).

    Raises:
        TimeLimitExceeded: No result within the limit.
        Cancelled: The caller's own call was cancelled.
    """
    own = call or Call()

    def run() -> Result:
        if nice and sys.platform == "linux":  # elsewhere a thread has no priority of its own
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)
        with in_call(own):
            return work()

    context = copy_context()
    future = start_daemon(lambda: context.run(run), WORKER)
    deadline = time.monotonic() + seconds
    try:
        while not future.done():
            left = deadline - time.monotonic()
            raise_if_cancelled()
            watch()
            if left <= 0:
                raise TimeLimitExceeded(f"no result within {seconds:g} s")
            wait([future], min(left, POLL_SECONDS))
    except BaseException:
        own.cancel()
        raise
    return future.result()
