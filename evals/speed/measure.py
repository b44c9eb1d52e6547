"""A measure and its goal.

A measured number with the goal it is held to.

Two ways of doing the same, in turns: how many times faster one is, and how that was seen.

How busy a CUDA GPU is, as its driver's nvidia-smi tells.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import fmean, median
from typing import Literal

import psutil

from emer.tools.errors import EmerError
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


Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Compared:
    """Seconds of each side in each round."""

    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    neighbours: float
    """What other processes took of the machine meanwhile (0-1)."""

    @property
    def ratio(self) -> float:
        """Their least seconds per ours: what else the machine does can only make both longer."""
        return min(self.theirs) / min(self.ours)

    def told(self, count: int, what: str) -> str:
        """Return how the ratio came about, of `count` items on each side."""
        usual = median(self.theirs) / median(self.ours)
        return (
            f"{min(self.theirs) / count:.3g} : {min(self.ours) / count:.3g} s a {what}, "
            f"least of {len(self.ours)} (medians {usual:.2f} x); "
            f"others took {self.neighbours:.0%} of the machine"
        )


def compare(ours: Work, theirs: Work, rounds: int) -> Compared:
    """Return how long both take; each should have been done once before."""
    neighbours = Neighbours()
    found = in_turn({"theirs": lambda: seconds(theirs), "ours": lambda: seconds(ours)}, rounds)
    return Compared(tuple(found["ours"]), tuple(found["theirs"]), neighbours.share)


STEP_MS = 100
"""Milliseconds between two looks; the driver averages over about as long."""


class NoGpu(EmerError):
    """There is no GPU, or nobody who tells of it."""


def is_told() -> bool:
    """Tell whether nvidia-smi is installed."""
    return shutil.which("nvidia-smi") is not None


@contextmanager
def busy(device: str) -> Iterator[list[float]]:
    """Yield a list that holds, afterwards, the percent of time that kernels ran, look by look.

    `NoGpu` when nvidia-smi is missing or told nothing.
    """
    command = ["nvidia-smi", f"--id={_id(device)}", "--query-gpu=utilization.gpu",
               "--format=csv,noheader,nounits", f"--loop-ms={STEP_MS}"]  # fmt: skip
    if not is_told():
        raise NoGpu("nvidia-smi is not installed, which tells how busy a GPU is")
    found: list[float] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as asked:
        try:
            yield found
        finally:
            asked.terminate()
            told, _ = asked.communicate()
            found += [float(line) for line in told.splitlines() if line.strip().isdecimal()]
    if not found:
        raise NoGpu("nvidia-smi told nothing of how busy the GPU is")


def _id(device: str) -> str:
    """Return what the driver knows a device by.

    CUDA numbers those that it may see, the fastest first; nvidia-smi all, as they are plugged in.
    """
    import torch

    if torch.cuda.is_available():
        return f"GPU-{torch.cuda.get_device_properties(device).uuid}"
    return device.partition(":")[2] or "0"


def mean(found: list[float]) -> float:
    """Return the mean percent, the first and last look left out where there are more."""
    return fmean(found[1:-1] if len(found) > 4 else found)
