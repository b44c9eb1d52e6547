"""One decode for every tool: frames are decoded once and shared by all who read them.

Readers pull. Whoever is furthest ahead decodes the next frame into a window that the
others read from; the leader waits while a slower reader still needs what would fall out
of the window. A reader that makes no progress for a while is let go and decodes for
itself from where it stands, so no tool can block another and memory stays bounded.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from itertools import islice
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

Rgb = NDArray[np.uint8]

WINDOW_BYTES = 48 * 1024 * 1024
BATCH = 8
BATCH_BYTES = 16 * 1024 * 1024
"""Frames that change hands at once, and how many bytes they may hold together."""
PATIENCE = 5.0
"""Seconds a leader waits for a reader that does not move before letting it go."""


_scratch = threading.local()


class Frame:
    """One picture of the clip, upright, with its number and its time in seconds.

    The decoder's picture is kept and turned into RGB when a tool asks, once per size.
    """

    __slots__ = ("_cache", "_lock", "_picture", "_rotation", "height", "index", "time", "width")

    def __init__(self, index: int, time: float, picture: VideoFrame, video: VideoShape) -> None:
        """Wrap a decoded picture; `video` is the upright shape it is shown in."""
        self.index, self.time = index, time
        self.width, self.height = video.width, video.height
        self._rotation = video.rotation
        self._picture = picture
        self._cache: dict[tuple[int, int], Rgb] = {}
        self._lock = threading.Lock()

    def rgb(self, max_side: int | None = None) -> Rgb:
        """Return the picture as uint8 RGB, shape (H, W, 3), read-only.

        With `max_side`, the longer side is at most that many pixels (never enlarged).
        """
        size = fit(self.width, self.height, max_side)
        with self._lock:
            if size not in self._cache:
                self._cache[size] = self._convert(size)
            return self._cache[size]

    def _convert(self, size: tuple[int, int]) -> Rgb:
        import cv2

        turned = (size[1], size[0]) if self._rotation % 180 else size
        image = to_rgb(self._picture)
        if (image.shape[1], image.shape[0]) != turned:
            shrinks = 2 * turned[0] <= image.shape[1]  # below half, linear would alias
            image = cv2.resize(
                image, turned, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
            )
        if self._rotation:
            image = np.ascontiguousarray(np.rot90(image, k=self._rotation // 90))
        image.flags.writeable = False
        return image

    @property
    def nbytes(self) -> int:
        """Bytes this frame may hold once converted at full size."""
        return self.width * self.height * 9 // 2


class VideoShape:
    """The upright shape frames are shown in."""

    __slots__ = ("height", "rotation", "width")

    def __init__(self, width: int, height: int, rotation: int) -> None:
        """Take upright width and height in pixels and the turn in degrees."""
        self.width, self.height, self.rotation = width, height, rotation


def fit(width: int, height: int, max_side: int | None) -> tuple[int, int]:
    """Return (width, height) scaled down so that the longer side is at most `max_side`."""
    longest = max(width, height)
    if max_side is None or longest <= max_side:
        return width, height
    scale = max_side / longest
    return max(1, round(width * scale)), max(1, round(height * scale))


def to_rgb(picture: VideoFrame) -> Rgb:
    """Return a decoded picture as RGB, shape (H, W, 3).

    Limited-range 8-bit 4:2:0, nearly every clip, goes through OpenCV's converter, which
    is several times faster than FFmpeg's scaler; every other format through FFmpeg.
    """
    plain = picture.format.name == "yuv420p" and picture.color_range != 2
    if plain and picture.width % 2 == 0 and picture.height % 2 == 0:
        import cv2

        return np.asarray(cv2.cvtColor(_stack_planes(picture), cv2.COLOR_YUV2RGB_I420), np.uint8)
    return np.asarray(picture.to_ndarray(format="rgb24"), dtype=np.uint8)


def _stack_planes(picture: VideoFrame) -> Rgb:
    """Return Y, U and V one under the other, shape (3H/2, W), in a buffer used again."""
    height, width = picture.height, picture.width
    stack = getattr(_scratch, "planes", None)
    if stack is None or stack.shape != (height * 3 // 2, width):
        stack = _scratch.planes = np.empty((height * 3 // 2, width), np.uint8)
    parts = np.split(stack.reshape(-1), [height * width, height * width * 5 // 4])
    for part, plane in zip(parts, picture.planes, strict=True):
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        part.reshape(plane.height, plane.width)[:] = rows[: plane.height, : plane.width]
    return cast(Rgb, stack)


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
        self._source: Iterator[Frame] | None = None
        self._batch = 1
        self._decoding = False
        self._done = False
        self._readers: set[_Reader] = set()

    @property
    def spent(self) -> bool:
        """Whether the first frames have left the window, so that nobody can join."""
        return self._first > 0

    def read(self) -> Generator[Frame, None, None]:
        """Yield every frame in order; `SharedDecode` may be read by many threads at once."""
        me = _Reader()
        with self._changed:
            if not self.spent:
                self._readers.add(me)
        try:
            while frames := self._take(me):
                yield from frames
            if not self._ended(me):
                yield from self._decode(me.position)
        finally:
            with self._changed:
                self._readers.discard(me)
                self._changed.notify_all()

    def _ended(self, me: _Reader) -> bool:
        with self._changed:
            return self._done and me.position == self._first + len(self._window)

    def _take(self, me: _Reader) -> list[Frame]:
        """Return the reader's next few frames; none at the end, or once it was let go."""
        with self._changed:
            me.moved = time.monotonic()
            self._changed.notify_all()
            while me in self._readers:
                begin = me.position - self._first
                if begin < len(self._window):
                    frames = list(islice(self._window, begin, begin + self._batch))
                    me.position += len(frames)
                    return frames
                if self._done:
                    break
                if self._decoding:
                    self._changed.wait()
                elif self._has_room(me):
                    self._decode_more()
            return []

    def _has_room(self, me: _Reader) -> bool:
        """Drop frames that every reader has passed; tell whether one more may come in.

        Otherwise wait for the slowest reader, and let it go once it stood still for too
        long; what held before the wait has to be looked at again.
        """
        while self._held >= self._limit and self._window:
            slowest = min(self._readers, key=lambda reader: reader.position)
            if slowest is not me and slowest.position == self._first:
                self._wait_for(slowest)
                return False
            self._held -= self._window.popleft().nbytes
            self._first += 1
        return True

    def _wait_for(self, slow: _Reader) -> None:
        left = slow.moved + self._patience - time.monotonic()
        if left > 0:
            self._changed.wait(left)
        else:
            self._readers.discard(slow)

    def _decode_more(self) -> None:
        """Decode a few frames into the window, with the lock released meanwhile."""
        self._decoding = True
        self._changed.release()
        frames: list[Frame] = []
        try:
            self._source = self._source or self._decode(0)
            frames = list(islice(self._source, self._batch))
        except BaseException:
            self._source = None  # so that the next reader meets the error too
            raise
        finally:
            self._changed.acquire()
            self._decoding = False
            self._changed.notify_all()
        self._done = not frames
        self._window.extend(frames)
        self._held += sum(frame.nbytes for frame in frames)
        if frames:
            self._batch = max(1, min(BATCH, BATCH_BYTES // frames[0].nbytes))


class _Reader:
    """Where a reader stands, and since when (monotonic seconds)."""

    __slots__ = ("moved", "position")

    def __init__(self) -> None:
        self.position = 0
        self.moved = time.monotonic()
