"""Batches that fit into memory, batches of several threads, cancelled calls."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from emer.tools.runtime.batching import BatchQueue, in_batches
from emer.tools.runtime.cancellation import (
    Call,
    Cancelled,
    current_call,
    in_call,
    locked,
    note,
    raise_if_cancelled,
)
from emer.tools.runtime.model_pool import Key, PooledModel

pytestmark = pytest.mark.slow


class Model:
    """Doubles numbers, has memory for so many at a time, and fails on "bad"."""

    def __init__(self, fits: int = 99) -> None:
        self.fits = fits
        self.batches: list[list[object]] = []

    def __call__(self, items: Sequence[object]) -> list[object]:
        raise_if_cancelled()
        if len(items) > self.fits:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        if "bad" in items:
            raise ValueError("bad item")
        self.batches.append(list(items))
        return [2 * item for item in items]  # type: ignore[operator]


def test_items_are_done_in_order_so_many_at_a_time():
    model = Model()
    assert in_batches(range(5), 2, model) == [0, 2, 4, 6, 8]
    assert model.batches == [[0, 1], [2, 3], [4]]
    assert in_batches([], 4, model) == []


def test_out_of_memory_halves_the_batch_and_says_so():
    model = Model(fits=3)
    with in_call(Call()) as call:
        assert in_batches(range(10), 8, model) == [2 * n for n in range(10)]
    assert [len(batch) for batch in model.batches] == [2, 2, 2, 2, 2]
    assert call.notes == (
        "cpu has no memory for 8 at a time; went on with 4",
        "cpu has no memory for 4 at a time; went on with 2",
    )


def test_one_item_that_does_not_fit_is_the_model_s_own_error():
    with pytest.raises(RuntimeError, match="out of memory"):
        in_batches([1, 2], 2, Model(fits=0))
    with pytest.raises(ValueError, match="bad item"):
        in_batches(["bad"], 2, Model())


def test_a_cancelled_call_ends_between_two_batches():
    call, done = Call(), []

    def work(items: Sequence[int]) -> Sequence[int]:
        done.extend(items)
        call.cancel()
        return items

    with in_call(call), pytest.raises(Cancelled):
        in_batches(range(9), 1, work)
    assert done == [0]


class Queued:
    """A queue whose first batch, of the item "first", waits until others' items are queued."""

    def __init__(self, work: Callable[[Sequence[object]], Sequence[object]], most: int) -> None:
        self._work = work
        self._begun, self._gate = threading.Event(), threading.Event()
        self.queue: BatchQueue[object, object] = BatchQueue(self._gated, most)

    def _gated(self, items: Sequence[object]) -> Sequence[object]:
        if items == ["first"]:
            self._begun.set()
            assert self._gate.wait(10)
            return ["done"]
        return self._work(items)

    def run(self, *callers: list[object], calls: Sequence[Call] = ()) -> list[Future[object]]:
        """Have each caller bring its items, in this order, while the first batch is at work."""
        with ThreadPoolExecutor(len(callers) + 1) as threads:
            first = threads.submit(self.queue, ["first"])
            assert self._begun.wait(10)
            results = []
            for place, items in enumerate(callers):
                call = calls[place] if calls else Call()
                results.append(threads.submit(self._bring, items, call))
                self._until(lambda n=place: len(self.queue) == sum(map(len, callers[: n + 1])))
            self._gate.set()
        assert first.result() == ["done"]
        return results

    def _bring(self, items: list[object], call: Call) -> list[object]:
        with in_call(call):
            return self.queue(items)

    @staticmethod
    def _until(holds: Callable[[], bool]) -> None:
        pause = threading.Event()
        for _ in range(2000):
            if holds():
                return
            pause.wait(0.005)
        raise AssertionError("the items did not come")


def test_what_others_bring_meanwhile_goes_into_one_batch():
    model = Model()
    results = Queued(model, 8).run([1, 2], [3, 4], [5, 6])
    assert [each.result() for each in results] == [[2, 4], [6, 8], [10, 12]]
    assert model.batches == [[1, 2, 3, 4, 5, 6]]


