"""A measured number with the goal it is held to."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

from emer.tools.types import Record


class Measure(Record):
    """One line of the speed table: what was measured, the value, the goal, and whether it held."""

    name: str
    value: float
    unit: Literal["x", "s", "ms", "KB", "MB", "calls", "%"]
    goal: float
    at_most: bool
    """True when the value must not exceed the goal, False when it must reach it."""
    detail: str

    @property
    def held(self) -> bool:
        """Whether the goal was reached."""
        return self.value <= self.goal if self.at_most else self.value >= self.goal


def at_most(name: str, value: float, unit: str, goal: float, detail: str) -> Measure:
    """Return a measure whose value must not exceed its goal."""
    return _measure(name, value, unit, goal, True, detail)


def at_least(name: str, value: float, unit: str, goal: float, detail: str) -> Measure:
    """Return a measure whose value must reach its goal."""
    return _measure(name, value, unit, goal, False, detail)


def _measure(name: str, value: float, unit: str, goal: float, upper: bool, detail: str) -> Measure:
    fields = {"name": name, "value": round(value, 3), "unit": unit, "goal": goal}
    return Measure.model_validate({**fields, "at_most": upper, "detail": detail})


def seconds(work: Callable[[], object]) -> float:
    """Return how long `work` takes, wall clock."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def least_cpu(work: Callable[[], object], repeats: int = 5) -> float:
    """Return the least CPU seconds, of all threads, that `work` took in several runs."""
    return min(_cpu_seconds(work) for _ in range(repeats))


def _cpu_seconds(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun
