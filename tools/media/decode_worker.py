"""The process that decodes a clip: descriptor on stdin, records on stdout.

    python -P -m emer.tools.media.decode_worker '{"kind": "video", ...}' < clip > records

A hostile file can hold the decoder for ever, take all memory or crash it; a process can be
limited and killed. A record is a `Head` and its data: a picture, a piece of sound, or the end.
This module needs nothing but PyAV, so that the process starts at once.
"""

from __future__ import annotations

import json
import os
import signal
import struct
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple

from emer.tools.media.container import open_container
from emer.tools.runtime.worker_process import confine

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame

HEAD: Final = struct.Struct("<Bd5IQ")
"""A record's kind, time, width, height, bytes of a row in up to three planes, bytes of data."""
BEAT, I420, RGB, SOUND, END = range(5)
"""Kinds of records: a sign of life, 4:2:0 planes, RGB rows, float32 sound, and the last one.

The data of `END` is JSON: packets that are `damaged` or `starved` of memory, and an `error`.
"""
LARGE: Final = 1280 * 720
"""Pixels above which a picture is large."""
MOST_THREADS: Final = 8
"""Threads of a decoder: each holds a picture, and sixteen of 8K RGBA in 16 bits are 5 GB."""
FULL_RANGE: Final = 2
"""FFmpeg's number for pictures whose levels go from 0 to 255."""
BEAT_SECONDS: Final = 1.0
"""Interval of `BEAT` while packets yield nothing to send."""
ORPHAN_MARGIN: Final = 5.0
"""Seconds beyond the limit after which a worker ends that has no parent to end it."""
SOUND_BYTES: Final = 1 << 16
PIPE_BYTES: Final = 1 << 20


class Head(NamedTuple):
    """What the data of a record are; time in seconds of the file, `rows` in bytes."""

    kind: int
    time: float = 0.0
    width: int = 0
    height: int = 0
    rows: tuple[int, ...] = ()

    def pack(self, size: int) -> bytes:
        """The `HEAD` of a record with `size` bytes of data."""
        rows = (*self.rows, 0, 0, 0)[:3]
        return HEAD.pack(self.kind, self.time, self.width, self.height, *rows, size)

    @classmethod
    def unpack(cls, packed: bytes) -> tuple[Head, int]:
        """A head, and the bytes of data that follow it."""
        kind, seconds, width, height, *rows, size = HEAD.unpack(packed)
        return cls(kind, seconds, width, height, tuple(row for row in rows if row)), size


class Output:
    """Records on stdout, and the time of a packet: beyond it the process ends.

    The parent kills it before: the kernel's alarm is for a parent that is no longer there.
    (Linux can end a process with its parent, but would with the parent's thread, and others
    may still read.)
    """

    def __init__(self, pipe: BinaryIO, seconds: float) -> None:
        """Write to `pipe`; a packet may take `seconds`."""
        self._pipe, self._seconds = pipe, seconds + ORPHAN_MARGIN
        self._sent = time.monotonic()
        self.damaged, self.starved = 0, 0

    def send(self, head: Head, data: Iterable[Any]) -> None:
        """Write a record; `data` are its buffers. Waits until the reader takes them."""
        buffers = [memoryview(part).cast("B") for part in data]
        signal.setitimer(signal.ITIMER_REAL, 0)
        self._pipe.write(head.pack(sum(part.nbytes for part in buffers)))
        for part in buffers:
            self._pipe.write(part)
        self._pipe.flush()
        self._sent = time.monotonic()

    def beat(self) -> None:
        """Start the time of a packet; send a `BEAT` where nothing was sent for a while."""
        if time.monotonic() - self._sent > BEAT_SECONDS:
            self.send(Head(BEAT), ())
        signal.setitimer(signal.ITIMER_REAL, self._seconds)

    def end(self, error: str) -> None:
        """Send the `END`, with one line about what ended the decode early."""
        facts = {"damaged": self.damaged, "starved": self.starved, "error": error}
        self.send(Head(END), [json.dumps(facts).encode()])


