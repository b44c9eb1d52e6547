"""Explain one clip and print the most memory it took.

    python -m emer.evals.peak CLIP [SECONDS]

With SECONDS, the clip played over and over for that long.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from emer.evals.loops import loop_clip

STEP = 0.05
"""Seconds between two looks at the memory."""


def main() -> None:
    """Print length and time (s) and the peak memory (MB) of this process and its children."""
    path = Path(sys.argv[1])
    with TemporaryDirectory() as folder:
        if len(sys.argv) > 2:
            path = loop_clip(path, Path(folder) / f"long{path.suffix}", float(sys.argv[2]))
        print(json.dumps(_explain(path)))


def _explain(path: Path) -> dict[str, float]:
    from emer.graphs.ask import ask
    from emer.tools.clip import Clip

    peaks, done, begun = [0], threading.Event(), time.monotonic()
    watcher = threading.Thread(target=_watch, args=(peaks, done), daemon=True)
    watcher.start()
    ask(path)
    done.set()
    watcher.join()
    took = round(time.monotonic() - begun, 1)
    return {"seconds": Clip.open(path).duration, "took": took, "megabytes": max(peaks) / 1e6}


def _watch(peaks: list[int], done: threading.Event) -> None:
    """Note the proportional set size of all processes until done: shared pages count once."""
    import psutil

    me = psutil.Process()
    while not done.wait(STEP):
        total = 0
        for process in (me, *me.children(recursive=True)):
            with suppress(psutil.Error):
                total += process.memory_full_info().pss
        peaks.append(total)


if __name__ == "__main__":
    main()
