"""Shot changes: cuts and dissolves, but not flashes or fast motion.

Two pictures are compared by their layout (correlation of a 16 x 16 grey version, which
ignores brightness) and by their colours (histograms, which ignore motion). A cut is a
jump in both that exceeds its surroundings and is not reversed. All thresholds
are chosen by us; see tests/tools/media/test_shots.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

GRID: Final = 16
CUT: Final = 0.16
"""Least difference between the pictures before and after a cut (0 to 1)."""
STANDS_OUT: Final = 3.0
"""Ratio of a cut to the median difference around it, at least."""
AROUND: Final = 0.5
"""Seconds on each side of which the median is taken."""
FLASH: Final = 0.25
"""Seconds within which a picture returns after a flash."""
SHORTEST_SHOT: Final = 0.3
DISSOLVE: Final = 0.8
"""Longest dissolve, in seconds."""
REARRANGED: Final = 0.3
"""Least change of layout in a dissolve, which a change of light does not reach."""
PAIRS: Final = 1024
"""Pairs of pictures compared at once, to bound memory."""
_FIRST_BIN: Final = np.array((0, 16, 32), np.uint8)

Floats = NDArray[np.float64]


class Signature(NamedTuple):
    """Layout and colours of a picture, under 2 kB."""

    layout: NDArray[np.float32]
    """Grey means on a GRID x GRID raster, 0-255."""
    colours: NDArray[np.float32]
    """Histogram of 16 bins in each of R, G, B; sums to 1."""


def describe(thumbnail: NDArray[np.uint8]) -> Signature:
    """Signature of a small RGB picture, uint8 of shape (H, W, 3)."""
    grey = thumbnail.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    layout = _means(_means(grey, 0), 1)
    # R counts in bins 0-15, G in 16-31, B in 32-47.
    bins = np.bincount(((thumbnail >> 4) + _FIRST_BIN).ravel(), minlength=48)
    return Signature(layout, (bins / max(bins.sum(), 1)).astype(np.float32))


def _means(grey: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """Means of GRID nearly equal stretches along `axis` (repeating short sides)."""
    count = grey.shape[axis]
    if count < GRID:
        return np.take(grey, np.arange(GRID) * count // GRID, axis=axis)
    edges = np.arange(GRID) * count // GRID
    sizes = np.diff(np.append(edges, count)).astype(np.float32)
    sums = np.add.reduceat(grey, edges, axis=axis)
    means: NDArray[np.float32] = sums / (sizes[:, None] if axis == 0 else sizes[None, :])
    return means


def difference(one: Signature, other: Signature) -> float:
    """Difference of two pictures from 0 (same) to 1: layout and colours together.

    The geometric mean of (1 - correlation of the layouts) and the share of colours that
    differ: motion alone keeps the colours, a flash alone keeps the layout.
    """
    return float(_compare([one], [other])[0][0])


def differences(pairs: Sequence[tuple[Signature, Signature]]) -> tuple[Floats, Floats]:
    """`difference` of each pair, and that of its layout alone, blind to brightness."""
    parts = [pairs[first : first + PAIRS] for first in range(0, len(pairs), PAIRS)]
    compared = [_compare(*zip(*part, strict=True)) for part in parts]
    empty = np.zeros(0)
    whole, layout = zip(*compared, strict=True) if compared else ((empty,), (empty,))
    return np.concatenate(whole), np.concatenate(layout)


def _compare(ones: Sequence[Signature], others: Sequence[Signature]) -> tuple[Floats, Floats]:
    a, b = (np.stack([s.layout.ravel() for s in side]) for side in (ones, others))
    c, d = (np.stack([s.colours for s in side]) for side in (ones, others))
    colours = np.abs(c - d).sum(axis=1).astype(np.float64) / 2
    level = np.abs(a.mean(axis=1) - b.mean(axis=1)).astype(np.float64) / 128
    rearranged = _rearranged(a, b)
    return np.sqrt(np.maximum(rearranged, np.minimum(level, 1.0)) * colours), rearranged


def _rearranged(a: NDArray[np.float32], b: NDArray[np.float32]) -> Floats:
    """1 - correlation of layouts, one picture a row, clipped to 0-1."""
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    spread = (a.std(axis=1) * b.std(axis=1)).astype(np.float64)
    # 9 grey levels squared: below that a picture is flat and its noise is no layout.
    correlation = ((a * b).mean(axis=1).astype(np.float64) + 9.0) / (spread + 9.0)
    return np.asarray(np.clip(1 - correlation, 0.0, 1.0))


def cuts_between(signatures: Sequence[Signature], times: Sequence[float]) -> tuple[float, ...]:
    """Times of the first pictures of new shots, in seconds, in order.

    `signatures` and `times` are those of all frames of the clip. A dissolve counts at its
    middle.
    """
    at = np.asarray(times, dtype=np.float64)
    jumps, _ = differences([*pairwise(signatures)])
    hard = [i + 1 for i in range(len(jumps)) if _is_cut(i, jumps, signatures, at)]
    soft = [i for i in _dissolves(signatures, at) if not _near(at[i], at[hard], DISSOLVE)]
    return tuple(round(float(at[i]), 3) for i in _spaced(sorted({*hard, *soft}), at))


def _is_cut(i: int, jumps: Floats, signatures: Sequence[Signature], at: Floats) -> bool:
    """True if a new shot begins with picture i + 1."""
    if jumps[i] < CUT:
        return False
    around = np.abs(at[1:] - at[i + 1]) <= AROUND
    around[max(i - 1, 0) : i + 2] = False
    usual = float(np.median(jumps[around])) if around.any() else 0.0
    if jumps[i] < STANDS_OUT * usual:
        return False
    return not _goes_back(i, signatures, at)


def _goes_back(i: int, signatures: Sequence[Signature], at: Floats) -> bool:
    """True if the scene before i + 1 returns, or that of i + 1 was there before."""
    later = range(i + 2, int(np.searchsorted(at, at[i + 1] + FLASH, side="right")))
    if any(difference(signatures[i], signatures[j]) < CUT / 2 for j in later):
        return True
    earlier = range(int(np.searchsorted(at, at[i] - FLASH)), i)
    return any(difference(signatures[j], signatures[i + 1]) < CUT / 2 for j in earlier)


def _dissolves(signatures: Sequence[Signature], at: Floats) -> list[int]:
    """Middles of dissolves: pictures that mix the one before and the one after."""
    sides = [
        (before, i, after)
        for i, (before, after) in enumerate(zip(*_around(at), strict=True))
        if at[after] - at[before] >= 0.75 * DISSOLVE and after - before >= 4
    ]
    apart, rearranged = differences([(signatures[b], signatures[a]) for b, _, a in sides])
    mixes = [
        (float(apart[n]), sides[n][1])
        for n in np.flatnonzero((apart > CUT) & (rearranged > REARRANGED))
        if _is_mix(*(signatures[k].layout for k in sides[n]))
    ]
    return [i for apart, i in mixes if _is_peak(apart, i, mixes, at)]


def _around(at: Floats) -> tuple[list[int], list[int]]:
    """First and last picture within half a dissolve of each picture."""
    before = np.searchsorted(at, at - DISSOLVE / 2)
    after = np.searchsorted(at, at + DISSOLVE / 2, side="right") - 1
    return before.tolist(), after.tolist()


def _is_peak(apart: float, i: int, mixes: list[tuple[float, int]], at: Floats) -> bool:
    rivals = [(a, -j) for a, j in mixes if abs(at[j] - at[i]) <= DISSOLVE]
    return max(rivals) == (apart, -i)


def _is_mix(
    before: NDArray[np.float32], middle: NDArray[np.float32], after: NDArray[np.float32]
) -> bool:
    """True if the middle picture is about the mean of the other two."""
    change = float(np.abs(after - before).mean())
    rest = float(np.abs(middle - (before + after) / 2).mean())
    return change > 12.0 and rest < 0.2 * change


def _near(time: float, others: Floats, reach: float) -> bool:
    return bool(np.any(np.abs(others - time) <= reach))


def _spaced(indices: list[int], at: Floats) -> list[int]:
    """Changes without those that follow another within the shortest shot."""
    spaced: list[int] = []
    for i in indices:
        if not spaced or at[i] - at[spaced[-1]] >= SHORTEST_SHOT:
            spaced.append(i)
    return spaced
