"""Pool of models in memory, each loaded once per process and shared by tools.

One model at a time works on a device. Before another is loaded, those unused for longest are
dropped, as far as the memory budget of the device requires. The size of a model is that of its
files until it is loaded, then, of a torch model, that of its weights at their precision.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar, cast

from emer.tools.errors import ToolFailed
from emer.tools.runtime.batching import BatchQueue, Item, Result, in_batches
from emer.tools.runtime.cancellation import locked, note, raise_if_cancelled
from emer.tools.runtime.device import (
    CPU,
    cuda_device,
    is_out_of_memory,
    memory_budget,
    release_memory,
)
from emer.tools.types import Param

Model = TypeVar("Model")


class Key(NamedTuple):
    """Identity of a model in memory."""

    kind: str
    """The library and task: "whisper", "audio-classification"."""
    weights: str
    device: str
    options: tuple[tuple[str, Param], ...] = ()
    """Further options of loading, as its precision."""


@dataclass(slots=True)
class _Entry:
    model: Any
    gigabytes: float


class ModelPool:
    """Models by key; safe from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._device_locks: dict[str, threading.Lock] = {}
        self._entries: OrderedDict[Key, _Entry] = OrderedDict()
        self.batch_sizes: dict[Key, int] = {}
        """Batch that fits into memory, of models for which the wanted one did not."""

    @contextmanager
    def borrow(
        self, key: Key, load: Callable[[], Model], gigabytes: float = 0.0
    ) -> Iterator[Model]:
        """Yield the model, loaded if necessary; its device is reserved meanwhile.

        Args:
            key: Identity of the model.
            load: Loads it; what it raises passes through. Where memory runs out, the other
                models of the device are dropped and it is called once more.
            gigabytes: Size of its files.

        Raises:
            ToolFailed: The device has no memory for it, even alone.
            Cancelled: The call was cancelled while it waited.
        """
        with locked(self._device_lock(key.device)):
            raise_if_cancelled()
            with cuda_device(key.device):
                entry = self._entries.get(key) or self._load(key, load, gigabytes)
                with self._lock:
                    self._entries[key] = entry
                    self._entries.move_to_end(key)
                yield cast(Model, entry.model)

    def held(self) -> Mapping[Key, float]:
        """Gigabytes of each model in memory, the longest unused first."""
        with self._lock:
            return {key: entry.gigabytes for key, entry in self._entries.items()}

    def unload(self, key: Key | None = None) -> None:
        """Drop a model, or all of them, once their devices are free."""
        for held in [each for each in self.held() if key in (None, each)]:
            with locked(self._device_lock(held.device)):
                self._drop(held)

    def _load(self, key: Key, load: Callable[[], Any], gigabytes: float) -> _Entry:
        self._make_room(key.device, gigabytes)
        model = self._load_with_all_room(key, load)
        measured = torch_gigabytes(model) or gigabytes
        if measured > gigabytes:
            self._make_room(key.device, measured)
        return _Entry(model, measured)

    def _load_with_all_room(self, key: Key, load: Callable[[], Any]) -> Any:
        for others in ([each for each in self.held() if each.device == key.device], []):
            try:
                return load()
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if not others:
                    remedy = "" if key.device == CPU else ', or device = "cpu"'
                    cause = f"{key.device} has no memory to load it; take a smaller model{remedy}"
                    raise ToolFailed(key.kind, key.weights, cause) from error
            for other in others:  # outside `except`: the error holds what was loaded
                self._drop(other)
                note(f"{other.kind} left {key.device}, which had no memory for {key.kind} besides")
        raise AssertionError("the last try returns or raises")

    def _device_lock(self, device: str) -> threading.Lock:
        with self._lock:
            return self._device_locks.setdefault(device, threading.Lock())

    def _make_room(self, device: str, gigabytes: float) -> None:
        """Drop the longest unused models of the device until one of this size fits."""
        limit = memory_budget(device)
        if gigabytes > limit:
            note(f"a model of {gigabytes:.1f} GB is more than the {limit:.1f} GB for {device}")
        for key, size in self.held().items():
            used = sum(g for k, g in self.held().items() if k.device == device)
            if key.device == device and used + gigabytes > limit:
                self._drop(key)
                note(f"{key.kind} ({size:.1f} GB) left {device} to make room")

    def _drop(self, key: Key) -> None:
        with self._lock:
            entry = self._entries.pop(key, None)
            self.batch_sizes.pop(key, None)
        if entry is not None:
            close = getattr(entry.model, "close", None)
            if callable(close):
                close()
            del entry, close
            release_memory(key.device)


def torch_gigabytes(model: Any) -> float | None:
    """Size of a torch model, or of a record's `model`; None for any other library's."""
    inner = getattr(model, "model", model)
    if not callable(getattr(inner, "parameters", None)):
        return None
    parts = (*inner.parameters(), *inner.buffers())
    return float(sum(part.numel() * part.element_size() for part in parts)) / 1e9


POOL = ModelPool()
"""The models of this process."""

_queues: dict[Hashable, BatchQueue[Any, Any]] = {}
_queues_lock = threading.Lock()


@dataclass(eq=False)
class PooledModel(Generic[Item, Result]):
    """Works on items with a model of the pool, in batches with other threads' items.

    model = PooledModel(key, loader, work, batch=16, gigabytes=1.6)
    results = model(items)

    Args:
        key: Identity of the model in the pool.
        loader: Loads it.
        work: Returns one result per item of a batch, given the model.
        batch: Items in a batch.
        gigabytes: Size of its files.
        differs: All else that `work` depends on: only equal ones share batches.
        check: Raises where the loaded model cannot do what is asked; it depends on no more
            than `work` does.
        one_by_one: True of a loaded model that cannot take several items at once.
    """

    key: Key
    loader: Callable[[], Any]
    work: Callable[[Any, Sequence[Item]], Sequence[Result]]
    _: KW_ONLY
    batch: int
    gigabytes: float = 0.0
    differs: Hashable = ()
    check: Callable[[Any], None] = lambda _: None
    one_by_one: Callable[[Any], bool] = lambda _: False

    def __call__(self, items: Sequence[Item]) -> list[Result]:
        """One result per item, in order; raises what loading or the model raised."""
        name = (self.key, self.differs, self.batch)
        with _queues_lock:
            queue = _queues.setdefault(name, BatchQueue(self._work_on, self.batch))
        return cast("list[Result]", queue(items))

    def load(self) -> None:
        """Load the model now; raise what loading raised, or what it cannot do."""
        with POOL.borrow(self.key, self.loader, self.gigabytes) as model:
            self.check(model)

    def unload(self) -> None:
        POOL.unload(self.key)

    def _work_on(self, items: Sequence[Item]) -> list[Result]:
        with POOL.borrow(self.key, self.loader, self.gigabytes) as model:
            self.check(model)
            most = 1 if self.one_by_one(model) else self.batch
            size = min(most, POOL.batch_sizes.get(self.key, most))
            keep = partial(POOL.batch_sizes.__setitem__, self.key)
            return in_batches(items, size, partial(self.work, model), self.key.device, keep)
