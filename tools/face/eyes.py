"""The eyes: blinks, closures, winks, narrowing, and where they look."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from emer.tools.face.measures import Measures
from emer.tools.face.pose import Floats
from emer.tools.face.rest import Rest
from emer.tools.face.series import (
    Mask,
    Stretch,
    joined,
    lasting,
    length,
    smooth,
    stretches,
    unbroken,
)

BLINK: Final = 0.55
"""Share of the eyes' usual opening below which they count as shutting (0.6-0.75 and below
are in use; ours is strict)."""
SHUT: Final = 0.34
LONGEST_BLINK_S: Final = 0.4
CLOSURE_S: Final = 0.5
DOWN: Final = 0.06
"""Iris below its usual height, in eye widths, from which a look goes down."""
ASIDE_DEG: Final = 20.0
CAMERA_DEG: Final = 15.0
"""Coarse: gaze from landmarks errs by 10-20 degrees."""


class Lids(NamedTuple):
    """What the lids do."""

    blinks: list[Stretch]
    closures: list[Stretch]
    winks: list[tuple[str, Stretch]]
    narrowings: list[Stretch]


def watch_lids(measures: Measures, rest: Rest, smiling: Mask) -> Lids:
    """Return blinks, closures of 0.5 s or more, winks and narrowed eyes."""
    times = measures.times
    usual = np.maximum(rest.levels["eye_opening"], 0.2)
    share = measures.eye_opening / usual
    share = np.where(measures.sure[:, :1] > 0.5, share, 1.0)
    both = share.max(axis=1)
    shut = unbroken(joined(stretches(both < BLINK), times, 0.06), times)
    down = gaze_change(measures, rest)[:, 1] < -DOWN / 2
    blinks = [s for s in shut if _is_blink(s, both, times)]
    shut_mask = both < SHUT
    closures = lasting(joined(stretches(shut_mask), times, 0.15), times, CLOSURE_S)
    narrow = smooth(both, times, 0.5)
    squint = (narrow < 0.8) & (narrow > 0.5) & ~down & ~smiling
    narrowings = lasting(joined(stretches(squint), times, 0.2), times, CLOSURE_S)
    return Lids(blinks, closures, _winks(share, times), narrowings)


def _is_blink(one: Stretch, share: Floats, times: Floats) -> bool:
    """Tell a blink: short, deep, and open again on both sides."""
    inside = share[one.first : one.last + 1]
    if length(one, times) > LONGEST_BLINK_S or inside.min() > 0.5:
        return False
    before = share[max(0, one.first - 4) : one.first]
    after = share[one.last + 1 : one.last + 5]
    sides = [part.max() for part in (before, after) if len(part)]
    return len(sides) == 2 and min(sides) > 0.6


def _winks(share: Floats, times: Floats) -> list[tuple[str, Stretch]]:
    """Return when one eye is shut and the other open."""
    found = []
    for side, name in enumerate(("right", "left")):
        mask = (share[:, side] < 0.45) & (share[:, 1 - side] > 0.6)
        runs = joined(stretches(mask), times, 0.1)
        found += [(name, s) for s in lasting(runs, times, 0.3)]
    return sorted(found, key=lambda w: w[1].first)


def gaze_change(measures: Measures, rest: Rest) -> Floats:
    """Return how far the irises stand from their usual place, (n, 2): left, up."""
    across = measures.gaze_across
    up = measures.gaze_up - rest.levels["gaze_up"]
    return smooth(np.stack([across, up], axis=1), measures.times, 0.2)


class Looks(NamedTuple):
    """Where the person looks."""

    camera: Mask
    """The frames in which the eyes point roughly at the camera."""
    down: list[Stretch]
    up: list[Stretch]
    left: list[Stretch]
    right: list[Stretch]


def watch_gaze(measures: Measures, rest: Rest, shut: list[Stretch]) -> Looks:
    """Return coarse looking directions; sides are the subject's own."""
    times = measures.times
    eyes = gaze_change(measures, rest)
    across = measures.yaw + _degrees(eyes[:, 0])
    upward = measures.pitch - rest.pitch + _degrees(eyes[:, 1])
    open_eyes = np.ones(len(times), dtype=bool)
    for one in shut:
        open_eyes[one.first : one.last + 1] = False
    seen = open_eyes & (np.abs(measures.yaw) < 40) & (measures.sure[:, 0] > 0.5)
    lids = measures.openness / np.maximum(rest.levels["eye_opening"].mean(), 0.2)
    masks = {
        "down": seen & (eyes[:, 1] < -DOWN) & (smooth(lids, times, 0.2) < 0.75),
        "up": seen & (eyes[:, 1] > DOWN) & (upward > 12),
        "left": seen & (across > ASIDE_DEG) & (eyes[:, 0] > 0.04),
        "right": seen & (across < -ASIDE_DEG) & (eyes[:, 0] < -0.04),
    }
    found = {k: lasting(joined(stretches(m), times, 0.2), times, 0.5) for k, m in masks.items()}
    camera = (np.abs(across) < CAMERA_DEG) & (np.abs(upward) < CAMERA_DEG) & seen
    return Looks(camera=np.asarray(camera), **found)


def _degrees(offset: Floats) -> Floats:
    """Return the eye's turn for an iris offset in eye widths (eyeball radius 0.4 widths)."""
    return np.asarray(np.degrees(np.arcsin(np.clip(offset / 0.4, -1, 1))))
