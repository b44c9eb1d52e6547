"""A measure with its goal, paired timing, and facts about the machine."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import fmean, median
from typing import Literal, NamedTuple

import psutil

from emer.tools.errors import EmerError
from emer.tools.runtime.device import CPU, available_devices, cpu_threads
from emer.tools.types import Record

Unit = Literal["x", "s", "ms", "KB", "MB", "calls", "%"]
NOT_WORK = ("idle", "iowait", "guest", "guest_nice")
"""Kernel counters of no work, or counted twice: guest time is in `user`."""
PACKAGES = ("torch", "ctranslate2", "openai-whisper", "faster-whisper", "transformers", "deepface")
GPU_STEP_MS = 100
"""Milliseconds between readings of GPU utilisation, as the driver averages."""


class Measure(Record):
    """One row of a speed table: the value, its goal, and how it came about."""

    name: str
    value: float
    unit: Unit
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


class Unequal(EmerError):
    """The two sides of a comparison did not do the same work."""


def at_most(name: str, value: float, unit: Unit, goal: float | None, detail: str) -> Measure:
    """Measure whose value, rounded to three decimals, must not exceed its goal.

    Args:
        name: Row title.
        value: In `unit`.
        unit: Unit of value and goal.
        goal: In `unit`, None for a number without a goal.
        detail: How the value came about.
    """
    value = round(value, 3)
    return Measure(name=name, value=value, unit=unit, goal=goal, at_most=True, detail=detail)


def at_least(name: str, value: float, unit: Unit, goal: float | None, detail: str) -> Measure:
    """Measure whose value must reach its goal; arguments as in `at_most`."""
    return at_most(name, value, unit, goal, detail).model_copy(update={"at_most": False})


def seconds(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds that a call takes; by `time.process_time`, CPU time of all threads."""
    start = clock()
    work()
    return clock() - start


def in_turn(works: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Numbers that each function returns, in turns: other load meets all alike."""
    turns = [{name: work() for name, work in works.items()} for _ in range(rounds)]
    return {name: [turn[name] for turn in turns] for name in works}


class Paired(NamedTuple):
    """Seconds of two ways of doing the same work, round by round."""

    ours: list[float]
    theirs: list[float]
    load: float
    """Share of the machine that other processes took meanwhile (0-1)."""

    @property
    def ratio(self) -> float:
        """Least seconds of theirs per least of ours: other load can only lengthen both."""
        return min(self.theirs) / min(self.ours)

    def summary(self, count: int, item: str) -> str:
        """Seconds behind the ratio, for `count` items on each side."""
        usual = median(self.theirs) / median(self.ours)
        return (
            f"{min(self.theirs) / count:.3g} : {min(self.ours) / count:.3g} s a {item}, "
            f"least of {len(self.ours)} (medians {usual:.2f} x); "
            f"others took {self.load:.0%} of the machine"
        )


def paired(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> Paired:
    """Seconds of both, in turns; call each once before, so that packages are loaded."""
    load = other_load()
    took = in_turn({"theirs": lambda: seconds(theirs), "ours": lambda: seconds(ours)}, rounds)
    return Paired(took["ours"], took["theirs"], load())


def other_load() -> Callable[[], float]:
    """Function for the share of the machine (0-1) that others take from now on."""
    start, (busy, ours) = time.monotonic(), busy_seconds()

    def share() -> float:
        busy_now, ours_now = busy_seconds()
        elapsed = time.monotonic() - start
        return others_share(busy_now - busy, ours_now - ours, elapsed, os.cpu_count() or 1)

    return share


def others_share(busy: float, ours: float, elapsed: float, cores: int) -> float:
    """Share of the cores that others took (0-1), from CPU seconds."""
    return min(1.0, max(0.0, (busy - ours) / (cores * max(elapsed, 1e-9))))


def busy_seconds() -> tuple[float, float]:
    """CPU seconds of all cores, and of this process and its children."""
    # Summed, never subtracted from a total, so that rounding cannot make them run backwards.
    cores, used = psutil.cpu_times()._asdict(), psutil.Process().cpu_times()
    mine = used.user + used.system + used.children_user + used.children_system
    return sum(value for name, value in cores.items() if name not in NOT_WORK), mine


def gpu_note(device: str, work: Callable[[], object]) -> str:
    """Call `work` once; the GPU's mean utilisation, "" on other devices."""
    if not device.startswith("cuda") or shutil.which("nvidia-smi") is None:
        work()
        unknown = "; GPU utilisation unknown: nvidia-smi is not installed"
        return unknown if device.startswith("cuda") else ""
    import torch

    # CUDA numbers the devices that it may see, the fastest first; nvidia-smi all, in slot order
    known = torch.cuda.is_available()
    uuid = f"GPU-{torch.cuda.get_device_properties(device).uuid}" if known else ""
    command = ["nvidia-smi", f"--id={uuid or device.partition(':')[2] or 0}",
               "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits",
               f"--loop-ms={GPU_STEP_MS}"]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as query:
        try:
            work()
        finally:
            query.terminate()
            lines, _ = query.communicate()
    percents = [float(line) for line in lines.splitlines() if line.strip().isdecimal()]
    if not percents:
        return "; GPU utilisation unknown: nvidia-smi reported none"
    inner = percents[1:-1] if len(percents) > 4 else percents  # the ends are half idle
    return f"; GPU busy {fmean(inner):.0f}% of the time"


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
        return f"{self.device}; {self.processor}, cores: {self.cores}; {self.packages}; {self.date}"


def this_machine(device: str) -> Machine:
    """Facts about this machine and the packages that compute on it."""
    what = next((each.what for each in available_devices() if each.name == device), device)
    info = Path("/proc/cpuinfo")
    named = re.search(
        r"^model name\s*:(.*)", info.read_text("utf-8") if info.is_file() else "", re.M
    )
    return Machine(
        device=device if device == CPU else f"{device} {what}",
        cores=cpu_threads(),
        processor=named[1].strip() if named else platform.processor() or platform.machine(),
        packages=", ".join(map(_version, PACKAGES)),
        date=date.today().isoformat(),
    )


def _version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"no {package}"
