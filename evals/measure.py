"""A measured number with the goal it is held to."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Literal

import psutil

from emer.tools.types import Record

NOT_WORK = ("idle", "iowait", "guest", "guest_nice")
"""What a kernel counts besides work, or a second time: a guest's time is in `user` too."""


class Measure(Record):
    """One line of a speed table: what was measured, the value, the goal, and whether it held."""

    name: str
    value: float
    unit: Literal["x", "s", "ms", "KB", "MB", "calls", "%"]
    goal: float | None
    """None for a number that is only told."""
    at_most: bool
    """True when the value must not exceed the goal, False when it must reach it."""
    detail: str

    @property
    def held(self) -> bool:
        """Whether the goal was reached, where there is one."""
        if self.goal is None:
            return True
        return self.value <= self.goal if self.at_most else self.value >= self.goal


class Unmeasured(Record):
    """What could not be measured, and why."""

    name: str
    why: str


def at_most(name: str, value: float, unit: str, goal: float | None, detail: str) -> Measure:
    """Return a measure whose value must not exceed its goal."""
    return _measure(name, value, unit, goal, True, detail)


def at_least(name: str, value: float, unit: str, goal: float | None, detail: str) -> Measure:
    """Return a measure whose value must reach its goal."""
    return _measure(name, value, unit, goal, False, detail)


def _measure(
    name: str, value: float, unit: str, goal: float | None, upper: bool, detail: str
) -> Measure:
    fields = {"name": name, "value": round(value, 3), "unit": unit, "goal": goal}
    return Measure.model_validate({**fields, "at_most": upper, "detail": detail})


def seconds(work: Callable[[], object]) -> float:
    """Return how long `work` takes, wall clock."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU seconds, of all threads, that `work` takes."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def in_turn(works: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Return the number each work gives in each round.

    They take turns, so that what else the machine does meets all of them alike.
    """
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            found[name].append(work())
    return found


class Neighbours:
    """What other processes took of the machine since this was made."""

    def __init__(self) -> None:
        """Begin to count."""
        self._began = time.monotonic()
        self._busy, self._own = _busy_seconds()

    @property
    def share(self) -> float:
        """CPU time of all other processes, as a share of all cores' time (0-1)."""
        busy, own = _busy_seconds()
        others = (busy - self._busy) - (own - self._own)
        cores = (os.cpu_count() or 1) * max(time.monotonic() - self._began, 1e-9)
        return min(1.0, max(0.0, others / cores))


def _busy_seconds() -> tuple[float, float]:
    """Return the CPU seconds all cores have worked, and those of this process and its children.

    Added up, never taken from a whole: so rounding cannot make them run back.
    """
    whole, own = psutil.cpu_times()._asdict(), psutil.Process().cpu_times()
    mine = own.user + own.system + own.children_user + own.children_system
    return sum(seconds for name, seconds in whole.items() if name not in NOT_WORK), mine
