"""What was worked out once for a clip: kept for the next who asks, who waits if it is under way."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from emer.tools.runtime.cancellation import holding

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """The latest few values by key; each is made once, however many threads ask."""

    def __init__(self, most: int) -> None:
        """Keep at most this many, the latest made."""
        self._most = most
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value of a key, made now if nobody has; what `make` raises passes through.

        `Abandoned` when the call is given up while another makes it.
        """
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with holding(making):
            with self._lock:
                if key in self._values:
                    return self._values[key]
            value = make()
            with self._lock:
                self._values[key] = value
                while len(self._values) > self._most:
                    gone, _ = self._values.popitem(last=False)
                    self._making.pop(gone, None)
            return value
