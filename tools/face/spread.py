"""How firmly the landmarks sit: how far they move when the network is asked again.

A network that sees a hand where it expects a mouth still returns a mouth, but another one
for each way of cutting out the face. So the face is cut out four more times, shifted,
scaled and turned a little; the spread of the answers is the network's own doubt. Seen
faces differ by 0.4-1.5 % of the eye distance (one pixel of the network's picture is
1.3 %), covered mouths by 2-4 %, profiles by 2-5 % (measured by us).
"""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from emer.tools.face.landmarks import CHIN_MIDDLE, LIPS, SIDES
from emer.tools.face.network import Image, Points, Region, region_around
from emer.tools.face.pose import Floats
from emer.tools.face.series import ramp

CUTS: Final = (
    (0.05, 0.05, 0.95, 0.12),
    (-0.05, -0.05, 1.05, -0.12),
    (0.06, -0.04, 1.08, 0.10),
    (-0.06, 0.04, 0.93, -0.10),
)
"""Shift right and down in sides of the region, scale, and turn in radians."""
UPPER: Final = tuple(
    point
    for s in SIDES
    for point in (s.eye_outer, s.eye_inner, *s.lid_top, *s.lid_bottom, *s.brow_inner, *s.brow_outer)
)
LOWER: Final = (*LIPS, *(s.mouth_corner for s in SIDES), *CHIN_MIDDLE)
LOST: Final = 0.1
"""The spread noted where the network sees no face in a moved region."""
FIRM_UPPER, LOOSE_UPPER = 0.013, 0.022
FIRM_LOWER, LOOSE_LOWER = 0.017, 0.026
"""Spreads up to which landmarks count fully, and from which on not at all: a good pixel,
and two, of the network's picture (chosen by us; the chin's outline is always looser)."""
AGREED: Final = 0.75
"""Share of these spreads below which two answers settle it."""
FITS, MISFITS = 0.030, 0.040
"""Likewise for how far the bones' points are from where this person's bones are."""


class Mesh(Protocol):
    """What is asked again."""

    def mesh(self, image: Image, region: Region) -> Points | None:
        """Return the landmarks of the face in the region, or None."""
        ...


class Spread(NamedTuple):
    """Mean standard deviation of the landmarks over the cuts, in IOD."""

    time: float
    upper: float
    lower: float


def measure_spread(network: Mesh, image: Image, points: Points, time: float) -> Spread:
    """Return how far the landmarks of a face differ between moved regions.

    Two of them are enough where the answers agree well.
    """
    found, spread = [points], Spread(time, LOST, LOST)
    for count, cut in enumerate(CUTS, start=1):
        again = network.mesh(image, _moved(region_around(points), *cut))
        if again is None:
            return Spread(time, LOST, LOST)
        found.append(again)
        if count in (2, len(CUTS)):
            spread = _spread_of(np.array(found), time)
        if spread.upper < AGREED * FIRM_UPPER and spread.lower < AGREED * FIRM_LOWER:
            break
    return spread


def _moved(base: Region, right: float, down: float, scale: float, turn: float) -> Region:
    x, y = base.x + right * base.side, base.y + down * base.side
    return Region(x, y, base.side * scale, base.turn + turn)


def _spread_of(found: NDArray[np.float32], time: float) -> Spread:
    apart = np.linalg.norm(np.std(found[..., :2], axis=0), axis=1)
    apart = apart / max(float(np.linalg.norm(found[0, 33, :2] - found[0, 263, :2])), 1.0)
    return Spread(time, float(apart[list(UPPER)].mean()), float(apart[list(LOWER)].mean()))


def spread_at(times: Floats, found: list[Spread]) -> Floats:
    """Return the spread at each time, (n, 2) upper and lower: medians of three, joined."""
    if not found:
        return np.zeros((len(times), 2))
    seen = np.array(found)
    padded = np.pad(seen[:, 1:], ((1, 1), (0, 0)), mode="edge")
    level = np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0)
    columns = [np.interp(times, seen[:, 0], column) for column in level.T]
    return np.stack(columns, axis=1)


def sureness(spread: Floats, misfit: Floats) -> Floats:
    """Return how far upper and lower face can be believed, (n, 2), from 0 to 1."""
    upper = ramp(spread[:, 0], LOOSE_UPPER, FIRM_UPPER) * ramp(misfit, MISFITS, FITS)
    return np.stack([upper, ramp(spread[:, 1], LOOSE_LOWER, FIRM_LOWER)], axis=1)
