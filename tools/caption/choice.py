"""Which few pictures are worth a caption: each shot, spread in time, sharp, with a face.

Numbers are chosen by us; see tests/tools/caption/test_choice.py.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

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
