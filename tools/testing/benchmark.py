"""Benchmark of a tool: time and memory of single and concurrent calls.

Each call has a clip and a tool of its own, so that nothing is cached; a model is shared, as
it would be in a corpus. The first call, which loads packages and weights, is timed apart.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from emer.tools.errors import Unobservable
from emer.tools.media.clip import Clip
from emer.tools.tool import Heavy, Tool
from emer.tools.types import Param, Record

Make = Callable[[], Tool]
MakeBatched = Callable[[int], Tool]

_CALLS = itertools.count(1)


class Point(Record):
    """Time of a number of concurrent calls."""

    at_once: int
    batch: int | None = None
    """Batch size of the tool's model; None as the settings have it."""
    seconds: float
    """Of all calls together."""
    per_clip_second: float
    """Seconds of work per second of clip."""


class Benchmark(Record):
    """Measurements of a tool on a clip."""

    tool: str
    clip_seconds: float
    frames: int
    clues: int
    unobservable: str | None
    first: float
    """Seconds of the first call, loading included."""
    alone: float
    """Seconds of a later call: the fastest of the repeats."""
    megabytes: float
    """Peak resident memory of this process beyond what it had before the first call."""
    gpu_megabytes: float | None
    """The same of the GPU as torch counts it; None for CPU and for CTranslate2."""
    hardware: dict[str, Param]
    curve: tuple[Point, ...]
    batches: tuple[Point, ...] = ()
    """The most concurrent calls with each batch size; empty for a tool that has none."""

    @property
    def per_clip_second(self) -> float:
        """Seconds of work per second of clip."""
        return self.alone / self.clip_seconds

    @property
    def per_frame(self) -> float | None:
        """Seconds of work per frame of the clip, None without a picture."""
        return self.alone / self.frames if self.frames else None


def bench(
    make: Make,
    path: Path,
    at_once: Sequence[int],
    repeats: int = 3,
    batched: tuple[MakeBatched, Sequence[int]] | None = None,
) -> Benchmark:
    """Measure a tool on a clip; its errors pass through.

    Args:
        make: Makes the tool.
        path: The clip.
        at_once: Numbers of concurrent calls to time.
        repeats: Number of single calls, of which the fastest counts.
        batched: Makes the tool with a batch size, and the sizes to time.
    """
    import psutil

    process, clip, tool = psutil.Process(), Clip.open(path), make()
    hardware = dict(tool.hardware) if isinstance(tool, Heavy) else {}
    with (
        sampled_memory(lambda: process.memory_info().rss, 0.02) as memory,
        gpu_peak(hardware) as gpu,
    ):
        first, _ = _timed(tool, path)
        times, results = zip(*(_timed(make(), path) for _ in range(repeats)), strict=True)
        curve = [_point(make, path, clip.duration, count) for count in at_once]
        sized, sizes = batched or (lambda _: make(), ())
        most = max(at_once)
        batches = [_point(partial(sized, n), path, clip.duration, most, n) for n in sizes]
    return Benchmark(
        tool=tool.source.tool,
        clip_seconds=clip.duration,
        frames=sum(1 for _ in clip.frames()) if clip.video is not None else 0,
        clues=results[0][0],
        unobservable=results[0][1],
        first=first,
        alone=min(times),
        megabytes=(max(memory) - memory[0]) / 1e6,
        gpu_megabytes=gpu[0] if gpu else None,
        hardware=hardware,
        curve=tuple(curve),
        batches=tuple(batches),
    )


@contextmanager
def gpu_peak(hardware: Mapping[str, Param]) -> Iterator[list[float]]:
    """Peak of the GPU memory that torch takes, in MB; empty where it takes none."""
    device = str(hardware.get("device", ""))
    megabytes: list[float] = []
    if not device.startswith("cuda"):
        yield megabytes
        return
    import torch

    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    yield megabytes
    peak = torch.cuda.max_memory_allocated(device)
    if peak > before:
        megabytes.append((peak - before) / 1e6)


@contextmanager
def sampled_memory(measure: Callable[[], int], step: float) -> Iterator[list[int]]:
    """Measure the memory now and every `step` seconds; yields the list of all values."""
    values, done = [measure()], threading.Event()

    def watch() -> None:
        while not done.wait(step):
            values.append(measure())

    watcher = threading.Thread(target=watch, name="emer-bench", daemon=True)
    watcher.start()
    try:
        yield values
    finally:
        done.set()
        watcher.join()


def _timed(tool: Tool, path: Path) -> tuple[float, tuple[int, str | None]]:
    """Seconds of one call, its number of clues, and the reason why there is none."""
    clip, clues, reason = Clip.open(path), 0, None
    # Another hash each time, so that no memo of a tool has it.
    clip.sha256 = f"{clip.sha256}-{next(_CALLS)}"
    start = time.perf_counter()
    try:
        clues = len(tool.observe(clip))
    except Unobservable as error:
        reason = str(error)
    return time.perf_counter() - start, (clues, reason)


def _point(make: Make, path: Path, length: float, count: int, batch: int | None = None) -> Point:
    """Time of concurrent calls; raises what one of them raised."""
    errors: list[BaseException] = []

    def work(tool: Tool) -> None:
        try:
            _timed(tool, path)
        except BaseException as error:
            errors.append(error)

    tools = [make() for _ in range(count)]
    # Daemon threads: an executor's would hold the process on Ctrl-C.
    threads = [threading.Thread(target=work, args=(tool,), daemon=True) for tool in tools]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - start
    if errors:
        raise errors[0]
    each = seconds / (count * length)
    return Point(at_once=count, batch=batch, seconds=seconds, per_clip_second=each)
