"""A face on strings: mesh points moved by known amounts, then posed and put into pixels.

The face is MediaPipe's own mesh of the public-domain portrait in matplotlib. Movements
are given in IOD (distance of the outer eye corners), as a function of time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emer.tools.face.detector import FaceNetworks, region_around
from emer.tools.face.head_pose import remove_pose
from emer.tools.face.landmarks import LEFT, RIGHT

Array = NDArray[np.float64]
FPS = 25.0
CORNERS = {"right": (61, 76, 62, 78), "left": (291, 306, 292, 308)}
INNER_BROWS = {"right": (107, 55, 66, 65), "left": (336, 285, 296, 295)}
OUTER_BROWS = {"right": (70, 63, 46, 53, 105, 52), "left": (300, 293, 276, 283, 334, 282)}
LIPS = (0, 37, 39, 267, 269, 13, 82, 312, 14, 87, 317, 17, 84, 314)
LOWER_LIP = (14, 87, 317, 17, 84, 314)
CHIN = (152, 199, 175, 200)


@cache
def portrait() -> NDArray[np.uint8]:
    """Return the portrait, (600, 512, 3) RGB."""
    import cv2
    from matplotlib.cbook import get_sample_data

    path = get_sample_data("grace_hopper.jpg", asfileobj=False)
    return np.asarray(cv2.imread(str(path))[..., ::-1], np.uint8)


@cache
def networks() -> FaceNetworks:
    """Return the real networks, loaded once."""
    return FaceNetworks()


@cache
def canonical() -> Array:
    """Return the portrait's face without pose, (478, 3) in IOD, y up, z to the camera."""
    found = networks().detect(portrait(), tiled=False)[0]
    points = networks().mesh(portrait(), found.region)
    assert points is not None
    points = networks().mesh(portrait(), region_around(points))
    assert points is not None
    face = np.array(remove_pose(points[None]).points[0])
    opened = face[list(LOWER_LIP + CHIN), 1]
    face[list(LOWER_LIP + CHIN), 1] = opened - 0.01
    return face


def times(seconds: float = 4.0, fps: float = FPS) -> Array:
    """Return the times of the frames."""
    return np.arange(round(seconds * fps)) / fps


def pulse(t: Array, start: float = 1.5, end: float = 2.7, ramp: float = 0.2) -> Array:
    """Return 0, rising to 1 between `start` and `end`, and 0 again."""
    up = np.clip((t - start) / ramp, 0, 1)
    return np.asarray(up * np.clip((end - t) / ramp, 0, 1))


def still(t: Array, noise: float = 0.0008) -> Array:
    """Return the resting face in each frame, with the unrest of a real mesh, (n, 478, 3)."""
    shake = np.random.default_rng(7).normal(0, noise, (len(t), 478, 3))
    return canonical()[None] + shake


def pull(faces: Array, which: Any, by: tuple[float, float, float], how: Array) -> Array:
    """Return the faces with some points moved `by` (IOD) times `how` (one value per frame)."""
    moved = faces.copy()
    moved[:, list(which)] += np.asarray(how)[:, None, None] * np.array(by)
    return moved


def both(faces: Array, groups: dict[str, tuple[int, ...]], out: float, up: float,
         how: Array) -> Array:  # fmt: skip
    """Move both sides' points outwards and up."""
    faces = pull(faces, groups["right"], (-out, up, 0), how)
    return pull(faces, groups["left"], (out, up, 0), how)


def smile(f: Array, how: Array) -> Array:
    return both(f, CORNERS, 0.07, 0.09, how)


def smirk(side: str) -> Callable[[Array, Array], Array]:
    sign = -1 if side == "right" else 1
    return lambda f, how: pull(f, CORNERS[side], (sign * 0.03, 0.11, 0), how)


def frown_mouth(f: Array, how: Array) -> Array:
    return both(f, CORNERS, 0.0, -0.07, how)


def raise_brows(f: Array, how: Array) -> Array:
    return both(both(f, INNER_BROWS, 0, 0.06, how), OUTER_BROWS, 0, 0.06, how)


def raise_inner_brows(f: Array, how: Array) -> Array:
    return both(f, INNER_BROWS, 0, 0.06, how)


def raise_outer_brows(f: Array, how: Array) -> Array:
    return both(f, OUTER_BROWS, 0, 0.06, how)


