"""How fast a tool is and what memory it takes: alone, with several looks at once, by batch.

Each look has a clip and a tool of its own, so that nothing is remembered; a model is shared, as
it would be in a corpus. The first look, which loads packages and weights, is told apart.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from emer.tools.errors import Unobservable
from emer.tools.media.clip import Clip
from emer.tools.tool import Heavy, Tool
from emer.tools.types import Param, Record

STEP = 0.02
"""Seconds between two looks at the memory."""

Make = Callable[[], Tool]
MakeBatched = Callable[[int], Tool]
"""Makes the tool with a batch of this size."""


_LOOKS = itertools.count(1)


class Point(Record):
    """So many looks at once, and how long they took in all (s)."""

    at_once: int
    batch: int | None = None
    """Of the tool's model; None as the settings have it."""
    seconds: float
    per_clip_second: float
    """Seconds of work per second of clip: the smaller, the faster."""


class Bench(Record):
    """What was measured of a tool on a clip."""

    tool: str
    clip_seconds: float
    frames: int
    clues: int
    unobservable: str | None
    first: float
    """Seconds of the first look, loading included."""
    alone: float
    """Seconds of a later look."""
    megabytes: float
    """Most memory this process took beyond what it had before the first look."""
    gpu_megabytes: float | None
    """The same of the GPU as torch counts it; None elsewhere, and for CTranslate2, which does not
    tell."""
    hardware: dict[str, Param]
    curve: tuple[Point, ...]
    batches: tuple[Point, ...] = ()
    """The most looks at once with each size of the batch; empty for a tool that has none."""

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
) -> Bench:
    """Return how the tool that `make` makes fares on the clip; its errors pass through.

    `batched` makes it with other batches, and says which are to be tried.
    """
    clip = Clip.open(path)
    tool = make()
    hardware = dict(tool.hardware) if isinstance(tool, Heavy) else {}
    with _peak() as peak, _gpu_peak(hardware) as gpu:
        first, _ = _timed(tool, path)
        times, given = zip(*(_timed(make(), path) for _ in range(repeats)), strict=True)
        alone = min(times)
        curve = [_point(make, path, clip.duration, count) for count in at_once]
        batches = [*_batches(batched, path, clip.duration, max(at_once))] if batched else []
    clues, reason = given[0]
    return Bench(
        tool=tool.source.tool,
        clip_seconds=clip.duration,
        frames=sum(1 for _ in clip.frames()) if clip.video is not None else 0,
        clues=clues,
        unobservable=reason,
        first=first,
        alone=alone,
        megabytes=peak[0],
        gpu_megabytes=gpu[0] if gpu else None,
        hardware=hardware,
        curve=tuple(curve),
        batches=tuple(batches),
    )


def _batches(
    batched: tuple[MakeBatched, Sequence[int]], path: Path, length: float, looks: int
) -> Iterator[Point]:
    make, sizes = batched
    for size in sizes:
        point = _point(partial(make, size), path, length, looks)
        yield point.model_copy(update={"batch": size})


def _timed(tool: Tool, path: Path) -> tuple[float, tuple[int, str | None]]:
    """Return the seconds of one look and what came of it; the clip is opened before.

    It goes by another hash each time, so that nothing which a tool kept of it is measured.
    """
    clip = Clip.open(path)
    clip.sha256 = f"{clip.sha256}-{next(_LOOKS)}"
    began = time.perf_counter()
    try:
        given: tuple[int, str | None] = (len(tool.observe(clip)), None)
    except Unobservable as error:
        given = (0, str(error))
    return time.perf_counter() - began, given


def _point(make: Make, path: Path, length: float, count: int) -> Point:
    """Return how long `count` looks at once take; raise what one of them raised."""
    tools = [make() for _ in range(count)]
    errors: list[BaseException] = []

    def work(tool: Tool) -> None:
        try:
            _timed(tool, path)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(tool,), daemon=True) for tool in tools]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    if errors:
        raise errors[0]
    return Point(at_once=count, seconds=took, per_clip_second=took / (count * length))


@contextmanager
def _peak() -> Iterator[list[float]]:
    """Yield a list that holds, afterwards, the most megabytes taken beyond the beginning."""
    import psutil

    me, peak, done = psutil.Process(), [0.0], threading.Event()
    before = me.memory_info().rss

    def watch() -> None:
        while not done.wait(STEP):
            peak[0] = max(peak[0], (me.memory_info().rss - before) / 1e6)

    watcher = threading.Thread(target=watch, name="emer-bench", daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()


@contextmanager
def _gpu_peak(hardware: dict[str, Param]) -> Iterator[list[float]]:
    """Yield the same for the GPU that torch works on; empty where it works on none."""
    device = str(hardware.get("device", ""))
    found: list[float] = []
    if not device.startswith("cuda"):
        yield found
        return
    import torch

    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    yield found
    peak = torch.cuda.max_memory_allocated(device)
    if peak > before:
        found.append((peak - before) / 1e6)
