"""A thread of its own for work that must always be done by the same one, as CUDA graphs are.

torch keeps what a compiled model recorded with the thread that ran it; in another thread it is
recorded anew. Whoever calls waits; the call that is waited for goes along.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeVar

from emer.tools.runtime.cancellation import Call, at_work, current

Result = TypeVar("Result")
_Task = Callable[[], None]


class Hand:
    """Does one thing after another in its own daemon thread, which begins with the first."""

    def __init__(self) -> None:
        """Begin nothing."""
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def __call__(self, work: Callable[[], Result]) -> Result:
        """Return what `work` returns there; raise what it raises."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._go_on, daemon=True, name="emer-hand")
            self._thread.start()
        call, done = current() or Call(), threading.Event()
        found: list[Result] = []
        raised: list[BaseException] = []

        def task() -> None:
            try:
                with at_work(call):
                    found.append(work())
            except BaseException as error:
                raised.append(error)
            finally:
                done.set()

        self._tasks.put(task)
        done.wait()
        if raised:
            raise raised[0]
        return found[0]

    def close(self) -> None:
        """Let the thread end after what it was given."""
        if self._thread is not None:
            self._tasks.put(None)
            self._thread = None

    def _go_on(self) -> None:
        while (task := self._tasks.get()) is not None:
            task()
