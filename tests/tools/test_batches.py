"""Batches that fit, batches in common, and calls that are given up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import pytest

from emer.tools.runtime.batching import Together, in_batches
from emer.tools.runtime.cancellation import Abandoned, Call, at_work, holding, note, still_wanted
from emer.tools.runtime.model_pool import Key, Shared


class Model:
    """Doubles numbers, has memory for so many at a time, and chokes on "bad"."""

    def __init__(self, fits: int = 99, gate: threading.Event | None = None) -> None:
        self.fits, self.gate = fits, gate
        self.batches: list[list[object]] = []

    def __call__(self, items: Sequence[object]) -> list[object]:
        if self.gate is not None:
            self.gate.wait(10)
        still_wanted()
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
    with at_work(Call()) as call:
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


def test_between_two_batches_it_is_asked_whether_anybody_waits():
    call, done = Call(), []

    def work(items: Sequence[int]) -> Sequence[int]:
        done.extend(items)
        call.give_up()
        return items

    with at_work(call), pytest.raises(Abandoned):
        in_batches(range(9), 1, work)
    assert done == [0]


def at_once(*works: Callable[[], object]) -> list[object]:
    """Run each in a thread of its own; return what each gave or raised."""
    found: list[object] = [None] * len(works)

    def run(place: int, work: Callable[[], object]) -> None:
        try:
            found[place] = work()
        except Exception as error:
            found[place] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return found


def waiting(together: Together[object, object], count: int) -> None:
    """Wait until so many items stand in the queue."""
    for _ in range(2000):
        if len(together._queue) >= count:
            return
        time.sleep(0.005)
    raise AssertionError(f"{len(together._queue)} items came, not {count}")


def in_company(
    together: Together[object, object], model: Model, *others: list[object]
) -> list[object]:
    """Have a first caller hold the model until the others' items stand in the queue."""
    model.gate = threading.Event()

    def conduct() -> None:
        waiting(together, sum(len(items) for items in others))
        assert model.gate is not None
        model.gate.set()

    first = [0]
    calls = [lambda items=items: together(items) for items in (first, *others)]
    starter = threading.Thread(target=conduct)
    lead = threading.Thread(target=lambda: together(first))
    lead.start()
    for _ in range(2000):
        if together._at_work.locked() and not together._queue:
            break
        time.sleep(0.005)
    starter.start()
    found = at_once(*calls[1:])
    lead.join(20)
    starter.join(20)
    return found


def test_what_others_bring_meanwhile_goes_into_one_batch():
    model = Model()
    together: Together[object, object] = Together(model, 8)
    found = in_company(together, model, [1, 2], [3, 4], [5, 6])
    assert found == [[2, 4], [6, 8], [10, 12]]
    assert [sorted(batch) for batch in model.batches] == [[0], [1, 2, 3, 4, 5, 6]]  # type: ignore[type-var]


def test_a_common_batch_has_its_limit():
    model = Model()
    together: Together[object, object] = Together(model, 4)
    found = in_company(together, model, [1, 2, 3], [4, 5, 6])
    assert found == [[2, 4, 6], [8, 10, 12]]
    assert [len(batch) for batch in model.batches] == [1, 4, 2]


def test_one_caller_s_fault_is_not_another_s():
    model = Model()
    together: Together[object, object] = Together(model, 8)
    good, bad, fine = in_company(together, model, [1, 2], ["bad"], [3])
    assert good == [2, 4] and fine == [6] and isinstance(bad, ValueError)


def test_what_is_noted_of_a_common_batch_is_told_to_all_who_brought_it():
    def work(items: Sequence[object]) -> list[object]:
        if len(items) > 1:
            note("went on with 2")
        return list(items)

    together, calls = Together(work, 8), (Call(), Call())

    def bring(call: Call) -> object:
        with at_work(call):
            return together([call])

    with holding(together._at_work):
        with at_work(Call()) as alone:
            assert Together(work, 8)([1]) == [1]
        threads = [threading.Thread(target=bring, args=(call,)) for call in calls]
        for thread in threads:
            thread.start()
        waiting(together, 2)
    for thread in threads:
        thread.join(20)
    assert [call.notes for call in (*calls, alone)] == [("went on with 2",)] * 2 + [()]


