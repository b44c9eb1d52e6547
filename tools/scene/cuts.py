"""Find where the shot changes: cuts and dissolves, but not flashes or fast motion.

Two pictures are compared by their layout (correlation of a 16 x 16 grey version, which
ignores brightness) and by their colours (histograms, which ignore motion). A cut is a
jump in both that stands out from its surroundings and does not go back. All thresholds
are chosen by us; see tests/tools/scene/test_cuts.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

GRID: Final = 16
CUT: Final = 0.16
"""Least difference between the pictures before and after a cut (0 same, 1 unlike)."""
STANDS_OUT: Final = 3.0
"""A cut is at least this many times the usual difference around it."""
AROUND: Final = 0.5
"""Seconds on each side that say what is usual."""
FLASH: Final = 0.25
"""A picture that comes back within so many seconds was interrupted by a flash."""
SHORTEST_SHOT: Final = 0.3
DISSOLVE: Final = 0.8
"""Seconds over which a dissolve is looked for."""
REARRANGED: Final = 0.3
"""Least change of layout in a dissolve: a light turned up is none."""

Floats = NDArray[np.float64]


class Signature(NamedTuple):
    """What is kept of a picture: under 2 kB, however large the clip."""

    layout: NDArray[np.float32]
    """Grey means on a GRID x GRID raster, 0-255."""
    colours: NDArray[np.float32]
    """Histogram of 16 bins in each of R, G, B; sums to 1."""


def describe(thumbnail: NDArray[np.uint8]) -> Signature:
    """Return the signature of a small RGB picture, shape (H, W, 3)."""
    grey = thumbnail.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    layout = _means(_means(grey, 0), 1)
    bins = np.concatenate(
        [np.bincount(thumbnail[..., c].ravel() >> 4, minlength=16) for c in range(3)]
    )
    return Signature(layout, (bins / max(bins.sum(), 1)).astype(np.float32))


def _means(grey: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """Return means of GRID nearly equal stretches along `axis` (repeating short sides)."""
    count = grey.shape[axis]
    if count < GRID:
        return np.take(grey, np.arange(GRID) * count // GRID, axis=axis)
    edges = np.arange(GRID) * count // GRID
    sizes = np.diff(np.append(edges, count)).astype(np.float32)
    sums = np.add.reduceat(grey, edges, axis=axis)
    means: NDArray[np.float32] = sums / (sizes[:, None] if axis == 0 else sizes[None, :])
    return means


def difference(one: Signature, other: Signature) -> float:
    """Return how unlike two pictures are, 0 (same) to 1: layout and colours together.

    The geometric mean of (1 - correlation of the layouts) and the share of colours that
    differ: motion alone keeps the colours, a flash alone keeps the layout.
    """
    colours = float(np.abs(one.colours - other.colours).sum()) / 2
    level = min(abs(float(one.layout.mean() - other.layout.mean())) / 128, 1.0)
    return float(np.sqrt(max(_rearranged(one, other), level) * colours))


def _rearranged(one: Signature, other: Signature) -> float:
    """Return 1 - the correlation of the layouts, in 0-1; blind to brightness."""
    a, b = one.layout - one.layout.mean(), other.layout - other.layout.mean()
    spread = float(a.std() * b.std())
    # 9 grey levels squared: below that a picture is flat and its noise is no layout.
    correlation = float((a * b).mean() + 9.0) / (spread + 9.0)
    return min(max(1 - correlation, 0.0), 1.0)


def find_cuts(thumbnails: Iterable[NDArray[np.uint8]], times: Sequence[float]) -> tuple[float, ...]:
    """Return the times of the first pictures of new shots, in seconds, in order.

    `thumbnails` are small RGB pictures (64 pixels wide is enough) at the clip's full frame
    rate, `times` their times. Dissolves count, at their middle.
    """
    return cuts_between([describe(thumbnail) for thumbnail in thumbnails], times)


def cuts_between(signatures: Sequence[Signature], times: Sequence[float]) -> tuple[float, ...]:
    """Return the cuts between described pictures; see `find_cuts`."""
    at = np.asarray(times, dtype=np.float64)
    jumps = np.array([difference(a, b) for a, b in pairwise(signatures)])
    hard = [i + 1 for i in range(len(jumps)) if _is_cut(i, jumps, signatures, at)]
    soft = [i for i in _dissolves(signatures, at) if not _near(at[i], at[hard], DISSOLVE)]
    return tuple(round(float(at[i]), 3) for i in _spaced(sorted({*hard, *soft}), at))


def _is_cut(i: int, jumps: Floats, signatures: Sequence[Signature], at: Floats) -> bool:
    """Tell whether a new shot begins with picture i + 1."""
    if jumps[i] < CUT:
        return False
    around = np.abs(at[1:] - at[i + 1]) <= AROUND
    around[max(i - 1, 0) : i + 2] = False
    usual = float(np.median(jumps[around])) if around.any() else 0.0
    if jumps[i] < STANDS_OUT * usual:
        return False
    return not _goes_back(i, signatures, at)


def _goes_back(i: int, signatures: Sequence[Signature], at: Floats) -> bool:
    """Tell whether a picture like those before i + 1 comes back, or was there before i."""
    later = range(i + 2, int(np.searchsorted(at, at[i + 1] + FLASH, side="right")))
    if any(difference(signatures[i], signatures[j]) < CUT / 2 for j in later):
        return True
    earlier = range(int(np.searchsorted(at, at[i] - FLASH)), i)
    return any(difference(signatures[j], signatures[i + 1]) < CUT / 2 for j in earlier)


def _dissolves(signatures: Sequence[Signature], at: Floats) -> list[int]:
    """Return the middles of dissolves: pictures that mix what comes before and after."""
    found: list[tuple[float, int]] = []
    for i in range(len(at)):
        before = int(np.searchsorted(at, at[i] - DISSOLVE / 2))
        after = int(np.searchsorted(at, at[i] + DISSOLVE / 2, side="right")) - 1
        if at[after] - at[before] < 0.75 * DISSOLVE or after - before < 4:
            continue
        apart = difference(signatures[before], signatures[after])
        changed = apart > CUT and _rearranged(signatures[before], signatures[after]) > REARRANGED
        if changed and _is_mix(*(signatures[k].layout for k in (before, i, after))):
            found.append((apart, i))
    return [i for apart, i in found if _is_peak(apart, i, found, at)]


def _is_peak(apart: float, i: int, found: list[tuple[float, int]], at: Floats) -> bool:
    rivals = [(a, -j) for a, j in found if abs(at[j] - at[i]) <= DISSOLVE]
    return max(rivals) == (apart, -i)


def _is_mix(
    before: NDArray[np.float32], middle: NDArray[np.float32], after: NDArray[np.float32]
) -> bool:
    """Tell whether the middle picture is about half of the one and half of the other."""
    change = float(np.abs(after - before).mean())
    rest = float(np.abs(middle - (before + after) / 2).mean())
    return change > 12.0 and rest < 0.2 * change


def _near(time: float, others: Floats, reach: float) -> bool:
    return bool(np.any(np.abs(others - time) <= reach))


def _spaced(indices: list[int], at: Floats) -> list[int]:
    """Leave out changes that follow another within the shortest shot."""
    kept: list[int] = []
    for i in indices:
        if not kept or at[i] - at[kept[-1]] >= SHORTEST_SHOT:
            kept.append(i)
    return kept
