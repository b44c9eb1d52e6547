"""Which frames are captioned.

Which few pictures are worth a caption: each shot, spread in time, sharp, with a face.

Numbers are chosen by us; see tests/tools/caption/test_choice.py.

Look through a clip or a span for pictures that could be captioned; few are kept.
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
from emer.tools.runtime.cancellation import still_wanted

FACE, SHARP, MIDDLE = 1.0, 1.0, 0.5
"""What a face, full sharpness, and the middle of its stretch are worth in a picture."""
ALIKE: Final = 4.0
"""Grey levels (of 255): two pictures of a shot that differ less anywhere show the same."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known of a picture when one is chosen."""

    time: float
    sharpness: float
    """Variance of the Laplacian of the grey picture, 320 pixels wide."""
    face: float
    """Height of the largest face in heights of the picture, 0 where none is seen."""
    layout: NDArray[np.float32]
    """Grey means on a raster; see `scene.cuts.Signature`."""


def choose(
    moments: Sequence[Moment], cuts: Sequence[float], most: int, apart: float
) -> tuple[int, ...]:
    """Return the places of at most `most` moments, in time order.

    A shot gets one, and one more for each `apart` seconds of it as far as `most` goes; of many
    shots the longest get theirs. One that shows what the one before it shows is left out.
    """
    shots = [shot for shot in _shots(moments, cuts) if shot]
    chosen: list[int] = []
    for shot, count in zip(shots, _counts(moments, shots, most, apart), strict=True):
        picked = [_best(moments, slot) for slot in _slots(moments, shot, count) if slot]
        chosen += _unlike(moments, picked)
    return tuple(sorted(chosen))


def _shots(moments: Sequence[Moment], cuts: Sequence[float]) -> list[list[int]]:
    """Return the places of each shot's moments."""
    found: list[list[int]] = [[] for _ in range(len(cuts) + 1)]
    for place, moment in enumerate(moments):
        found[int(np.searchsorted(np.asarray(cuts), moment.time + 1e-3))].append(place)
    return found


def _counts(
    moments: Sequence[Moment], shots: Sequence[Sequence[int]], most: int, apart: float
) -> list[int]:
    """Return how many pictures each shot gets: the longest first, then where they are rarest."""
    lengths = [moments[shot[-1]].time - moments[shot[0]].time for shot in shots]
    longest = sorted(range(len(shots)), key=lambda n: (-round(lengths[n], 3), n))[:most]
    counts = [int(n in longest) for n in range(len(shots))]
    wanted = [max(1, math.ceil(length / apart - 1e-6)) for length in lengths]
    while sum(counts) < most:
        open_ = [n for n in longest if counts[n] < min(wanted[n], len(shots[n]))]
        if not open_:
            break
        counts[max(open_, key=lambda n: (lengths[n] / counts[n], -n))] += 1
    return counts


def _slots(moments: Sequence[Moment], shot: Sequence[int], count: int) -> list[list[int]]:
    """Return the shot's places in `count` stretches of equal length."""
    if not count:
        return []
    start, end = moments[shot[0]].time, moments[shot[-1]].time
    width = max((end - start) / count, 1e-9)
    slots: list[list[int]] = [[] for _ in range(count)]
    for place in shot:
        slots[min(count - 1, int((moments[place].time - start) / width))].append(place)
    return slots


def _best(moments: Sequence[Moment], slot: Sequence[int]) -> int:
    """Return the place with the sharpest picture of a face near the middle of a stretch."""
    start, end = moments[slot[0]].time, moments[slot[-1]].time
    middle, half = (start + end) / 2, max((end - start) / 2, 1e-9)
    sharpest = max(1e-9, *(moments[place].sharpness for place in slot))

    def worth(place: int) -> float:
        moment = moments[place]
        near = 1 - min(1.0, abs(moment.time - middle) / half)
        seen = FACE * (moment.face > 0)
        return seen + SHARP * moment.sharpness / sharpest + MIDDLE * near

    return max(slot, key=lambda place: (round(worth(place), 6), -place))


def _unlike(moments: Sequence[Moment], picked: Sequence[int]) -> list[int]:
    """Return the places without those that show what the one kept before shows."""
    kept: list[int] = []
    for place in picked:
        if kept:
            change = np.abs(moments[place].layout - moments[kept[-1]].layout)
            if float(change.max()) < ALIKE:
                continue
        kept.append(place)
    return kept


THUMBNAIL: Final = 64
FINE: Final = 320
"""Pixels of the longer side at which sharpness is measured."""
MOST_KEPT: Final = 48
"""Pictures held at once, about 1 MB each."""
OFTEN: Final = 8.0
"""Pictures per second that are looked at, at most."""
BLANK: Final = 4.0
"""Standard deviation of the grey levels below which a picture shows nothing (chosen by us)."""
CLEAR: Final = 100.0
"""Variance of the Laplacian from which a picture counts as sharp (chosen by us)."""
TINY: Final = 32
"""Pixels of the shorter side below which nothing can be told from a picture (chosen by us)."""

FaceHeight = Callable[[Rgb], float]
"""Returns the height of the largest face in heights of the picture, 0 where none is seen."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The pictures that could be captioned, with what is known of each, and the cuts."""

    pictures: tuple[Rgb, ...]
    moments: tuple[Moment, ...]
    cuts: tuple[float, ...]


def look_through(
    frames: Iterable[Frame], seconds: float, max_side: int, face_height: FaceHeight
) -> Seen:
    """Return evenly spread pictures of a stretch of so many seconds, blank ones left out."""
    rate = min(OFTEN, MOST_KEPT / max(seconds, 1e-3))
    times: list[float] = []
    signatures: list[Signature] = []
    pictures: list[Rgb] = []
    moments: list[Moment] = []
    following = 0.0
    for frame in frames:
        still_wanted()
        times.append(frame.time)
        signatures.append(describe(frame.rgb(THUMBNAIL)))
        if frame.time < following - 1e-6:
            continue
        following = max(following, frame.time) + 1 / rate
        picture = frame.rgb(max_side)
        if is_blank(picture):
            continue
        pictures.append(picture)
        layout = signatures[-1].layout
        moments.append(Moment(frame.time, sharpness(picture), face_height(picture), layout))
    cuts = cuts_between(signatures, times) if times else ()
    return Seen(tuple(pictures), tuple(moments), cuts)


def is_blank(picture: Rgb) -> bool:
    """Tell whether a picture is too small or too even to show anything."""
    return min(picture.shape[:2]) < TINY or float(_grey(picture).std()) < BLANK


def sharpness(picture: Rgb) -> float:
    """Return the variance of the Laplacian of the grey picture at 320 pixels."""
    import cv2

    return float(cv2.Laplacian(_grey(picture), cv2.CV_32F).var())


def clearness(sharp: float) -> float:
    """Return sharpness as a share of what counts as sharp, 0-1."""
    return float(np.clip(sharp / CLEAR, 0.0, 1.0))


def _grey(picture: Rgb) -> Rgb:
    import cv2

    small = resize(picture, fit(picture.shape[1], picture.shape[0], FINE))
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
