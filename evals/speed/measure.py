"""A measure with its goal, paired timing, and facts about the machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import fmean, median
from typing import Literal

import psutil

from emer.tools.errors import EmerError
from emer.tools.runtime.device import CPU, available_devices, cpu_threads
from emer.tools.types import Record

NOT_WORK = ("idle", "iowait", "guest", "guest_nice")
"""Kernel counters that are no work, or counted twice: guest time is part of `user`."""

PACKAGES = ("torch", "ctranslate2", "openai-whisper", "faster-whisper", "transformers", "deepface")

GPU_STEP_MS = 100
"""Milliseconds between two readings of GPU utilisation; the driver averages over about as long."""


class Measure(Record):
    """One line of a speed table: the value, its goal, and how it came about."""

    name: str
    value: float
    unit: Literal["x", "s", "ms", "KB", "MB", "calls", "%"]
    goal: float | None
    """None for a number without a goal."""
    at_most: bool
    """True when the value must not exceed the goal, False when it must reach it."""
    detail: str

    @property
    def held(self) -> bool:
        """Whether the goal was reached; True where there is none."""
        if self.goal is None:
            return True
        return self.value <= self.goal if self.at_most else self.value >= self.goal


class Unmeasured(Record):
    """A measure that could not be taken, and the reason."""

    name: str
    why: str


def at_most(name: str, value: float, unit: str, goal: float | None, detail: str) -> Measure:
    """Return a measure whose value must not exceed its goal.

    Args:
        name: what was measured, as the table shows it.
        value: in `unit`; rounded to three decimals.
        unit: one of `Measure.unit`.
        goal: in `unit`, None for a number without a goal.
        detail: how the value came about.

    """
    return _measure(name, value, unit, goal, True, detail)


def at_least(name: str, value: float, unit: str, goal: float | None, detail: str) -> Measure:
    """Return a measure whose value must reach its goal; arguments as in `at_most`."""
    return _measure(name, value, unit, goal, False, detail)


def _measure(
    name: str, value: float, unit: str, goal: float | None, upper: bool, detail: str
) -> Measure:
    fields = {"name": name, "value": round(value, 3), "unit": unit, "goal": goal}
    return Measure.model_validate({**fields, "at_most": upper, "detail": detail})


def seconds(work: Callable[[], object]) -> float:
    """Return the wall-clock seconds that `work` takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU seconds, of all threads, that `work` takes."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def in_turn(works: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Return the number that each work gives in each round.

    The works take turns, so that other load on the machine meets all of them alike.
    """
    values: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            values[name].append(work())
    return values


@dataclass(frozen=True, slots=True)
class Paired:
    """Seconds of two ways of doing the same work, round by round."""

    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    load: float
    """Share of the machine that other processes took meanwhile (0-1)."""

    @property
    def ratio(self) -> float:
        """Their least seconds per ours: other load can only lengthen both."""
        return min(self.theirs) / min(self.ours)

    def summary(self, count: int, item: str) -> str:
        """Return how the ratio came about, for `count` items on each side."""
        usual = median(self.theirs) / median(self.ours)
        return (
            f"{min(self.theirs) / count:.3g} : {min(self.ours) / count:.3g} s a {item}, "
            f"least of {len(self.ours)} (medians {usual:.2f} x); "
            f"others took {self.load:.0%} of the machine"
        )


def paired(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> Paired:
    """Return the seconds of both, in turns; run each once before, so that packages are loaded."""
    neighbours = Neighbours()
    took = in_turn({"theirs": lambda: seconds(theirs), "ours": lambda: seconds(ours)}, rounds)
    return Paired(tuple(took["ours"]), tuple(took["theirs"]), neighbours.share)


class Neighbours:
    """Load of other processes on the machine since this was made."""

    def __init__(self) -> None:
        """Begin to count."""
        self._begin = time.monotonic()
        self._busy, self._own = busy_seconds()

    @property
    def share(self) -> float:
        """CPU time of all other processes, as a share of all cores' time (0-1)."""
        busy, own = busy_seconds()
        elapsed = time.monotonic() - self._begin
        return others_share(busy - self._busy, own - self._own, elapsed, os.cpu_count() or 1)


