"""How much one shared decode saves over each tool opening the file."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from emer.evals.measure import Measure, at_least, at_most, cpu_seconds, in_turn
from emer.tools.clip import Clip
from emer.tools.pictures import Memory, to_rgb

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

TOOLS = 4
ROUNDS = 9
SIDE = 640
"""Longest side, in pixels, that the picture tools look at."""


def measure_decoding(path: Path) -> list[Measure]:
    """Return the ratios of four tools decoding alone, four sharing, and a bare decode.

    In CPU time of all threads, the least of several rounds, which says what is saved on any
    number of cores; opening, hashing and probing the file count on the shared side. `Bare`
    is PyAV decoding the file once with its own settings and dropping each picture.
    """
    works: dict[str, Callable[[], object]] = {
        "alone": partial(_together, partial(_open_and_convert, path)),
        "shared": partial(_share, path, convert=True),
        "handed": partial(_share, path, convert=False),
        "bare": partial(_drain, path),
        "floor": partial(_convert_each, path),
    }
    found = in_turn({name: partial(cpu_seconds, work) for name, work in works.items()}, ROUNDS)
    alone, shared, handed, bare, floor = (min(found[name]) for name in works)
    return [
        at_least(
            "four tools opening the file : four sharing one decode", alone / shared, "x", 2.5,
            f"{alone:.3f} : {shared:.3f} CPU s, every picture as RGB for each tool",
        ),
        at_most(
            "one decode handed to four tools : a bare decode", handed / bare, "x", 1.5,
            f"{handed:.3f} : {bare:.3f} CPU s, pictures as decoded",
        ),
        at_most(
            "one decode as RGB to four tools : a bare decode", shared / bare, "x", 1.5,
            f"{shared:.3f} : {bare:.3f} CPU s, every picture at up to {SIDE} pixels; "
            f"decoding and converting alone, with nothing shared or kept, is "
            f"{floor / bare:.2f} x",
        ),
    ]  # fmt: skip


def _together(work: Callable[[], object]) -> None:
    threads = [threading.Thread(target=work) for _ in range(TOOLS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _share(path: Path, convert: bool) -> None:
    clip = Clip.open(path)

    def look() -> None:
        for frame in clip.frames():
            if convert:
                frame.rgb(SIDE)

    _together(look)


def _open_and_convert(path: Path) -> None:
    """Decode every frame to RGB with PyAV's own calls, as a tool on its own would."""
    for picture in _decode(path):
        picture.to_ndarray(format="rgb24")


def _convert_each(path: Path) -> None:
    """Decode every frame and convert it as the clip does, into the same memory each time."""
    memory = Memory()
    for picture in _decode(path):
        to_rgb(picture, memory)


def _drain(path: Path) -> None:
    for _ in _decode(path):
        pass


def _decode(path: Path) -> Iterator[VideoFrame]:
    import av

    with av.open(str(path)) as container:
        yield from container.decode(container.streams.video[0])
