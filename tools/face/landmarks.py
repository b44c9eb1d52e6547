"""Where things are in the 478-point face mesh of MediaPipe.

Sides are the subject's own: "right" is the subject's right side, which a camera shows on
the left of the picture. Numbers follow MediaPipe's canonical face model.
"""

from __future__ import annotations

from typing import Final, NamedTuple

POINTS: Final = 478
"""468 mesh points, then five per iris."""


class Side(NamedTuple):
    """The landmarks of one half of the face, named from the subject's point of view."""

    name: str
    eye_outer: int
    eye_inner: int
    lid_top: tuple[int, ...]
    lid_bottom: tuple[int, ...]
    brow_inner: tuple[int, ...]
    brow_outer: tuple[int, ...]
    iris: int
    cheek: tuple[int, ...]
    mouth_corner: int
    ala: int


RIGHT: Final = Side(
    name="right",
    eye_outer=33,
    eye_inner=133,
    lid_top=(160, 159, 158),
    lid_bottom=(144, 145, 153),
    brow_inner=(107, 55),
    brow_outer=(70, 63),
    iris=468,
    cheek=(117, 50),
    mouth_corner=61,
    ala=129,
)
LEFT: Final = Side(
    name="left",
    eye_outer=263,
    eye_inner=362,
    lid_top=(387, 386, 385),
    lid_bottom=(373, 374, 380),
    brow_inner=(336, 285),
    brow_outer=(300, 293),
    iris=473,
    cheek=(346, 280),
    mouth_corner=291,
    ala=358,
)
SIDES: Final = (RIGHT, LEFT)

SUBNASALE: Final = 2
CHIN: Final = 152
CHIN_MIDDLE: Final = (152, 199, 175)
BRIDGE: Final = (168, 6, 197)
"""The bridge of the nose: what the jaw's way to a side is measured from."""
LIP_UPPER_OUTER: Final = (0, 37, 267)
LIP_UPPER_INNER: Final = (13, 82, 312)
LIP_LOWER_INNER: Final = (14, 87, 317)
LIP_LOWER_OUTER: Final = (17, 84, 314)
LIPS: Final = (*LIP_UPPER_OUTER, *LIP_UPPER_INNER, *LIP_LOWER_INNER, *LIP_LOWER_OUTER)

RIGID: Final = (33, 133, 362, 263, 168, 6, 197, 195, 5, 127, 356, 234, 454, 10)
"""Points that skin and jaw hardly move: what the head's pose is read from."""
