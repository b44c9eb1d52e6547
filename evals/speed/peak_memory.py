"""Peak memory of explaining one clip, in a process of its own.

    python -m emer.evals.speed.peak_memory CLIP [SECONDS]

With SECONDS, the clip is looped to at least that length. Imports little at the top: tools that
spawn a process import this module again in it, which would count as memory of the run.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

STEP = 0.05
"""Seconds between two readings of the memory."""


def main() -> None:
    """Print length and time (s) and the peak memory (MB) of this process and its children."""
    path = Path(sys.argv[1])
    with TemporaryDirectory() as folder:
        if len(sys.argv) > 2:
            path = loop_clip(path, Path(folder) / f"long{path.suffix}", float(sys.argv[2]))
        print(json.dumps(explain(path)))


def loop_clip(path: Path, target: Path, seconds: float, title: str = "") -> Path:
    """Write the clip repeated until it lasts at least `seconds`, without decoding it.

    Args:
        path: a clip with picture, sound or both.
        target: the file to write, of the same suffix.
        seconds: least length; 0 writes the clip once.
        title: written to the container, so that two copies have different hashes.

    """
    import av

    with av.open(str(path)) as source, av.open(str(target), "w") as out:
        out.metadata["title"] = title
        streams = [stream for stream in source.streams if stream.type in ("video", "audio")]
        copies = {stream.index: out.add_stream_from_template(stream) for stream in streams}
        length = Fraction(source.duration or 0, 1_000_000)
        for turn in range(int(seconds / length) + 1):
            source.seek(0)
            for packet in source.demux(streams):
                if packet.dts is None or packet.time_base is None:
                    continue
                shift = int(turn * length / packet.time_base)
                packet.dts += shift
                packet.pts = (packet.pts or 0) + shift
                packet.stream = copies[packet.stream.index]
                out.mux(packet)
    return target


def explain(path: Path) -> dict[str, float]:
    """Explain a clip; return its `seconds`, the seconds it `took` and the peak `megabytes`."""
    from emer.graphs.ask import ask
    from emer.tools.media.clip import Clip

    sizes, done, begin = [0], threading.Event(), time.monotonic()
    watcher = threading.Thread(target=_watch, args=(sizes, done), daemon=True)
    watcher.start()
    ask(path)
    done.set()
    watcher.join()
    took = round(time.monotonic() - begin, 1)
    return {"seconds": Clip.open(path).duration, "took": took, "megabytes": max(sizes) / 1e6}


def _watch(sizes: list[int], done: threading.Event) -> None:
    """Note the proportional set size of all processes until done: shared pages count once."""
    import psutil

    me = psutil.Process()
    while not done.wait(STEP):
        total = 0
        for process in (me, *me.children(recursive=True)):
            with suppress(psutil.Error):
                total += process.memory_full_info().pss
        sizes.append(total)


if __name__ == "__main__":
    main()
