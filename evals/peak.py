"""Explain one clip and print the most memory it took: `python -m emer.evals.peak CLIP`."""

from __future__ import annotations

import json
import sys
import threading
from contextlib import suppress
from pathlib import Path

STEP = 0.05
"""Seconds between two looks at the memory."""


def main() -> None:
    """Print the clip's length (s) and the peak memory (MB) of this process and its children."""
    from emer.graphs.ask import ask
    from emer.tools.clip import Clip

    path = Path(sys.argv[1])
    peaks, done = [0], threading.Event()
    watcher = threading.Thread(target=_watch, args=(peaks, done), daemon=True)
    watcher.start()
    ask(path)
    done.set()
    watcher.join()
    print(json.dumps({"seconds": Clip.open(path).duration, "megabytes": max(peaks) / 1e6}))


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
