"""The runs that a server has under way: the live objects of each, held by run id.

A server keeps the state of a run, which is plain JSON; what is no JSON (the clip, tools,
store, trace) stays here, in its process. A run that is not here any more is opened again
from its trace.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field

from emer.graphs.context import Context

MOST = 8
"""Runs kept open; beyond them, those that wait longest are closed (chosen by us)."""

Open = Callable[[], AbstractContextManager[Context]]


@dataclass(slots=True)
class _Run:
    context: Context
    stack: ExitStack = field(default_factory=ExitStack)
    nodes: int = 0
    """Nodes at work on it at this moment."""


class LiveRuns:
    """Live objects by run id, safe from several threads."""

    def __init__(self) -> None:
        """Start empty."""
        self._runs: dict[str, _Run] = {}
        self._lock = threading.RLock()

    def __len__(self) -> int:
        """Return how many runs are open."""
        return len(self._runs)

    @contextmanager
    def at_work(self, run_id: str, open_run: Open) -> Iterator[Context]:
        """Give the run's live objects, opened with `open_run` where they are not here."""
        run = self._take(run_id, open_run)
        try:
            yield run.context
        finally:
            with self._lock:
                run.nodes -= 1

    def end(self, run_id: str) -> None:
        """Close a run's live objects; nothing happens where they are closed."""
        with self._lock:
            run = self._runs.pop(run_id, None)
            if run is not None:
                run.stack.close()

    def _take(self, run_id: str, open_run: Open) -> _Run:
        with self._lock:
            run = self._runs.pop(run_id, None) or self._opened(open_run)
            self._runs[run_id] = run  # the last taken stands last
            run.nodes += 1
            return run

    def _opened(self, open_run: Open) -> _Run:
        idle = [run_id for run_id, run in self._runs.items() if not run.nodes]
        for run_id in idle[: max(0, len(self._runs) + 1 - MOST)]:
            self.end(run_id)
        stack = ExitStack()
        return _Run(stack.enter_context(open_run()), stack)
