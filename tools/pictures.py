"""From a decoded picture to RGB, in memory that is used again."""

from __future__ import annotations

import threading
import weakref
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