def main() -> None:
    """Decode the stream that the first argument names, within its limits."""
    import av

    request = json.loads(sys.argv[1])
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # the reader has left
    av.logging.set_level(None)
    confine(int(request["parent"]), None, int(request["memory"]))
    _widen(sys.stdout.fileno())
    output, error = Output(sys.stdout.buffer, float(request["seconds"])), ""
    send = send_pictures if request["kind"] == "video" else send_sound
    try:
        with open_container(sys.stdin.fileno(), int(request["pixels"])) as container:
            send(container, request, output)
    except MemoryError:
        output.starved += 1
    except Exception as caught:  # whatever a library raises on a hostile file
        error = getattr(caught, "strerror", None) or f"{type(caught).__name__}: {caught}"
    output.end(error)


def send_pictures(container: InputContainer, request: Mapping[str, Any], output: Output) -> None:
    """Send the pictures from the time `after` on, decoded from the key frame before."""
    stream: Any = container.streams[request["stream"]]
    _set_threads(stream.codec_context)
    if request["seek"] is not None:
        container.seek(int(request["seek"] / stream.time_base), stream=stream)
    convert, after = Converter(), request["after"]
    for picture in decoded(container, stream, output):
        if picture.time is not None and (after is None or picture.time >= after):
            output.send(*convert(picture))


def send_sound(container: InputContainer, request: Mapping[str, Any], output: Output) -> None:
    """Send all sound as float32, `channels` interleaved, at `rate` samples a second."""
    import av

    layout = "stereo" if request["channels"] == 2 else "mono"
    resampler = av.AudioResampler(format="flt", layout=layout, rate=request["rate"])
    start, sound = 0.0, bytearray()
    first = True
    for frame in decoded(container, container.streams[request["stream"]], output):
        if first:
            start, first = frame.time or 0.0, False
        sound += _samples(resampler.resample(frame), request["channels"])
        if len(sound) >= SOUND_BYTES:
            output.send(Head(SOUND, start), [sound])
            sound = bytearray()
    if not first:
        sound += _samples(resampler.resample(None), request["channels"])
        output.send(Head(SOUND, start), [sound])


def decoded(container: InputContainer, stream: Any, output: Output) -> Iterator[Any]:
    """Decoded frames of a stream, video or audio; what cannot be decoded is left out."""
    from av.error import EOFError as EndOfFile
    from av.error import FFmpegError

    packets = container.demux(stream)
    while True:
        output.beat()
        try:
            packet = next(packets, None)
            if packet is None:
                return
            yield from packet.decode()
        except EndOfFile:
            return
        except MemoryError:
            output.starved += 1
        except FFmpegError:
            output.damaged += 1


class Converter:
    """Heads and planes of decoded pictures; rows keep the decoder's padding.

    Limited-range 8-bit 4:2:0, nearly every clip, stays as it is, and is half the bytes: the
    reader converts it where it is looked at. Every other format becomes RGB by FFmpeg's converter.
    """

    def __init__(self) -> None:
        """Make FFmpeg's converter, which keeps its tables between pictures."""
        from av.video.reformatter import VideoReformatter

        self._reformatter = VideoReformatter()

    def __call__(self, picture: VideoFrame) -> tuple[Head, list[Any]]:
        """Head and planes of a picture; the planes are its memory."""
        kind, seconds = I420, picture.time or 0.0
        plain = picture.format.name == "yuv420p" and picture.color_range != FULL_RANGE
        if not plain or picture.width % 2 or picture.height % 2:
            kind = RGB
            picture = self._reformatter.reformat(picture, format="rgb24", threads=1)
        rows = tuple(plane.line_size for plane in picture.planes)
        return Head(kind, seconds, picture.width, picture.height, rows), list(picture.planes)


def _samples(frames: Iterable[Any], channels: int) -> bytes:
    """Samples of resampled frames, without padding."""
    size = 4 * channels
    return b"".join(memoryview(frame.planes[0])[: size * frame.samples] for frame in frames)


def _set_threads(codec: Any) -> None:
    # Small pictures decode faster than any tool reads them in one thread; FFmpeg's frame
    # threads take a tenth to a quarter more CPU time.
    if codec.width * codec.height <= LARGE:
        codec.thread_count = 1
    else:
        codec.thread_type = "AUTO"
        codec.thread_count = min(os.cpu_count() or 1, MOST_THREADS)


def _widen(descriptor: int) -> None:
    """Let the pipe hold a picture, so that both processes work at once (Linux)."""
    import fcntl

    if sys.platform == "linux":
        with suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


if __name__ == "__main__":
    main()
