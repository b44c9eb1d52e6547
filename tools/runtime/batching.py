"""A model's work cut into batches that fit: out of memory halves the batch and says so.

`in_batches` is for one caller. `Together` is for several at once: what they bring while a
batch runs goes into the next one, so that a corpus fills a GPU without anybody arranging it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Generic, TypeVar, cast

from emer.tools.runtime import device as devices
from emer.tools.runtime.cancellation import (
    SLICE,
    Abandoned,
    current,
    note,
    overhearing,
    still_wanted,
)

Item = TypeVar("Item")
Result = TypeVar("Result")
Work = Callable[[Sequence[Item]], Sequence[Result]]


def in_batches(
    items: Sequence[Item],
    size: int,
    work: Work[Item, Result],
    device: str = devices.CPU,
    smaller: Callable[[int], None] = lambda _: None,
) -> list[Result]:
    """Return one result per item, in order, `size` items (or fewer) at a time.

    A batch that does not fit into the device's memory is done again in halves, and the size
    stays so for the rest; a note says it, and `smaller` is told the size. A single item that does
    not fit raises what the model raised. `Abandoned` between two batches when nobody waits.
    """
    found: list[Result] = []
    fits = max(1, size)
    while len(found) < len(items):
        still_wanted()
        batch = items[len(found) : len(found) + fits]
        try:
            found += work(batch)
        except (RuntimeError, MemoryError) as error:
            if not devices.is_out_of_memory(error) or len(batch) == 1:
                raise
            fits = len(batch) // 2
            smaller(fits)
            note(f"{device} has no memory for {len(batch)} at a time; went on with {fits}")
        else:
            continue
        devices.release(device)  # outside `except`: the error holds what did not fit
    return found


class _Ticket(Generic[Item, Result]):
    """One item that somebody waits for."""

    def __init__(self, item: Item, caller: object) -> None:
        self.item, self.caller = item, caller
        self.call = current()
        self.alone = self.gone = False
        self.done = threading.Event()
        self.result: list[Result] = []
        self.error: BaseException | None = None

    def hear(self, notes: Sequence[str]) -> None:
        if self.call is not None:
            for text in notes:
                self.call.note(text)

    def end(self, result: Result) -> None:
        self.result = [result]
        self.done.set()

    def fail(self, error: BaseException) -> None:
        self.error = error
        self.done.set()


class Together(Generic[Item, Result]):
    """Does what several threads bring in common batches of at most `most` items.

    One of the callers works, the others wait; what is noted meanwhile is told to all whose items
    were in the batch. A batch that fails is done again caller by caller, so that one clip's fault
    is not another's.
    """

    def __init__(self, work: Work[Item, Result], most: int) -> None:
        """Take what does a batch; it is never called by two threads at once."""
        self.most = max(1, most)
        self._work = work
        self._queue: deque[_Ticket[Item, Result]] = deque()
        self._lock = threading.Lock()
        self._at_work = threading.Lock()

    def __call__(self, items: Sequence[Item]) -> list[Result]:
        """Return one result per item, in order; raise what the work raised."""
        caller = object()
        mine: list[_Ticket[Item, Result]] = [_Ticket(item, caller) for item in items]
        with self._lock:
            self._queue.extend(mine)
        try:
            for ticket in mine:
                self._wait(ticket)
        finally:
            self._take_back(mine)
        return [ticket.result[0] for ticket in mine]

    def _wait(self, ticket: _Ticket[Item, Result]) -> None:
        while not ticket.done.is_set():
            still_wanted()
            if self._at_work.acquire(timeout=SLICE):
                try:
                    self._lead(ticket)
                finally:
                    self._at_work.release()
        if ticket.error is not None:
            raise ticket.error

    def _lead(self, mine: _Ticket[Item, Result]) -> None:
        """Work through the queue until this caller's ticket is done."""
        while not mine.done.is_set():
            batch = self._take()
            try:
                self._do(batch)
            except Abandoned:  # this caller gives up; the others' items wait for the next
                self._put_back(batch)
                raise
            except BaseException as error:
                if len({ticket.caller for ticket in batch}) == 1:
                    _fail(batch, error)
                else:
                    self._put_back(batch, alone=True)

    def _take(self) -> list[_Ticket[Item, Result]]:
        """Return the next batch; those whose batch failed go with nobody else's."""
        with self._lock:
            batch = [self._queue.popleft()]
            while self._queue and len(batch) < self.most:
                first, after = batch[0], self._queue[0]
                if (first.alone or after.alone) and after.caller is not first.caller:
                    break
                batch.append(self._queue.popleft())
            return batch

    def _put_back(self, batch: Sequence[_Ticket[Item, Result]], *, alone: bool = False) -> None:
        with self._lock:
            for ticket in reversed([one for one in batch if not one.gone]):
                ticket.alone = ticket.alone or alone
                self._queue.appendleft(ticket)

    def _do(self, batch: Sequence[_Ticket[Item, Result]]) -> None:
        with overhearing() as notes:
            try:
                results = self._work([ticket.item for ticket in batch])
            finally:
                for ticket in batch:
                    ticket.hear(notes)
        for ticket, result in zip(batch, results, strict=True):
            ticket.end(result)

    def _take_back(self, mine: Sequence[_Ticket[Item, Result]]) -> None:
        """Leave nothing of a caller that is gone in the queue."""
        with self._lock:
            for ticket in mine:
                ticket.gone = True
                if ticket in self._queue:
                    self._queue.remove(ticket)


_COMMON: dict[Hashable, Together[Any, Any]] = {}
_COMMON_LOCK = threading.Lock()


def common(key: Hashable, make: Callable[[], Together[Item, Result]]) -> Together[Item, Result]:
    """Return the one `Together` of the process for a key, made by the first who asks.

    The key says all that the work depends on, so that tools of one kind share it.
    """
    with _COMMON_LOCK:
        if key not in _COMMON:
            _COMMON[key] = make()
        return cast("Together[Item, Result]", _COMMON[key])


def _fail(batch: Sequence[_Ticket[Item, Result]], error: BaseException) -> None:
    for ticket in batch:
        ticket.fail(error)
