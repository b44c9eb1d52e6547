"""Batches that fit into memory, for one caller or for several threads.

`in_batches` halves a batch that runs out of memory. `BatchQueue` joins the items of several
threads: what they bring while a batch runs goes into the next one, so that clips observed side
by side (`emer-eval run --workers`) share the batches of a model.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from emer.tools.runtime.cancellation import (
    POLL_SECONDS,
    Call,
    Cancelled,
    collected_notes,
    current_call,
    note,
    raise_if_cancelled,
)
from emer.tools.runtime.device import CPU, is_out_of_memory, release_memory

Item = TypeVar("Item")
Result = TypeVar("Result")
Work = Callable[[Sequence[Item]], Sequence[Result]]


def in_batches(
    items: Sequence[Item],
    size: int,
    work: Work[Item, Result],
    device: str = CPU,
    smaller: Callable[[int], None] = lambda _: None,
) -> list[Result]:
    """One result per item, in order, from batches of at most `size` items.

    A batch that does not fit into memory is repeated in halves, and so is the rest; a note
    reports it. The model's own error is raised for a single item that does not fit, `Cancelled`
    between two batches of a cancelled call.

    Args:
        items: What to work on.
        size: Items in a batch.
        work: Returns one result per item of a batch.
        device: Device whose memory is released after a batch that did not fit.
        smaller: Called with the new size.
    """
    results: list[Result] = []
    fits = max(1, size)
    while len(results) < len(items):
        raise_if_cancelled()
        batch = items[len(results) : len(results) + fits]
        try:
            results += work(batch)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or len(batch) == 1:
                raise
            fits = len(batch) // 2
            smaller(fits)
            note(f"{device} has no memory for {len(batch)} at a time; went on with {fits}")
        else:
            continue
        release_memory(device)  # outside `except`: the error holds what did not fit
    return results


@dataclass(eq=False)
class _Ticket(Generic[Item, Result]):
    """One item in the queue of a `BatchQueue`."""

    item: Item
    caller: object
    call: Call | None
    result: Future[Result] = field(default_factory=Future)
    alone: bool = False
    """Its batch failed: it is repeated without other callers' items."""
    withdrawn: bool = False


class BatchQueue(Generic[Item, Result]):
    """Works on the items of several threads in common batches of at most `most` items.

    One of the callers works, the others wait; notes of a batch go to all callers with an item
    in it. A batch that fails is repeated caller by caller, so that one clip's failure does not
    affect another.
    """

    def __init__(self, work: Work[Item, Result], most: int) -> None:
        """Take what works on a batch; it is never called by two threads at once."""
        self.most = max(1, most)
        self._work = work
        self._queue: deque[_Ticket[Item, Result]] = deque()
        self._queue_lock = threading.Lock()
        self._work_lock = threading.Lock()

    def __len__(self) -> int:
        """Number of items that wait for a batch."""
        return len(self._queue)

    def __call__(self, items: Sequence[Item]) -> list[Result]:
        """One result per item, in order; raises what the work raised."""
        caller, call = object(), current_call()
        tickets: list[_Ticket[Item, Result]] = [_Ticket(item, caller, call) for item in items]
        with self._queue_lock:
            self._queue.extend(tickets)
        try:
            return [self._wait(ticket) for ticket in tickets]
        finally:
            with self._queue_lock:
                for ticket in tickets:
                    ticket.withdrawn = True
                    if ticket in self._queue:
                        self._queue.remove(ticket)

    def _wait(self, ticket: _Ticket[Item, Result]) -> Result:
        while not ticket.result.done():
            raise_if_cancelled()
            if self._work_lock.acquire(timeout=POLL_SECONDS):
                try:
                    self._work_until_done(ticket)
                finally:
                    self._work_lock.release()
        return ticket.result.result()

    def _work_until_done(self, ticket: _Ticket[Item, Result]) -> None:
        while not ticket.result.done():
            batch = self._take()
            try:
                self._work_on(batch)
            except Cancelled:  # this caller's; the others' items wait for the next to work
                self._put_back(batch)
                raise
            except BaseException as error:
                if len({each.caller for each in batch}) > 1:
                    self._put_back(batch, alone=True)
                else:
                    for each in batch:
                        each.result.set_exception(error)

    def _take(self) -> list[_Ticket[Item, Result]]:
        with self._queue_lock:
            batch = [self._queue.popleft()]
            while self._queue and len(batch) < self.most:
                first, after = batch[0], self._queue[0]
                if (first.alone or after.alone) and after.caller is not first.caller:
                    break
                batch.append(self._queue.popleft())
            return batch

    def _put_back(self, batch: Sequence[_Ticket[Item, Result]], *, alone: bool = False) -> None:
        with self._queue_lock:
            for ticket in reversed([each for each in batch if not each.withdrawn]):
                ticket.alone = ticket.alone or alone
                self._queue.appendleft(ticket)

    def _work_on(self, batch: Sequence[_Ticket[Item, Result]]) -> None:
        with collected_notes() as notes:
            try:
                results = self._work([ticket.item for ticket in batch])
            finally:
                for call in (ticket.call for ticket in batch if ticket.call is not None):
                    for text in notes:
                        call.note(text)
        for ticket, result in zip(batch, results, strict=True):
            ticket.result.set_result(result)