def knit_brows(f: Array, how: Array) -> Array:
    return both(both(f, INNER_BROWS, -0.018, -0.03, how), OUTER_BROWS, 0, -0.03, how)


def draw_brows_up(f: Array, how: Array) -> Array:
    return both(f, INNER_BROWS, -0.014, 0.045, how)


def widen_eyes(f: Array, how: Array) -> Array:
    tops = {"right": RIGHT.lid_top, "left": LEFT.lid_top}
    return both(f, tops, 0, 0.035, how)


def press_lips(f: Array, how: Array) -> Array:
    f = pull(f, (0, 37, 267), (0, -0.035, 0), how)
    return pull(f, (17, 84, 314), (0, 0.03, 0), how)


def pucker(f: Array, how: Array) -> Array:
    f = both(f, CORNERS, -0.06, 0, how)
    return pull(f, LIPS, (0, 0, 0.03), how)


def stretch_lips(f: Array, how: Array) -> Array:
    return both(f, CORNERS, 0.05, -0.085, how)


def push_chin_up(f: Array, how: Array) -> Array:
    return pull(f, (13, 82, 312, 0, 37, 267, *LOWER_LIP), (0, 0.07, 0), how)


def open_mouth(f: Array, how: Array) -> Array:
    return pull(f, LOWER_LIP + CHIN, (0, -0.3, 0), how)


def lower_jaw_shut(f: Array, how: Array) -> Array:
    """Lower chin and mouth as one: the lips stay together."""
    return pull(f, (*LIPS, *CHIN, *CORNERS["right"], *CORNERS["left"]), (0, -0.12, 0), how)


def jaw_aside(side: str) -> Callable[[Array, Array], Array]:
    sign = -1 if side == "right" else 1
    which = (*LIPS, *CHIN, *CORNERS["right"], *CORNERS["left"])
    return lambda f, how: pull(f, which, (sign * 0.05, 0, 0), how)


def shaken(faces: Array, seed: int, noise: float = 0.004, drift: float = 0.003) -> Array:
    """Return the faces as another processor might see them: noise, and a slow drift.

    Both are standard deviations in IOD, for each coordinate of each point on its own; the
    drift is a sum of sines of 0.05-0.5 Hz at 25 frames per second.
    """
    chance = np.random.default_rng(seed)
    one = (1, *faces.shape[1:])
    shake = chance.normal(0, noise, faces.shape)
    seconds = np.arange(len(faces))[:, None, None] / FPS
    for _ in range(3):
        turn = 2 * np.pi * chance.uniform(0.05, 0.5, one) * seconds
        size = chance.normal(0, drift * np.sqrt(2 / 3), one)
        shake += size * np.sin(turn + chance.uniform(0, 2 * np.pi, one))
    return faces + shake


def close_eyes(f: Array, how: Array, sides: tuple[str, ...] = ("right", "left")) -> Array:
    moved = f.copy()
    for side in (RIGHT, LEFT):
        if side.name in sides:
            top, bottom = list(side.lid_top), list(side.lid_bottom)
            gap = moved[:, top] - moved[:, bottom]
            moved[:, top] -= 0.95 * gap * np.asarray(how)[:, None, None]
    return moved


def _turned(axis: str, degrees: Any, n: int) -> Array:
    """Return the rotation about one axis, (n, 3, 3)."""
    from scipy.spatial.transform import Rotation

    angles = np.array(np.broadcast_to(np.asarray(degrees, float), n))
    return np.asarray(Rotation.from_euler(axis, angles[:, None], degrees=True).as_matrix())


def in_pixels(faces: Array, yaw: Any = 0.0, pitch: Any = 0.0, roll: Any = 0.0,
              size: float = 120.0, at: tuple[float, float] = (300.0, 250.0)) -> Array:  # fmt: skip
    """Turn the head (degrees, one value or one per frame) and return pixels, y down.

    Positive yaw turns to the subject's left, positive pitch raises the head.
    """
    n = len(faces)
    turn = _turned("y", yaw, n) @ _turned("x", -np.asarray(pitch), n)
    turn = _turned("z", roll, n) @ turn
    turned = np.einsum("nij,nkj->nki", turn, faces) * size * np.array((1.0, -1.0, -1.0))
    return np.asarray(turned + np.array((*at, 0.0)))
