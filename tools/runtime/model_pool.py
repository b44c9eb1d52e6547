"""Models in memory: load, borrow, evict.

The models in memory: each loaded once per process, shared by the tools that use it.

One model at a time works on a device. Before another is loaded, those that were not used for
longest make room, as far as the device's budget asks for it. What a model takes is counted by
its files until it is loaded, then, of a torch model, by its weights at the precision they have.

A model that several tools work with: loaded when needed, fed in common batches.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar, cast

from emer.tools.errors import ToolFailed
from emer.tools.runtime import device as devices
from emer.tools.runtime.batching import Item, Result, Together, common, in_batches
from emer.tools.runtime.cancellation import holding, note, still_wanted
from emer.tools.types import Param

Model = TypeVar("Model")


class Key(NamedTuple):
    """What tells models in memory apart."""

    kind: str
    """The library and task: "whisper", "audio-classification"."""
    weights: str
    """The file or folder."""
    device: str
    options: tuple[tuple[str, Param], ...] = ()
    """What else it was loaded with, as its precision."""


@dataclass(slots=True)
class _Held:
    model: Any
    gigabytes: float


class Shelf:
    """Models by key; safe from several threads."""

    def __init__(self) -> None:
        """Hold nothing."""
        self._lock = threading.Lock()
        self._at_work: dict[str, threading.Lock] = {}
        self._held: OrderedDict[Key, _Held] = OrderedDict()
        self.fits: dict[Key, int] = {}
        """How many items fit into memory where a whole batch did not, while the model is here."""

    @contextmanager
    def borrow(
        self, key: Key, load: Callable[[], Model], gigabytes: float = 0.0
    ) -> Iterator[Model]:
        """Yield the model, loaded if it is not here; its device works for nobody else meanwhile.

        `gigabytes` is what its files take. Whatever `load` raises passes through, and nothing is
        kept; only if memory ran out, the others are let go and it is loaded once more, and
        `ToolFailed` says what to do if that is not enough either. `Abandoned` when the call is
        given up while it waits.
        """
        with holding(self._device(key.device)):
            still_wanted()
            with devices.current(key.device):
                yield cast(Model, self._take(key, load, gigabytes))

    def _take(self, key: Key, load: Callable[[], Any], gigabytes: float) -> Any:
        """Return the model, loaded if it is not here, as the last used."""
        held = self._held.get(key)
        if held is None:
            held = self._load(key, load, gigabytes)
        with self._lock:
            self._held[key] = held
            self._held.move_to_end(key)
        return held.model

    def _load(self, key: Key, load: Callable[[], Any], gigabytes: float) -> _Held:
        self._make_room(key.device, gigabytes)
        model = self._with_all_room(key, load)
        measured = weight(model) or gigabytes
        if measured > gigabytes:
            self._make_room(key.device, measured)
        return _Held(model, measured)

    def _with_all_room(self, key: Key, load: Callable[[], Any]) -> Any:
        """Return what `load` does; where memory runs out, once more with nothing else there."""
        for others in ([one for one in self.held() if one.device == key.device], []):
            try:
                return load()
            except (RuntimeError, MemoryError) as error:
                if not devices.is_out_of_memory(error):
                    raise
                if not others:
                    raise ToolFailed(key.kind, key.weights, _too_large(key)) from error
            for other in others:  # outside `except`: the error holds what was loaded
                self._drop(other)
                note(f"{other.kind} left {key.device}, which had no memory for {key.kind} besides")
        raise AssertionError("the last try returns or raises")

    def held(self) -> Mapping[Key, float]:
        """Return the gigabytes of each model in memory, the longest unused first."""
        with self._lock:
            return {key: held.gigabytes for key, held in self._held.items()}

    def unload(self, key: Key | None = None) -> None:
        """Let go of a model, or of all of them, once they are not at work."""
        gone = [one for one in self.held() if key in (None, one)]
        for one in gone:
            with holding(self._device(one.device)):
                self._drop(one)

    def _device(self, device: str) -> threading.Lock:
        with self._lock:
            return self._at_work.setdefault(device, threading.Lock())

    def _make_room(self, device: str, gigabytes: float) -> None:
        """Drop the longest unused models of the device until one of this size fits."""
        limit = devices.budget(device)
        if gigabytes > limit:
            note(f"a model of {gigabytes:.1f} GB is more than the {limit:.1f} GB for {device}")
        for key, size in self.held().items():
            taken = sum(g for k, g in self.held().items() if k.device == device)
            if key.device == device and taken + gigabytes > limit:
                self._drop(key)
                note(f"{key.kind} ({size:.1f} GB) left {device} to make room")

    def _drop(self, key: Key) -> None:
        with self._lock:
            gone = self._held.pop(key, None)
            self.fits.pop(key, None)
        if gone is not None:
            close = getattr(gone.model, "close", None)
            if callable(close):
                close()
            del gone
            devices.release(key.device)


def weight(model: Any) -> float | None:
    """Return the gigabytes of a torch model's weights, None for one of another library.

    `model` may be a record that holds it as its `model`.
    """
    inner = getattr(model, "model", model)
    if not callable(getattr(inner, "parameters", None)):
        return None
    parts = (*inner.parameters(), *inner.buffers())
    return float(sum(part.numel() * part.element_size() for part in parts)) / 1e9


def _too_large(key: Key) -> str:
    other = "" if key.device == devices.CPU else ', or device = "cpu"'
    return f"{key.device} has no memory to load it; take a smaller model{other}"


SHELF = Shelf()
"""The process's models."""


class Shared(Generic[Item, Result]):
    """Works on items with the process's one model of a key; cheap to make.

    shared = Shared(key, load, work, batch=16, gigabytes=1.6)
    results = shared(items)          # with what others bring at the same time
    """

    def __init__(
        self,
        key: Key,
        load: Callable[[], Any],
        work: Callable[[Any, Sequence[Item]], Sequence[Result]],
        *,
        batch: int,
        gigabytes: float = 0.0,
        differs: Hashable = (),
        check: Callable[[Any], None] = lambda _: None,
        one_by_one: Callable[[Any], bool] = lambda _: False,
    ) -> None:
        """Take how the model is loaded, and what a batch of it is.

        `differs` is what else `work` depends on: items go together only where it is equal.
        `check` raises where the model that was loaded cannot do what is asked; it depends on
        no more than `work` does. `one_by_one` tells of a model that cannot take several at once.
        """
        self.key = key
        self._load, self._work = load, work
        self._batch, self._gigabytes, self._differs = batch, gigabytes, differs
        self._check, self._one_by_one = check, one_by_one

    def __call__(self, items: Sequence[Item]) -> list[Result]:
        """Return one result per item, in order; raise what loading or the model raised."""
        make = partial(Together[Item, Result], self._together, self._batch)
        return common((self.key, self._differs, self._batch), make)(items)

    def load(self) -> None:
        """Load the model now; raise what loading raised, or what it cannot do."""
        with SHELF.borrow(self.key, self._load, self._gigabytes) as model:
            self._check(model)

    def unload(self) -> None:
        """Let go of the model."""
        SHELF.unload(self.key)

    def _together(self, items: Sequence[Item]) -> list[Result]:
        with SHELF.borrow(self.key, self._load, self._gigabytes) as model:
            self._check(model)
            work = partial(self._work, model)
            most = 1 if self._one_by_one(model) else self._batch
            size = min(most, SHELF.fits.get(self.key, most))
            return in_batches(items, size, work, self.key.device, self._keep)

    def _keep(self, size: int) -> None:
        SHELF.fits[self.key] = size
