"""A model that several tools work with: loaded when needed, fed in common batches."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any, Generic

from emer.tools.batches import Item, Result, Together, common, in_batches
from emer.tools.models import SHELF, Key


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
