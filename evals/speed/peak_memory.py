"""Peak memory of explaining a clip in its own process, and looped clips.

    python -m emer.evals.speed.peak_memory CLIP

Imports little at the top: tools that spawn a process import this module again in it, which
would count as memory of the run.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from fractions import Fraction
from pathlib import Path


def loop_clip(path: Path, target: Path, seconds: float, title: str = "") -> Path:
    """Write the clip repeated until it lasts at least `seconds`, without decoding it.

    Args:
        path: Clip with picture, sound or both.
        target: File to write, of the same suffix.
        seconds: Least length; 0 writes the clip once.
        title: Written to the container, so that two copies have different hashes.
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


def peak_memory(path: Path) -> float:
    """Peak MB of this process and its children while it explains a clip."""
    from emer.graphs.ask import ask
    from emer.tools.testing.benchmark import sampled_memory

    with sampled_memory(_set_size, 0.05) as sizes:
        ask(path, profile="embedded")
    return max(sizes) / 1e6


def _set_size() -> int:
    """Proportional set size of all processes, in bytes: shared pages count once."""
    import psutil

    me, total = psutil.Process(), 0
    for process in (me, *me.children(recursive=True)):
        with suppress(psutil.Error):
            total += process.memory_full_info().pss
    return total


if __name__ == "__main__":
    print(json.dumps({"megabytes": peak_memory(Path(sys.argv[1]))}))
