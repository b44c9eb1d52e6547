"""Longer clips made of one clip played over and over, without decoding it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path


def loop_clip(path: Path, target: Path, seconds: float) -> Path:
    """Write the clip repeated until it lasts at least `seconds`; return `target`."""
    import av

    with av.open(str(path)) as source, av.open(str(target), "w") as out:
        kept = [stream for stream in source.streams if stream.type in ("video", "audio")]
        written = {stream.index: out.add_stream_from_template(stream) for stream in kept}
        length = Fraction(source.duration or 0, 1_000_000)
        for turn in range(int(seconds / length) + 1):
            source.seek(0)
            for packet in source.demux(kept):
                if packet.dts is None or packet.time_base is None:
                    continue
                shift = int(turn * length / packet.time_base)
                packet.dts += shift
                packet.pts = (packet.pts or 0) + shift
                packet.stream = written[packet.stream.index]
                out.mux(packet)
    return target