def test_a_common_batch_has_its_limit():
    model = Model()
    results = Queued(model, 4).run([1, 2, 3], [4, 5, 6])
    assert [each.result() for each in results] == [[2, 4, 6], [8, 10, 12]]
    assert model.batches == [[1, 2, 3, 4], [5, 6]]


def test_one_caller_s_failure_is_not_another_s():
    good, bad, fine = Queued(Model(), 8).run([1, 2], ["bad"], [3])
    assert good.result() == [2, 4] and fine.result() == [6]
    assert isinstance(bad.exception(), ValueError)


def test_notes_of_a_common_batch_go_to_all_who_brought_an_item():
    def work(items: Sequence[object]) -> Sequence[object]:
        if len(items) > 1:
            note("went on with 2")
        return items

    calls = (Call(), Call())
    with in_call(Call()) as alone:
        assert BatchQueue(work, 8)([1]) == [1]
    Queued(work, 8).run([1], [2], calls=calls)
    assert [call.notes for call in (*calls, alone)] == [("went on with 2",)] * 2 + [()]


def test_the_caller_that_works_gets_no_note_of_a_batch_without_its_items():
    def work(items: Sequence[object]) -> Sequence[object]:
        note(f"did {', '.join(map(str, items))}")
        return items

    calls = (Call(), Call())
    Queued(work, 1).run([0], [1], calls=calls)
    assert [call.notes for call in calls] == [("did 0",), ("did 1",)]


def test_a_cancelled_caller_leaves_the_others_items_to_them():
    def work(items: Sequence[object]) -> Sequence[object]:
        if len(items) == 2:
            caller = current_call()
            assert caller is not None
            caller.cancel()
            raise_if_cancelled()
        return items

    queued = Queued(work, 8)
    results = queued.run([1], [2])
    errors = [each.exception() for each in results]
    assert sorted(type(error).__name__ for error in errors) == ["Cancelled", "NoneType"]
    place = errors.index(None)
    assert results[place].result() == [place + 1] and len(queued.queue) == 0


def test_nothing_of_cancelled_callers_stays_in_the_queue():
    calls = (Call(), Call())

    def work(items: Sequence[object]) -> Sequence[object]:
        for call in calls:
            call.cancel()
        raise_if_cancelled()
        return items

    queued = Queued(work, 8)
    results = queued.run([1], [2], calls=calls)
    assert all(isinstance(each.exception(), Cancelled) for each in results)
    assert len(queued.queue) == 0


def test_a_call_that_waits_for_a_lock_can_be_cancelled():
    lock, call = threading.Lock(), Call()
    with lock:
        call.cancel()
        with in_call(call), pytest.raises(Cancelled), locked(lock):
            raise AssertionError("the lock was never free")


def test_notes_belong_to_the_call_of_the_thread():
    note("dropped")
    raise_if_cancelled()
    with in_call(Call()) as outer:
        note("a")
        with in_call(Call()) as inner:
            note("b")
        note("a")
    assert outer.notes == ("a",) and inner.notes == ("b",)


def test_the_batch_that_fitted_is_kept_until_the_model_is_unloaded():
    model, key = Model(fits=2), Key("doubling", "weights", "cpu")
    tried: list[int] = []

    def counted(loaded: Model, items: Sequence[object]) -> list[object]:
        tried.append(len(items))
        return loaded(items)

    pooled = PooledModel(key, lambda: model, counted, batch=8)
    assert pooled(range(16)) == [2 * n for n in range(16)]
    assert tried == [8, 4, *[2] * 8]
    pooled.unload()
    pooled(range(4))
    assert tried[10:] == [4, 2, 2], "a model loaded anew may fit better"
    pooled.unload()


def test_a_model_that_takes_one_at_a_time_is_not_said_to_have_been_given_more():
    key, tried = Key("single", "weights", "cpu"), []

    def work(loaded: object, items: Sequence[object]) -> list[object]:
        tried.append(len(items))
        raise MemoryError

    pooled = PooledModel(key, object, work, batch=8, one_by_one=lambda _: True)
    with in_call(Call()) as call, pytest.raises(MemoryError):
        pooled(range(4))
    assert tried == [1] and call.notes == ()
    pooled.unload()
