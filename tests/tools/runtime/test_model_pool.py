"""Models in memory: loaded once, one at work on a device, let go when room is needed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from emer.tools.errors import ToolFailed
from emer.tools.runtime.cancellation import Call, Cancelled, in_call
from emer.tools.runtime.device import Machine, configure
from emer.tools.runtime.model_pool import Key, ModelPool

pytestmark = pytest.mark.slow


def key(name: str, device: str = "cpu") -> Key:
    return Key("test", name, device)


class Made:
    """A model that knows how often it was made, and whether it was closed."""

    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def pool():
    configure(Machine(model_memory=1.0))
    yield ModelPool()
    configure(None)


def borrow(pool: ModelPool, name: str, gigabytes: float = 0.4, device: str = "cpu") -> Made:
    with pool.borrow(key(name, device), Made, gigabytes) as model:
        return model


def test_a_model_is_loaded_once_and_shared(pool):
    made: list[Made] = []

    def work() -> None:
        with pool.borrow(key("a"), Made) as model:
            made.append(model)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(made) == 8 and len({id(model) for model in made}) == 1


def test_one_model_at_a_time_works_on_a_device(pool):
    with pool.borrow(key("a"), Made):
        call = Call()
        call.cancel()
        with in_call(call), pytest.raises(Cancelled), pool.borrow(key("b"), Made):
            raise AssertionError("the device was busy")
        with pool.borrow(key("b", "cuda:0"), Made):
            pass


def test_the_longest_unused_make_room_for_a_new_one(pool):
    a, b = borrow(pool, "a"), borrow(pool, "b")
    assert borrow(pool, "a") is a
    with in_call(Call()) as call:
        borrow(pool, "c")
    assert [one.weights for one in pool.held()] == ["a", "c"]
    assert b.closed and not a.closed
    assert call.notes == ("test (0.4 GB) left cpu to make room",)


def test_other_devices_are_not_asked_for_room(pool):
    borrow(pool, "a", 0.9)
    borrow(pool, "b", 0.9, "cuda:0")
    assert {one.device for one in pool.held()} == {"cpu", "cuda:0"}


def test_a_model_larger_than_the_budget_is_loaded_alone(pool):
    borrow(pool, "a")
    borrow(pool, "huge", 5.0)
    assert [one.weights for one in pool.held()] == ["huge"]


def test_what_cannot_be_loaded_is_not_kept(pool):
    def load() -> Made:
        raise ValueError("no weights")

    for _ in range(2):
        with pytest.raises(ValueError, match="no weights"), pool.borrow(key("a"), load):
            pass
    assert not pool.held()
    assert isinstance(borrow(pool, "a"), Made)


def test_models_are_let_go_one_by_one_or_all(pool):
    a, b = borrow(pool, "a"), borrow(pool, "b")
    pool.unload(key("a"))
    assert a.closed and [one.weights for one in pool.held()] == ["b"]
    pool.unload()
    assert b.closed and not pool.held()
    assert borrow(pool, "a") is not a


def test_a_model_on_a_second_gpu_is_loaded_and_works_as_on_the_thread_s_own(monkeypatch):
    """Triton's kernels go to the thread's GPU, wherever the tensors are."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    devices: list[str] = []

    @contextmanager
    def device(name: str) -> Iterator[None]:
        devices.append(name)
        yield
        devices.append("left")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device", device)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    pool = ModelPool()
    with pool.borrow(key("a", "cuda:1"), lambda: list(devices)) as at_load:
        assert at_load == devices == ["cuda:1"]
    with pool.borrow(key("a"), Made):
        assert devices == ["cuda:1", "left"]


def test_what_a_torch_model_takes_is_counted_at_its_precision(pool):
    torch = pytest.importorskip("torch")

    def made(dtype):
        return torch.nn.Linear(1000, 1000, bias=False, dtype=dtype)

    with pool.borrow(key("whole"), lambda: made(torch.float32), 0.002):
        assert pool.held()[key("whole")] == pytest.approx(0.004)
    with pool.borrow(key("half"), lambda: Holding(made(torch.float16)), 0.004):
        assert pool.held()[key("half")] == pytest.approx(0.002)


class Holding:
    """A record of a model and what goes with it."""

    def __init__(self, model: object) -> None:
        self.model = model


def test_a_model_that_is_larger_than_its_files_makes_room_once_it_is_known(pool):
    torch = pytest.importorskip("torch")
    configure(Machine(model_memory=0.01))
    a = borrow(pool, "a", 0.007)
    with pool.borrow(key("b"), lambda: torch.nn.Linear(1000, 1000), 0.002):
        assert [one.weights for one in pool.held()] == ["b"]
    assert a.closed


def fails_while(there: list[Made]) -> Made:
    """Load where everything else was let go."""
    if not all(one.closed for one in there):
        raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
    return Made()


def test_want_of_memory_in_loading_lets_the_others_go_and_tries_once_more(pool):
    there = [borrow(pool, "a"), borrow(pool, "b"), borrow(pool, "far", device="cuda:0")]
    with in_call(Call()) as call, pool.borrow(key("c"), lambda: fails_while(there[:2])):
        assert {one.weights for one in pool.held()} == {"far", "c"}
    assert call.notes[0] == "test left cpu, which had no memory for test besides"


def test_what_fits_on_no_empty_device_says_what_to_do(pool):
    def load() -> Made:
        raise MemoryError

    with (
        pytest.raises(ToolFailed, match=r"cuda:0 has no memory to load it; .*device = \"cpu\""),
        pool.borrow(key("huge", "cuda:0"), load),
    ):
        pass
    assert not pool.held()
