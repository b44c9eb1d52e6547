"""One decode shared by all tools; RGB and sizes.

From a decoded picture to RGB, in memory that is used again.

One decode for every tool: frames are decoded once and shared by all who read them.

Readers pull. Whoever is furthest ahead decodes the next frame into a window that the
others read from; the leader waits while a slower reader still needs what would fall out
of the window. A reader that makes no progress for a while is let go and decodes for
itself from where it stands, so no tool can block another and memory stays bounded.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Generator, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Final, cast

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av.video.frame import VideoFrame


Rgb = NDArray[np.uint8]

FULL_RANGE: Final = 2
"""FFmpeg's number for pictures whose levels go from 0 to 255."""
LARGE: Final = 1280 * 720
"""Pixels above which a picture is large."""

_own = threading.local()


class Memory:
    """Memory for pictures, used again once nobody holds the picture or a part of it.

    Pages new from the system cost as much as the conversion that fills them.
    """

    def __init__(self) -> None:
        """Hold none yet."""
        self._spare: list[bytearray] = []

    def take(self, height: int, width: int) -> Rgb:
        """Return room for an RGB picture, shape (height, width, 3), its content undefined."""
        size = height * width * 3
        try:
            piece = self._spare.pop()
        except IndexError:
            piece = bytearray(size)
        if len(piece) != size:
            piece = bytearray(size)
        flat = np.frombuffer(piece, np.uint8)
        # Every view of `flat` keeps it alive, so this happens when the last one is gone.
        weakref.finalize(flat, self._spare.append, piece).atexit = False
        return flat.reshape(height, width, 3)


def to_rgb(picture: VideoFrame, memory: Memory) -> Rgb:
    """Return a decoded picture as RGB, shape (H, W, 3).

    Limited-range 8-bit 4:2:0, nearly every clip, goes through OpenCV's converter; every
    other format through FFmpeg's. (FFmpeg's is faster for 4:2:0 too, but leaves the picture
    one to one and a half of 255 levels too dark, which changes what the networks see.)
    """
    plain = picture.format.name == "yuv420p" and picture.color_range != FULL_RANGE
    if not plain or picture.width % 2 or picture.height % 2:
        return _by_ffmpeg(picture)
    import cv2

    image = memory.take(picture.height, picture.width)
    cv2.cvtColor(_stack_planes(picture), cv2.COLOR_YUV2RGB_I420, dst=image)
    return image


def resize(image: Rgb, size: tuple[int, int]) -> Rgb:
    """Return the picture in (width, height); the same where it has that size already.

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
    """Return (width, height) scaled down so that the longer side is at most `max_side`."""
    longest = max(width, height)
    if max_side is None or longest <= max_side:
        return width, height
    scale = max_side / longest
    return max(1, round(width * scale)), max(1, round(height * scale))


def _by_ffmpeg(picture: VideoFrame) -> Rgb:
    from av.video.reformatter import VideoReformatter

    if not hasattr(_own, "reformatter"):
        _own.reformatter = VideoReformatter()  # which keeps its tables between pictures
    plane = _own.reformatter.reformat(picture, format="rgb24", threads=1).planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    shape = (plane.height, plane.width, 3)
    return np.ascontiguousarray(rows[:, : 3 * plane.width]).reshape(shape)


def _stack_planes(picture: VideoFrame) -> Rgb:
    """Return Y, U and V one under the other, shape (3H/2, W), in a buffer used again."""
    height, width = picture.height, picture.width
    stack = getattr(_own, "planes", None)
    if stack is None or stack.shape != (height * 3 // 2, width):
        stack = _own.planes = np.empty((height * 3 // 2, width), np.uint8)
    flat, start = stack.reshape(-1), 0
    for plane in picture.planes:
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        end = start + plane.height * plane.width
        flat[start:end].reshape(plane.height, plane.width)[:] = rows[: plane.height, : plane.width]
        start = end
    return cast(Rgb, stack)


WINDOW_BYTES = 48 * 1024 * 1024
BATCH = 8
BATCH_BYTES = 16 * 1024 * 1024
"""Frames that change hands at once, and how many bytes they may hold together."""
PATIENCE = 5.0
"""Seconds a leader waits for a reader that does not move before letting it go."""


class Frame:
    """One picture of the clip, upright, with its number and its time in seconds.

    The decoder's picture is turned into RGB when a tool first asks, once for all tools and
    sizes, and let go then.
    """

    __slots__ = ("_lock", "_picture", "_sizes", "_video", "height", "index", "time", "width")

    def __init__(self, index: int, time: float, picture: VideoFrame, video: VideoShape) -> None:
        """Wrap a decoded picture; `video` is the upright shape it is shown in."""
        self.index, self.time = index, time
        self.width, self.height = video.width, video.height
        self._video = video
        self._picture: VideoFrame | Rgb = picture
        self._sizes: dict[tuple[int, int], Rgb] = {}
        self._lock = threading.Lock()

    def rgb(self, max_side: int | None = None) -> Rgb:
        """Return the picture as uint8 RGB, shape (H, W, 3), read-only.

        With `max_side`, the longer side is at most that many pixels (never enlarged).
        """
        size = fit(self.width, self.height, max_side)
        with self._lock:
            if size not in self._sizes:
                self._sizes[size] = self._sized(size)
            return self._sizes[size]

    def _sized(self, size: tuple[int, int]) -> Rgb:
        """Return the picture in this size, upright; the caller holds the lock."""
        if not isinstance(self._picture, np.ndarray):
            self._picture = to_rgb(self._picture, self._video.memory)
        rotation = self._video.rotation
        stored = (size[1], size[0]) if rotation % 180 else size
        upright = np.rot90(resize(self._picture, stored), k=rotation // 90)
        image = np.ascontiguousarray(upright)
        image.flags.writeable = False
        return image

    @property
    def nbytes(self) -> int:
        """Bytes this frame may hold: the stored picture as RGB, and one or two made from it."""
        return self.width * self.height * (12 if self._video.rotation else 9) // 2


class VideoShape:
    """The upright shape frames are shown in, and the memory they are converted into."""

    __slots__ = ("height", "memory", "rotation", "width")

    def __init__(self, width: int, height: int, rotation: int) -> None:
        """Take upright width and height in pixels and the turn in degrees."""
        self.width, self.height, self.rotation = width, height, rotation
        self.memory = Memory()


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
                if self.spent and not self._readers:
                    self._first += len(self._window)
                    self._window.clear()
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

        Until the window is full for the first time all are kept, for readers still to come;
        from then on as few as possible, whose memory the next frames use again.
        Otherwise wait for the slowest reader, and let it go once it stood still for too
        long; what held before the wait has to be looked at again.
        """
        full = self._held >= self._limit
        slowest = min(self._readers, key=lambda reader: reader.position)
        while self._window and (full or self.spent) and self._first < slowest.position:
            self._held -= self._window.popleft().nbytes
            self._first += 1
        if self._held < self._limit or not self._window:
            return True
        self._wait_for(slowest)
        return False

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
