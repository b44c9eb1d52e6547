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
from typing import TYPE_CHECKING

import numpy as np

from emer.tools.pictures import Memory, Rgb, fit, resize, to_rgb

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

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
