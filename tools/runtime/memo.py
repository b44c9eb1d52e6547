"""Memo of values by key: computed once, concurrent callers wait."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from emer.tools.runtime.cancellation import locked

Value = TypeVar("Value")


class Memo(Generic[Value]):
    """The `most` values computed last, by key."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._key_locks: dict[Hashable, threading.Lock] = {}

    def get(
        self, key: Hashable, make: Callable[[], Value], keep: Callable[[], bool] = lambda: True
    ) -> Value:
        """Value of a key, computed by `make`; `Cancelled` while another thread computes.

        `keep` is asked after `make` whether the value may serve later calls.
        """
        with self._lock:
            key_lock = self._key_locks.setdefault(key, threading.Lock())
        with locked(key_lock):
            with self._lock:
                if key in self._values:
                    return self._values[key]
            value = make()
            if not keep():
                return value
            with self._lock:
                self._values[key] = value
                while len(self._values) > self._most:
                    oldest, _ = self._values.popitem(last=False)
                    self._key_locks.pop(oldest, None)
            return value
