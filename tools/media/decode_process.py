"""Pictures or sound of an open file, decoded by a process with limits.

The work is done in `decode_worker`; here are its limits, its end, and the check of what it
sends. It is killed when the reader leaves, the call is cancelled, or a packet takes too long.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Generator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import IO, Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from emer.tools.media.decode_worker import BEAT, END, HEAD, I420, RGB, Head
from emer.tools.media.probe import ClipLimits
from emer.tools.runtime.cancellation import POLL_SECONDS, raise_if_cancelled

WORKER = (sys.executable, "-P", "-m", "emer.tools.media.decode_worker")
EXIT_SECONDS: Final = 5.0
"""Time in which a process that has closed its output ends."""
MOST_BYTES: Final = 1 << 26
"""Most bytes of a record that is no picture."""
MOST_PADDING: Final = 4096
"""Most bytes after the pixels of a row."""

Data = NDArray[np.uint8]


class DecodeFailed(Exception):
    """A decode that did not come to its end; the message says why."""


@dataclass(slots=True)
class Lost:
    """Packets that were left out: `damaged`, or `starved` of memory."""

    damaged: int = 0
    starved: int = 0


def decode(
    descriptor: int, request: Mapping[str, Any], limits: ClipLimits, lost: Lost
) -> Generator[tuple[Head, Data], None, None]:
    """Yield the head and the data of each picture, or of each piece of sound.

    Args:
        descriptor: The open file; its position is neither used nor moved.
        request: What the worker is asked for: `kind`, `stream`, and the fields of the kind.
        limits: Largest picture, time and memory.
        lost: Counted up at the end.

    Raises:
        DecodeFailed: The worker hung, crashed, met an error, or had too little memory.
        Cancelled: The current call was cancelled.
    """
    with closing(Worker(descriptor, request, limits)) as worker:
        sent = False
        while True:
            head, data = worker.read()
            if head.kind == END:
                break
            if head.kind != BEAT:
                sent = True
                yield head, data
    facts = json.loads(data.tobytes())
    lost.damaged = max(lost.damaged, facts["damaged"])
    lost.starved = max(lost.starved, facts["starved"])
    if facts["error"]:
        raise DecodeFailed(facts["error"][:200])
    if facts["starved"] and not sent:
        raise DecodeFailed(starvation(limits))


def starvation(limits: ClipLimits) -> str:
    """What a decode lacked that could not take more memory."""
    return (
        f"it takes more memory than {limits.decode_memory:g} GB; if it is a clip, raise "
        "decode_memory in [clip] of the settings"
    )


class Worker:
    """A process that decodes; it ends with this object, and with the interpreter."""

    def __init__(self, descriptor: int, request: Mapping[str, Any], limits: ClipLimits) -> None:
        """Start it; `decode` says what the arguments are."""
        facts = {
            "parent": os.getpid(),
            "seconds": limits.decode_seconds,
            "memory": int(limits.decode_memory * 2**30),
            "pixels": limits.pixels,
        }
        self._limits = limits
        # In a group of its own no Ctrl-C reaches it: this process decides when it ends.
        self._process = subprocess.Popen(
            [*WORKER, json.dumps({**request, **facts})],
            stdin=descriptor, stdout=subprocess.PIPE, bufsize=0, process_group=0,
        )  # fmt: skip
        self._pipe = cast(IO[bytes], self._process.stdout)
        self._poll = select.poll()
        self._poll.register(self._pipe, select.POLLIN)
        self.close = weakref.finalize(self, _end, self._process, self._pipe)

    def read(self) -> tuple[Head, Data]:
        """The next record; its data are the caller's."""
        head, size = Head.unpack(self._read(HEAD.size).tobytes())
        if size != _size(head, self._limits.pixels) and not (not head.width and size < MOST_BYTES):
            raise DecodeFailed("its decoder sent what is no picture")
        return head, self._read(size)

    def _read(self, size: int) -> Data:
        data = np.empty(size, np.uint8)
        rest = data.data
        while rest:
            self._wait()
            count = self._pipe.readinto(rest)  # type: ignore[attr-defined]
            if not count:
                raise DecodeFailed(self._ending())
            rest = rest[count:]
        return data

    def _wait(self) -> None:
        """Wait for the next bytes, within the time of one packet."""
        raise_if_cancelled()
        deadline = time.monotonic() + self._limits.decode_seconds
        while not self._poll.poll(1000 * POLL_SECONDS):
            raise_if_cancelled()
            if time.monotonic() > deadline:
                raise DecodeFailed(
                    f"a packet takes longer than {self._limits.decode_seconds:g} s; if it is a "
                    "clip, raise decode_seconds in [clip] of the settings"
                )

    def _ending(self) -> str:
        """How the process ended before its time."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(EXIT_SECONDS)
        code = self._process.returncode
        if code is None or code >= 0:
            return f"its decoder ended too early ({code})"
        return f"its decoder crashed ({signal.Signals(-code).name})"


def _end(process: subprocess.Popen[bytes], pipe: IO[bytes]) -> None:
    process.kill()
    process.wait()
    pipe.close()


def _size(head: Head, most_pixels: int) -> int | None:
    """Bytes of a picture with this head; None where no picture can be like that."""
    rows, height = head.rows, head.height
    widths = {I420: (head.width, head.width // 2, head.width // 2), RGB: (3 * head.width,)}
    least = widths.get(head.kind, ())
    if len(rows) != len(least) or not 0 < head.width * height <= most_pixels:
        return None
    if head.kind == I420 and (head.width % 2 or height % 2):
        return None
    if not all(0 <= row - width <= MOST_PADDING for row, width in zip(rows, least, strict=True)):
        return None
    return rows[0] * height + sum(rows[1:]) * (height // 2)
