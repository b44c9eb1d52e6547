"""The process that probes a file: descriptor on stdin, JSON record on stdout.

    python -P -m emer.tools.media.probe_worker '{"seconds": 20, ...}' < clip > record

A hostile file can hold the parser for ever or take all memory; a process can be limited and
killed. The packets of the chosen streams are read once, and the first frame of each decoded,
so that the duration is known where the header has none or a wrong one, and every frame has a
number and a time. This module needs nothing but PyAV, so that the process starts at once.
"""

from __future__ import annotations

import json
import re
import statistics
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from emer.tools.media.container import open_container
from emer.tools.media.subtitle_text import MOST_LETTERS
from emer.tools.runtime.worker_process import confine

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3}")
"""A language tag (BCP 47); other words of a stranger's file are not repeated."""
TEXTS = ("subrip", "srt", "ass", "ssa", "mov_text", "webvtt", "text")
"""FFmpeg's names of subtitles that are text."""
MOST_PIECES = 5_000
"""Pieces of a track, and characters of one, that are read."""


@dataclass(slots=True)
class Packets:
    """Presentation times of a stream's packets, in seconds of the file."""

    times: list[float] = field(default_factory=list)
    end: float = 0.0
    first: Any = None
    """The first frame, video or audio, that can be decoded."""


@dataclass(slots=True)
class Titles:
    """A subtitle track, and its pieces: start, end, text."""

    stream: Any
    pieces: list[tuple[float, float, str]] = field(default_factory=list)


class Unreadable(Exception):
    """The file holds nothing usable; the message completes "FILE ..."."""


