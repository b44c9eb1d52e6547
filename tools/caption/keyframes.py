"""Keyframes: the few pictures of a clip or a span that are worth a caption.

Each shot gives one, long shots more: spread in time, sharp, with a face. The numbers are chosen by
us; see tests/tools/caption/test_keyframes.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emer.tools.media.decoder import Frame, Rgb, fit, resize
from emer.tools.media.shots import Signature, cuts_between, describe
from emer.tools.runtime.cancellation import raise_if_cancelled

THUMBNAIL: Final = 64
SHARPNESS_SIDE: Final = 320
"""Pixels of the longer side at which sharpness is measured."""
MOST_CANDIDATES: Final = 48
"""Pictures held at once, about 1 MB each."""
MOST_PER_SECOND: Final = 8.0
BLANK: Final = 4.0
"""Standard deviation of the grey levels below which a picture shows nothing."""
SHARP: Final = 100.0
"""Variance of the Laplacian from which a picture counts as fully sharp."""
SMALLEST: Final = 32
"""Pixels of the shorter side below which nothing can be seen in a picture."""
FACE_WORTH, SHARP_WORTH, MIDDLE_WORTH = 1.0, 1.0, 0.5
"""Weights of a face, of full sharpness, and of the middle of the stretch."""
SAME: Final = 4.0
"""Grey levels (of 255): pictures of a shot that differ less anywhere are the same."""


@dataclass(frozen=True, slots=True, eq=False)
class Keyframe:
    """A picture that could be captioned, and what it is chosen by."""

    picture: Rgb
    time: float
    """Seconds from the clip's start."""
    variance: float
    """Of the Laplacian of the grey picture, 320 pixels wide."""
    face: float
    """Height of the largest face in heights of the picture, 0 without one."""
    layout: NDArray[np.float32]
    """Grey means on a raster; see `tools.media.shots.Signature`."""

    @property
    def sharpness(self) -> float:
        """The variance as a share of what counts as fully sharp, 0-1."""
        return min(1.0, self.variance / SHARP)


def candidates_of(
    frames: Iterable[Frame], seconds: float, max_side: int, face_height: Callable[[Rgb], float]
) -> tuple[list[Keyframe], tuple[float, ...]]:
    """Evenly spread pictures of a stretch of time, no blank ones, and the cuts in it.

    Args:
        frames: Every frame of the stretch, in time order.
        seconds: Length of the stretch.
        max_side: Pixels of the longer side of a picture.
        face_height: Measures the largest face of a picture, in heights of the picture.
    """
    interval = 1 / min(MOST_PER_SECOND, MOST_CANDIDATES / max(seconds, 1e-3))
    times: list[float] = []
    signatures: list[Signature] = []
    candidates: list[Keyframe] = []
    following = 0.0
    for frame in frames:
        raise_if_cancelled()
        times.append(frame.time)
        signatures.append(describe(frame.rgb(THUMBNAIL)))
        if frame.time < following - 1e-6:
            continue
        following = max(following, frame.time) + interval
        picture, layout = frame.rgb(max_side), signatures[-1].layout
        contrast, variance = _detail(picture)
        if min(picture.shape[:2]) >= SMALLEST and contrast >= BLANK:
            face = face_height(picture)
            candidates.append(Keyframe(picture, frame.time, variance, face, layout))
    return candidates, cuts_between(signatures, times) if times else ()


def _detail(picture: Rgb) -> tuple[float, float]:
    """Standard deviation of the grey levels, and variance of their Laplacian."""
    import cv2

    small = resize(picture, fit(picture.shape[1], picture.shape[0], SHARPNESS_SIDE))
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    return float(grey.std()), float(cv2.Laplacian(grey, cv2.CV_32F).var())


def choose(
    candidates: Sequence[Keyframe], cuts: Sequence[float], most: int, apart: float
) -> list[Keyframe]:
    """At most `most` of the candidates, in time order.

    A shot gets one, and one more for each `apart` seconds of it as far as `most` goes; of many
    shots the longest get theirs. One that shows the same as the one before it is left out.

    Args:
        candidates: In time order.
        cuts: Times of the cuts between shots, in seconds.
        most: Keyframes at most.
        apart: Seconds of a shot for each of its keyframes.
    """
    parts = groupby(candidates, lambda each: int(np.searchsorted(cuts, each.time + 1e-3)))
    shots = [list(shot) for _, shot in parts]
    chosen: list[Keyframe] = []
    for shot, count in zip(shots, _counts(shots, most, apart), strict=True):
        distinct: list[Keyframe] = []
        for best in map(_best, _slots(shot, count)):
            if not distinct or np.abs(best.layout - distinct[-1].layout).max() >= SAME:
                distinct.append(best)
        chosen += distinct
    return chosen


def _counts(shots: Sequence[Sequence[Keyframe]], most: int, apart: float) -> list[int]:
    """How many pictures each shot gets: the longest first, then where they are rarest."""
    lengths = [shot[-1].time - shot[0].time for shot in shots]
    longest = sorted(range(len(shots)), key=lambda n: (-round(lengths[n], 3), n))[:most]
    counts = [int(n in longest) for n in range(len(shots))]
    wanted = [max(1, math.ceil(length / apart - 1e-6)) for length in lengths]
    while sum(counts) < most:
        open_ = [n for n in longest if counts[n] < min(wanted[n], len(shots[n]))]
        if not open_:
            break
        counts[max(open_, key=lambda n: (lengths[n] / counts[n], -n))] += 1
    return counts


def _slots(shot: Sequence[Keyframe], count: int) -> list[list[Keyframe]]:
    """The pictures of a shot by stretches of equal length, as far as these have any."""
    if not count:
        return []
    start = shot[0].time
    width = max((shot[-1].time - start) / count, 1e-9)
    parts = groupby(shot, lambda each: min(count - 1, int((each.time - start) / width)))
    return [list(part) for _, part in parts]


def _best(slot: Sequence[Keyframe]) -> Keyframe:
    start, end = slot[0].time, slot[-1].time
    middle, half = (start + end) / 2, max((end - start) / 2, 1e-9)
    sharpest = max(1e-9, *(each.variance for each in slot))

    def worth(each: Keyframe) -> float:
        near = 1 - min(1.0, abs(each.time - middle) / half)
        face = FACE_WORTH * (each.face > 0)
        return face + SHARP_WORTH * each.variance / sharpest + MIDDLE_WORTH * near

    # Rounded, so that a last bit that differs on another processor changes no choice.
    return max(slot, key=lambda each: round(worth(each), 6))
