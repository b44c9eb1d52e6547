"""Keyframes: the few pictures of a clip or a span that are worth a caption.

Each shot gives one, long shots more: spread in time, sharp, with a face. The numbers are chosen by
us; see tests/tools/caption/test_keyframes.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
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
FaceHeight = Callable[[Rgb], float]
"""Height of the largest face in heights of the picture, 0 without one."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is known of a picture when keyframes are chosen."""

    time: float
    """Seconds from the clip's start."""
    sharpness: float
    """Variance of the Laplacian of the grey picture, 320 pixels wide."""
    face: float
    """Height of the largest face in heights of the picture, 0 without one."""
    layout: NDArray[np.float32]
    """Grey means on a raster; see `tools.media.shots.Signature`."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Pictures that could be captioned, features of each, and the cuts between them."""

    pictures: tuple[Rgb, ...]
    features: tuple[Candidate, ...]
    cuts: tuple[float, ...]


def candidates_of(
    frames: Iterable[Frame], seconds: float, max_side: int, face_height: FaceHeight
) -> Candidates:
    """Evenly spread pictures of a stretch of time, blank ones left out.

    Args:
        frames: Every frame of the stretch, in time order.
        seconds: Length of the stretch.
        max_side: Pixels of the longer side of a picture.
        face_height: Measures the largest face of a picture.
    """
    interval = 1 / min(MOST_PER_SECOND, MOST_CANDIDATES / max(seconds, 1e-3))
    times: list[float] = []
    signatures: list[Signature] = []
    pictures: list[Rgb] = []
    features: list[Candidate] = []
    following = 0.0
    for frame in frames:
        raise_if_cancelled()
        times.append(frame.time)
        signatures.append(describe(frame.rgb(THUMBNAIL)))
        if frame.time < following - 1e-6:
            continue
        following = max(following, frame.time) + interval
        picture = frame.rgb(max_side)
        if is_blank(picture):
            continue
        pictures.append(picture)
        layout = signatures[-1].layout
        features.append(Candidate(frame.time, _sharpness(picture), face_height(picture), layout))
    cuts = cuts_between(signatures, times) if times else ()
    return Candidates(tuple(pictures), tuple(features), cuts)


def is_blank(picture: Rgb) -> bool:
    """Whether a picture is too small or too even to show anything."""
    return min(picture.shape[:2]) < SMALLEST or float(_grey(picture).std()) < BLANK


def relative_sharpness(candidate: Candidate) -> float:
    """The sharpness as a share of what counts as fully sharp, 0-1."""
    return float(np.clip(candidate.sharpness / SHARP, 0.0, 1.0))


def choose(
    features: Sequence[Candidate], cuts: Sequence[float], most: int, apart: float
) -> tuple[int, ...]:
    """The indices of at most `most` candidates, in time order.

    A shot gets one, and one more for each `apart` seconds of it as far as `most` goes; of many
    shots the longest get theirs. One that shows the same as the one before it is left out.

    Args:
        features: The candidates in time order.
        cuts: Times of the cuts between shots, in seconds.
        most: Keyframes at most.
        apart: Seconds of a shot for each of its keyframes.
    """
    shots = [shot for shot in _shots(features, cuts) if shot]
    chosen: list[int] = []
    for shot, count in zip(shots, _counts(features, shots, most, apart), strict=True):
        best = [_best(features, slot) for slot in _slots(features, shot, count) if slot]
        chosen += _distinct(features, best)
    return tuple(sorted(chosen))


def _sharpness(picture: Rgb) -> float:
    import cv2

    return float(cv2.Laplacian(_grey(picture), cv2.CV_32F).var())


def _grey(picture: Rgb) -> Rgb:
    import cv2

    small = resize(picture, fit(picture.shape[1], picture.shape[0], SHARPNESS_SIDE))
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)


def _shots(features: Sequence[Candidate], cuts: Sequence[float]) -> list[list[int]]:
    shots: list[list[int]] = [[] for _ in range(len(cuts) + 1)]
    for index, candidate in enumerate(features):
        shots[int(np.searchsorted(np.asarray(cuts), candidate.time + 1e-3))].append(index)
    return shots


def _counts(
    features: Sequence[Candidate], shots: Sequence[Sequence[int]], most: int, apart: float
) -> list[int]:
    """How many pictures each shot gets: the longest first, then where they are rarest."""
    lengths = [features[shot[-1]].time - features[shot[0]].time for shot in shots]
    longest = sorted(range(len(shots)), key=lambda n: (-round(lengths[n], 3), n))[:most]
    counts = [int(n in longest) for n in range(len(shots))]
    wanted = [max(1, math.ceil(length / apart - 1e-6)) for length in lengths]
    while sum(counts) < most:
        open_ = [n for n in longest if counts[n] < min(wanted[n], len(shots[n]))]
        if not open_:
            break
        counts[max(open_, key=lambda n: (lengths[n] / counts[n], -n))] += 1
    return counts


def _slots(features: Sequence[Candidate], shot: Sequence[int], count: int) -> list[list[int]]:
    if not count:
        return []
    start, end = features[shot[0]].time, features[shot[-1]].time
    width = max((end - start) / count, 1e-9)
    slots: list[list[int]] = [[] for _ in range(count)]
    for index in shot:
        slots[min(count - 1, int((features[index].time - start) / width))].append(index)
    return slots


def _best(features: Sequence[Candidate], slot: Sequence[int]) -> int:
    start, end = features[slot[0]].time, features[slot[-1]].time
    middle, half = (start + end) / 2, max((end - start) / 2, 1e-9)
    sharpest = max(1e-9, *(features[index].sharpness for index in slot))

    def worth(index: int) -> float:
        candidate = features[index]
        near = 1 - min(1.0, abs(candidate.time - middle) / half)
        face = FACE_WORTH * (candidate.face > 0)
        return face + SHARP_WORTH * candidate.sharpness / sharpest + MIDDLE_WORTH * near

    # Rounded, so that a last bit that differs on another processor changes no choice.
    return max(slot, key=lambda index: (round(worth(index), 6), -index))


def _distinct(features: Sequence[Candidate], indices: Sequence[int]) -> list[int]:
    distinct: list[int] = []
    for index in indices:
        if distinct:
            change = np.abs(features[index].layout - features[distinct[-1]].layout)
            if float(change.max()) < SAME:
                continue
        distinct.append(index)
    return distinct