def main() -> None:
    """Probe the file on stdin within the limits of the first argument."""
    limits = json.loads(sys.argv[1])
    confine(int(limits["parent"]), float(limits["seconds"]), int(limits["memory"]))
    import av

    av.logging.set_level(None)
    try:
        with open_container(sys.stdin.fileno(), int(limits["pixels"])) as container:
            record = probe(container, limits)
    except Unreadable as error:
        record = {"error": str(error)}
    except MemoryError:
        record = {"error": "needs more memory than a clip may take; is the file whole?"}
    except (av.error.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        record = {"error": f"cannot be read as audio or video ({reason}); is the file whole?"}
    json.dump(record, sys.stdout)


def probe(container: InputContainer, limits: Mapping[str, Any]) -> dict[str, Any]:
    """Streams, frame times and notes; `Unreadable` beyond a limit, or without any."""
    video, audio = _choose_stream(container, "video"), _choose_stream(container, "audio")
    known = [s for s in (video, audio) if s is not None and s.codec_context is not None]
    if video in known and video.width * video.height > limits["pixels"]:
        size = f"{video.width}x{video.height}"
        raise Unreadable(f"has pictures of {size}, more than {limits['pixels']} pixels")
    titles = _choose_subtitle(container)
    packets = _scan(container, known, limits["frames"], titles)
    picture = packets.get(video.index) if video is not None else None
    sound = packets.get(audio.index) if audio is not None else None
    used = [entry for entry in (picture, sound) if entry is not None]
    if not used:
        raise Unreadable("holds no picture or sound that can be decoded")
    record = {
        "video": _describe_video(video, picture) if picture else None,
        "audio": _describe_audio(audio, sound) if sound else None,
    }
    shown = record["video"]
    # Few stored pixels that are shown very wide would become a picture without a limit.
    if shown and shown["width"] * shown["height"] > limits["pixels"]:
        size = f"{shown['width']}x{shown['height']}"
        raise Unreadable(f"shows pictures of {size}, more than {limits['pixels']} pixels")
    origin = min(entry.times[0] for entry in used)
    duration = max(entry.end for entry in used) - origin
    if duration > 3600 * limits["hours"]:
        raise Unreadable(f"lasts {duration / 3600:.0f} hours by its time stamps; is it damaged?")
    subtitle = titles and _describe_subtitle(titles, origin, duration)
    lost = [s for s, entry in ((video, picture), (audio, sound)) if s is not None and not entry]
    return {
        **record,
        "origin": origin,
        "duration": round(duration, 3),
        "frame_times": picture.times if picture else [],
        "subtitle": subtitle,
        "notes": [*_cut_short(container, duration), *map(_undecodable, lost), *_unread(container)],
    }


def _choose_stream(container: InputContainer, kind: str) -> Any:
    """Stream marked as default, else the one that FFmpeg ranks best; no cover art.

    A stream of unknown codec is chosen only where no other is there.
    """
    streams = [s for s in container.streams if s.type == kind and not _is_cover(s)]
    streams = [s for s in streams if s.codec_context is not None] or streams
    marked = [s for s in streams if "default" in _disposition(s)]
    if len(marked) == 1 or len(streams) == 1:
        return (marked or streams)[0]
    best = container.streams.best(kind) if streams else None  # type: ignore[arg-type]
    return best if best in streams else next(iter(streams), None)


def _disposition(stream: Stream) -> set[str]:
    return {
        flag.name for flag in type(stream.disposition) if flag in stream.disposition and flag.name
    }


def _is_cover(stream: Stream) -> bool:
    return "attached_pic" in _disposition(stream)


def _choose_subtitle(container: InputContainer) -> Titles | None:
    """The first track of text that is marked as default, else the first."""
    tracks = [s for s in container.streams if s.type == "subtitle" and s.codec_context is not None]
    tracks = [s for s in tracks if s.codec_context.name in TEXTS]
    marked = [s for s in tracks if "default" in _disposition(s)]
    return Titles((marked or tracks)[0]) if tracks else None


def _read_subtitle(packet: Any, titles: Titles) -> None:
    """Add a packet of the track; what cannot be decoded is left out."""
    import av

    if packet.pts is None or len(titles.pieces) >= MOST_PIECES:
        return
    start = float(packet.pts * packet.time_base)
    length = float((packet.duration or 0) * packet.time_base)
    with suppress(av.error.FFmpegError, AttributeError, UnicodeDecodeError):
        for rect in packet.decode():
            # Layer, style, name, margins and effect come before the text.
            text = rect.ass.decode().split(",", 8)[-1][:MOST_LETTERS]
            titles.pieces.append((start, start + length, text))


def _describe_subtitle(titles: Titles, origin: float, duration: float) -> dict[str, Any]:
    """The track; a piece without a length lasts until the next one."""
    starts = sorted(start for start, _, _ in titles.pieces)
    pieces = []
    for start, end, text in titles.pieces:
        after = next((later for later in starts if later > start), origin + duration)
        first, last = start - origin, (end if end > start else after) - origin
        pieces.append((max(0.0, first), max(0.0, first, last), text))
    language = (titles.stream.metadata or {}).get("language")
    language = language if language and _LANGUAGE.fullmatch(language) else None
    return {"index": titles.stream.index, "language": language, "pieces": pieces}


def _unread(container: InputContainer) -> list[str]:
    """Notes about tracks of pictures, which are not read."""
    return [
        f"subtitle track {s.index} holds pictures ({s.codec_context.name}) and is not read"
        for s in container.streams
        if s.type == "subtitle" and s.codec_context and s.codec_context.name not in TEXTS
    ]


def _scan(
    container: InputContainer, streams: list[Any], most: int, titles: Titles | None
) -> dict[int, Packets]:
    """Packets by stream; streams without any that can be decoded are left out."""
    import av

    by_stream = {stream.index: Packets() for stream in streams}
    ticks = {stream.index: float(stream.time_base or 0) for stream in streams}
    for stream in streams:
        stream.codec_context.thread_count = 1
    # A truncated file ends in an error: what was read until then is the clip.
    with suppress(av.error.FFmpegError):
        wanted = [*streams, *([titles.stream] if titles else [])]
        for packet in container.demux(wanted) if streams else ():
            index = packet.stream.index
            if titles and index == titles.stream.index:
                _read_subtitle(packet, titles)
                continue
            entry, tick = by_stream[index], ticks[index]
            if entry.first is None:
                with suppress(av.error.FFmpegError):
                    entry.first = next(iter(packet.decode()), None)
            if packet.pts is None or not tick or packet.is_discard:
                continue
            if len(entry.times) == most:
                raise Unreadable(f"has more than {most} packets in a stream; cut it into pieces")
            start = packet.pts * tick
            entry.times.append(start)
            entry.end = max(entry.end, start + (packet.duration or 0) * tick)
    for entry in by_stream.values():
        entry.times.sort()
    return {
        index: entry
        for index, entry in by_stream.items()
        if entry.times and entry.first is not None
    }


def _describe_video(stream: Any, entry: Packets) -> dict[str, Any]:
    frame = entry.first
    steps = [after - before for before, after in zip(entry.times, entry.times[1:], strict=False)]
    if steps and entry.times[-1] > entry.times[0]:
        fps = len(steps) / (entry.times[-1] - entry.times[0])
    else:
        fps = float(stream.average_rate or stream.base_rate or 25)
    if not steps or entry.end <= entry.times[-1]:
        entry.end = entry.times[-1] + 1 / fps
    width, height = _upright_size(frame, stream)
    return {
        "index": stream.index,
        "width": width,
        "height": height,
        "rotation": round(frame.rotation) % 360,
        "fps": round(fps, 3),
        "frames": len(entry.times),
        "codec": stream.codec_context.name,
        "variable_rate": bool(steps) and max(steps) - min(steps) > 0.25 * statistics.median(steps),
    }


def _upright_size(frame: Any, stream: Any) -> tuple[int, int]:
    """Width and height after rotation, in square pixels."""
    aspect = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
    width = frame.width * float(aspect) if aspect and aspect > 0 else frame.width
    size = (max(1, round(width)), frame.height)
    return (size[1], size[0]) if round(frame.rotation) % 180 else size


def _describe_audio(stream: Any, entry: Packets) -> dict[str, Any]:
    return {
        "index": stream.index,
        "rate": entry.first.sample_rate,
        "channels": entry.first.layout.nb_channels,
        "codec": stream.codec_context.name,
    }


def _cut_short(container: InputContainer, duration: float) -> list[str]:
    promised = (container.duration or 0) / 1e6
    if promised - duration <= max(0.5, 0.1 * promised):
        return []
    return [
        f"the file is cut short: its header promises {promised:.1f} s, {duration:.1f} s can be read"
    ]


def _undecodable(stream: Stream) -> str:
    what = "picture" if stream.type == "video" else "sound"
    codec = stream.codec_context
    why = f"its codec, {codec.name}, yields no frame" if codec else "its codec is unknown"
    return f"the {what} cannot be decoded ({why}) and is left out"


if __name__ == "__main__":
    main()
