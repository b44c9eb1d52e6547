"""How much one shared decode saves over each tool opening the file."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from emer.evals.measure import Measure, at_least, at_most, least_cpu
from emer.tools.clip import Clip

TOOLS = 4
SIDE = 640
"""Longest side, in pixels, that the picture tools look at."""


def measure_decoding(path: Path) -> list[Measure]:
    """Return the ratios of four tools decoding alone, four sharing, and a bare decode.

    In CPU time of all threads, which says what is saved on any number of cores; opening,
    hashing and probing the file count on the shared side.
    """
    alone = least_cpu(lambda: _together(lambda: _open_and_convert(path)))
    shared = least_cpu(lambda: _share(path, convert=True))
    handed = least_cpu(lambda: _share(path, convert=False))
    bare = least_cpu(lambda: _decode(path))
    return [
        at_least(
            "four tools opening the file : four sharing one decode", alone / shared, "x", 2.5,
            f"{alone:.3f} : {shared:.3f} CPU s, RGB for each tool",
        ),
        at_most(
            "one decode handed to four tools : a bare decode", handed / bare, "x", 1.5,
            f"{handed:.3f} : {bare:.3f} CPU s, pictures as decoded",
        ),
        at_most(
            "one decode as RGB to four tools : a bare decode", shared / bare, "x", 1.5,
            f"{shared:.3f} : {bare:.3f} CPU s, colour conversion included",
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
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for picture in container.decode(stream):
            picture.to_ndarray(format="rgb24")


def _decode(path: Path) -> None:
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for _ in container.decode(stream):
            pass
