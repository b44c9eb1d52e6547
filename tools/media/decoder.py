"""One decode of a clip for all tools, and the conversion of its pictures to RGB.

Readers pull. The one that is furthest ahead decodes the next frames into a window that the
others read from; it waits while a slower reader still needs what would leave the window. A
reader that makes no progress for `PATIENCE` seconds is dropped and decodes for itself from its
position, so that no tool can block another and memory stays bounded.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from emer.tools.media.decode_worker import I420, LARGE, Head
from emer.tools.runtime.cancellation import POLL_SECONDS, raise_if_cancelled

Rgb = NDArray[np.uint8]

WINDOW_BYTES = 48 * 1024 * 1024
BATCH = 8
BATCH_BYTES = 16 * 1024 * 1024
"""Frames that a reader takes at once, and their bytes at most."""
PATIENCE = 5.0
"""Seconds after which a reader that does not move is dropped."""

_thread = threading.local()


@dataclass(frozen=True, slots=True)
class VideoShape:
    """Upright width and height in pixels, and counter-clockwise rotation in degrees."""

    width: int
    height: int
    rotation: int


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture as `decode_worker` sends it: head, and bytes of the planes."""

    head: Head
    data: NDArray[np.uint8]


class Frame:
    """One picture of the clip, upright, with its number and its time in seconds.

    The decoded picture is converted to RGB at the first request, once for all tools and
    sizes, and then released.
    """

    __slots__ = ("_lock", "_picture", "_shape", "_sizes", "height", "index", "time", "width")

    def __init__(self, index: int, time: float, picture: Picture, shape: VideoShape) -> None:
        """Wrap a decoded picture; `shape` is that of the upright frame."""
        self.index, self.time = index, time
        self.width, self.height = shape.width, shape.height
        self._shape = shape
        self._picture: Picture | Rgb = picture
        self._sizes: dict[tuple[int, int], Rgb] = {}
        self._lock = threading.Lock()

    def rgb(self, max_side: int | None = None) -> Rgb:
        """Picture as uint8 RGB, shape (H, W, 3), read-only.

        With `max_side`, the longer side is at most that many pixels (never enlarged).
        """
        size = fit(self.width, self.height, max_side)
        with self._lock:
            if size not in self._sizes:
                self._sizes[size] = self._upright(size)
            return self._sizes[size]

    def _upright(self, size: tuple[int, int]) -> Rgb:
        if not isinstance(self._picture, np.ndarray):
            self._picture = to_rgb(self._picture)
        rotation = self._shape.rotation
        stored = (size[1], size[0]) if rotation % 180 else size
        upright = np.rot90(resize(self._picture, stored), k=rotation // 90)
        image = np.ascontiguousarray(upright)
        image.flags.writeable = False
        return image

    @property
    def nbytes(self) -> int:
        """Estimated bytes: the stored picture as RGB, and one or two made from it."""
        return self.width * self.height * (12 if self._shape.rotation else 9) // 2


class SharedDecode:
    """Frames of one video, decoded once for all readers that keep up with each other."""

    def __init__(
        self,
        decode: Callable[[int], Generator[Frame, None, None]],
        window_bytes: int = WINDOW_BYTES,
        patience: float = PATIENCE,
    ) -> None:
        """Take `decode(first)`, which yields frames from number `first` on."""
        self._decode = decode
        self._limit, self._patience = window_bytes, patience
        self._changed = threading.Condition()
        self._window: deque[Frame] = deque()
        self._held = 0
        self._first = 0
        self._source: Generator[Frame, None, None] | None = None
        self._next = 0
        self._batch = 1
        self._decoding = False
        self._done = False
        self._readers: set[_Reader] = set()

    @property
    def spent(self) -> bool:
        """Whether the first frames have left the window, so that no reader can join."""
        return self._first > 0

    def read(self) -> Generator[Frame, None, None]:
        """Yield every frame in order; several threads may read at once."""
        reader = _Reader()
        with self._changed:
            if not self.spent:
                self._readers.add(reader)
        try:
            while frames := self._take(reader):
                yield from frames
            if not self._ended(reader):
                yield from self._decode(reader.next)
        finally:
            self._leave(reader)

    def _leave(self, reader: _Reader) -> None:
        """Forget a reader; the last one ends the decode, which a later one takes up again."""
        left = None
        with self._changed:
            self._readers.discard(reader)
            if not self._readers:
                left, self._source = self._source, None
                if self.spent:
                    self._first += len(self._window)
                    self._window.clear()
            self._changed.notify_all()
        if left is not None:
            left.close()

    def _ended(self, reader: _Reader) -> bool:
        with self._changed:
            return self._done and reader.position == self._first + len(self._window)

    def _take(self, reader: _Reader) -> list[Frame]:
        """Next frames of the reader; none at the end, or once it was dropped."""
        with self._changed:
            reader.moved = time.monotonic()
            self._changed.notify_all()
            while reader in self._readers:
                begin = reader.position - self._first
                if begin < len(self._window):
                    frames = list(islice(self._window, begin, begin + self._batch))
                    reader.position += len(frames)
                    reader.next = frames[-1].index + 1
                    return frames
                if self._done:
                    break
                if self._decoding:
                    self._changed.wait(POLL_SECONDS)
                    raise_if_cancelled()
                elif self._has_room():
                    self._decode_more()
            return []

    def _has_room(self) -> bool:
        """Drop frames that every reader has passed; True if the window has room for more.

        Until the window is full for the first time all frames are kept, for readers still to
        come; from then on as few as possible. Without room, wait for the slowest reader and
        drop it after `PATIENCE` seconds; the caller must check its conditions again.
        """
        full = self._held >= self._limit
        slowest = min(self._readers, key=lambda each: each.position)
        while self._window and (full or self.spent) and self._first < slowest.position:
            self._held -= self._window.popleft().nbytes
            self._first += 1
        if self._held < self._limit or not self._window:
            return True
        remaining = slowest.moved + self._patience - time.monotonic()
        if remaining > 0:
            self._changed.wait(remaining)
        else:
            self._readers.discard(slowest)
        return False

    def _decode_more(self) -> None:
        """Decode some frames into the window, with the lock released meanwhile."""
        self._decoding = True
        self._changed.release()
        frames: list[Frame] = []
        try:
            self._source = self._source or self._decode(self._next)
            frames = list(islice(self._source, self._batch))
        except BaseException:
            self._source = None  # the next reader decodes on from here, or gets the error, too
            raise
        finally:
            self._changed.acquire()
            self._decoding = False
            self._changed.notify_all()
        self._done = not frames
        self._next = frames[-1].index + 1 if frames else self._next
        self._window.extend(frames)
        self._held += sum(frame.nbytes for frame in frames)
        if frames:
            self._batch = max(1, min(BATCH, BATCH_BYTES // frames[0].nbytes))


class _Reader:
    """Frames that a reader took, number of the next, its last step (monotonic s)."""

    __slots__ = ("moved", "next", "position")

    def __init__(self) -> None:
        self.position, self.next = 0, 0
        self.moved = time.monotonic()


def to_rgb(picture: Picture) -> Rgb:
    """Decoded picture as RGB, shape (H, W, 3).

    Limited-range 8-bit 4:2:0, nearly every clip, goes through OpenCV's converter; every
    other format went through FFmpeg's. (FFmpeg's is faster for 4:2:0 too, but leaves the picture
    one to one and a half of 255 levels too dark, which changes the output of the networks.)
    """
    head = picture.head
    if head.kind != I420:
        rows = picture.data.reshape(head.height, head.rows[0])[:, : 3 * head.width]
        return np.ascontiguousarray(rows).reshape(head.height, head.width, 3)
    import cv2

    return np.asarray(cv2.cvtColor(_stack_planes(picture), cv2.COLOR_YUV2RGB_I420), np.uint8)


def resize(image: Rgb, size: tuple[int, int]) -> Rgb:
    """Picture in (width, height) pixels; unchanged if it has that size.

    One that shrinks to a quarter or less is halved first while it is large: the mean of
    means of four is as good, and several times faster than one over many pixels.
    """
    if (image.shape[1], image.shape[0]) == size:
        return image
    import cv2

    while image.size > 3 * LARGE and 4 * size[0] <= image.shape[1]:
        half = image.shape[1] // 2, image.shape[0] // 2
        image = np.asarray(cv2.resize(image, half, interpolation=cv2.INTER_AREA), np.uint8)
    shrinks = 2 * size[0] <= image.shape[1]  # below half, linear would alias
    kind = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=kind), np.uint8)


def fit(width: int, height: int, max_side: int | None) -> tuple[int, int]:
    """(width, height) scaled down so that the longer side is at most `max_side`."""
    longest = max(width, height)
    if max_side is None or longest <= max_side:
        return width, height
    scale = max_side / longest
    return max(1, round(width * scale)), max(1, round(height * scale))


def _stack_planes(picture: Picture) -> Rgb:
    """Y, U and V one under the other, shape (3H/2, W); copied where rows are padded."""
    (_, _, width, height, rows), data = picture.head, picture.data
    if rows == (width, width // 2, width // 2):
        return data.reshape(height * 3 // 2, width)
    stack = getattr(_thread, "planes", None)
    if stack is None or stack.shape != (height * 3 // 2, width):
        stack = _thread.planes = np.empty((height * 3 // 2, width), np.uint8)
    flat, start, read = stack.reshape(-1), 0, 0
    sizes = ((height, width), *[(height // 2, width // 2)] * 2)
    for (tall, wide), row in zip(sizes, rows, strict=True):
        end = start + tall * wide
        plane = data[read : read + tall * row].reshape(tall, row)
        flat[start:end].reshape(tall, wide)[:] = plane[:, :wide]
        start, read = end, read + tall * row
    return stack