def test_who_gives_up_leaves_the_others_items_to_them():
    model, call = Model(gate=threading.Event()), Call()
    together: Together[object, object] = Together(model, 8)

    def give_up() -> object:
        with at_work(call):
            return together([1])

    def stay() -> object:
        waiting_for_lead()
        call.give_up()
        assert model.gate is not None
        model.gate.set()
        return together([2])

    def waiting_for_lead() -> None:
        for _ in range(2000):
            if together._at_work.locked() and not together._queue:
                return
            time.sleep(0.005)

    gone, stayed = at_once(give_up, stay)
    assert isinstance(gone, Abandoned) and stayed == [4]
    assert not together._queue


def test_a_call_that_waits_for_a_lock_can_be_given_up():
    lock, call = threading.Lock(), Call()
    with lock:
        call.give_up()
        with at_work(call), pytest.raises(Abandoned), holding(lock):
            raise AssertionError("the lock was never free")


def test_notes_belong_to_the_call_of_the_thread():
    note("nobody hears this")
    still_wanted()
    with at_work(Call()) as outer:
        note("a")
        with at_work(Call()) as inner:
            note("b")
        note("a")
    assert outer.notes == ("a",) and inner.notes == ("b",)


def test_what_fitted_is_remembered_until_the_model_is_unloaded():
    model, key = Model(fits=2), Key("doubling", "weights", "cpu")
    tried: list[int] = []

    def counted(loaded: Model, items: Sequence[object]) -> list[object]:
        tried.append(len(items))
        return loaded(items)

    shared = Shared(key, lambda: model, counted, batch=8)
    assert shared(range(16)) == [2 * n for n in range(16)]
    assert tried == [8, 4, *[2] * 8]
    shared.unload()
    shared(range(4))
    assert tried[10:] == [4, 2, 2], "a model loaded anew may fit better"
    shared.unload()


def test_nothing_of_those_who_left_stays_behind():
    """Two in one batch give up, the one who waits before the one who leads."""
    gate, begun = threading.Event(), threading.Event()

    def work(items: Sequence[object]) -> list[object]:
        if len(items) == 2:
            begun.set()
            gate.wait(10)
            still_wanted()
        return list(items)

    together, calls = Together(work, 8), (Call(), Call())

    def bring(call: Call) -> None:
        with at_work(call), pytest.raises(Abandoned):
            together([call])

    threads = [threading.Thread(target=bring, args=(call,)) for call in calls]
    with holding(together._at_work):  # both are in the queue before one of them leads
        for thread in threads:
            thread.start()
        while len(together._queue) < 2:
            time.sleep(0.005)
    assert begun.wait(10)
    for call in calls:
        call.give_up()
    while all(thread.is_alive() for thread in threads):
        time.sleep(0.005)
    gate.set()
    for thread in threads:
        thread.join()
    assert not together._queue


def test_a_model_that_takes_one_at_a_time_is_not_said_to_have_been_given_more():
    key, tried = Key("single", "weights", "cpu"), []

    def work(loaded: object, items: Sequence[object]) -> list[object]:
        tried.append(len(items))
        raise MemoryError

    shared = Shared(key, object, work, batch=8, one_by_one=lambda _: True)
    with at_work(Call()) as call, pytest.raises(MemoryError):
        shared(range(4))
    assert tried == [1] and call.notes == ()
    shared.unload()


def test_a_leader_hears_nothing_of_a_batch_that_holds_only_others_items():
    def work(items: Sequence[object]) -> list[object]:
        note(f"did {', '.join(map(str, items))}")
        return list(items)

    together, calls = Together(work, 1), (Call(), Call())

    def bring(place: int) -> object:
        with at_work(calls[place]):
            return together([place])

    threads = [threading.Thread(target=bring, args=(place,)) for place in (0, 1)]
    with holding(together._at_work):
        for thread in threads:
            thread.start()
        waiting(together, 2)
    for thread in threads:
        thread.join(20)
    assert [call.notes for call in calls] == [("did 0",), ("did 1",)]