def others_share(busy: float, own: float, elapsed: float, cores: int) -> float:
    """Return the share of `cores` that others took, 0-1, from CPU seconds in `elapsed` seconds."""
    return min(1.0, max(0.0, (busy - own) / (cores * max(elapsed, 1e-9))))


def busy_seconds() -> tuple[float, float]:
    """Return the CPU seconds that all cores have worked, and those of this process and children.

    Summed, never subtracted from a total, so that rounding cannot make them run backwards.
    """
    cores, own = psutil.cpu_times()._asdict(), psutil.Process().cpu_times()
    mine = own.user + own.system + own.children_user + own.children_system
    return sum(seconds for name, seconds in cores.items() if name not in NOT_WORK), mine


class Unequal(EmerError):
    """The two sides of a comparison did not do the same work."""


class NoGpu(EmerError):
    """There is no GPU, or nvidia-smi does not report on it."""


def gpu_note(device: str, work: Callable[[], object]) -> str:
    """Do the work once and return how busy the GPU was meanwhile; "" where there is none."""
    if not device.startswith("cuda"):
        work()
        return ""
    try:
        with gpu_utilisation(device) as percents:
            work()
    except NoGpu as error:
        return f"; GPU utilisation unknown: {error}"
    return f"; GPU busy {gpu_busy(percents):.0f}% of the time"


@contextmanager
def gpu_utilisation(device: str) -> Iterator[list[float]]:
    """Yield a list that holds, afterwards, the percent of time that kernels ran, step by step.

    `NoGpu` where nvidia-smi is missing or reports nothing.
    """
    if shutil.which("nvidia-smi") is None:
        raise NoGpu("nvidia-smi, which reports GPU utilisation, is not installed")
    command = ["nvidia-smi", f"--id={_driver_id(device)}", "--query-gpu=utilization.gpu",
               "--format=csv,noheader,nounits", f"--loop-ms={GPU_STEP_MS}"]  # fmt: skip
    percents: list[float] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as query:
        try:
            yield percents
        finally:
            query.terminate()
            lines, _ = query.communicate()
            percents += [float(line) for line in lines.splitlines() if line.strip().isdecimal()]
    if not percents:
        raise NoGpu("nvidia-smi reported no GPU utilisation")


def _driver_id(device: str) -> str:
    """Return the driver's id of a CUDA device.

    CUDA numbers the devices that it may see, the fastest first; nvidia-smi all, in slot order.
    """
    import torch

    if torch.cuda.is_available():
        return f"GPU-{torch.cuda.get_device_properties(device).uuid}"
    return device.partition(":")[2] or "0"


def gpu_busy(percents: list[float]) -> float:
    """Return the mean percent; the first and the last step are left out where there are more."""
    return fmean(percents[1:-1] if len(percents) > 4 else percents)


class Machine(Record):
    """The machine that was measured, and when."""

    device: str
    cores: int
    """Cores that this process may use; both sides of a comparison use them all."""
    processor: str
    packages: str
    date: str

    @property
    def text(self) -> str:
        """One line for people."""
        return f"{self.device}; {self.processor}, cores: {self.cores}; {self.packages}; {self.date}"


def this_machine(device: str) -> Machine:
    """Return what is known of this machine and of the packages that compute on it."""
    what = next((each.what for each in available_devices() if each.name == device), device)
    return Machine(
        device=device if device == CPU else f"{device} {what}",
        cores=cpu_threads(),
        processor=_processor(),
        packages=", ".join(map(_version, PACKAGES)),
        date=date.today().isoformat(),
    )


def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"no {package}"


def _processor() -> str:
    """Return the maker's name of the CPU, where the system has it."""
    import platform

    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
