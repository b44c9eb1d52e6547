"""Head pose by one rigid fit per frame, and faces freed of it.

Landmarks come in pixels (x right, y down, z away from the camera) and become a face that
looks straight ahead: x to the picture's right, y up, z towards the camera, the outer eye
corners one unit apart (IOD), so that the movements of the skin are left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emer.tools.timeseries import Floats

RIGID: Final = (33, 133, 362, 263, 168, 6, 197, 195, 5, 127, 356, 234, 454, 10)
"""Landmarks that skin and jaw hardly move: what the head's pose is read from."""
AVERAGE: Final = np.array([
    (-0.500, 0.000, 0.000), (-0.194, -0.009, 0.060), (0.194, -0.009, 0.060), (0.500, 0.000, 0.000),
    (0.000, 0.072, 0.241), (0.000, -0.017, 0.298), (0.000, -0.096, 0.362),
    (0.000, -0.168, 0.431), (0.000, -0.246, 0.501),
    (-0.776, -0.100, -0.543), (0.776, -0.100, -0.543),
    (-0.771, -0.271, -0.582), (0.771, -0.271, -0.582),
    (0.000, 0.627, 0.141),
])  # fmt: skip
"""The `RIGID` points of an average face, in IOD: MediaPipe's own output on eleven
adults' most frontal pictures, averaged and made symmetric; pitch is zero where the line from the
forehead's top to the chin is upright, as in MediaPipe's canonical face."""
CHUNK: Final = 512
"""Frames whose landmarks are held as doubles at the same time."""
Pixels = Sequence[NDArray[np.float32]] | NDArray[np.float32] | Floats
"""Landmarks of n frames in pixels: n arrays, or one array, of shape (478, 3) each."""


class Heads(NamedTuple):
    """Orientation of the head, one row per frame, and the person's own bones."""

    yaw: Floats
    """Degrees; positive when the head turns to the subject's left (picture right)."""
    pitch: Floats
    """Degrees; positive when the head is raised."""
    roll: Floats
    """Degrees; positive when the head tilts to the subject's right shoulder."""
    bones: Floats
    """The `RIGID` points of this person, in IOD, looking straight ahead."""


def find_heads(pixels: Pixels) -> Heads:
    """The pose of each head, and the bones that all frames of a person share.

    Rigid fit with scale (Umeyama 1991) of the points that skin hardly moves onto the average
    face; the person's own bones are kept out of what later counts as movement.
    """
    rigid = np.concatenate([_upright(part[:, list(RIGID)]) for part in chunks(pixels)])
    fitted, rotations = _fit(rigid, rigid, AVERAGE)
    ahead, across = rotations[:, 2], rotations[:, 0]
    yaw = np.degrees(np.arctan2(ahead[:, 0], ahead[:, 2]))
    pitch = np.degrees(np.arcsin(np.clip(ahead[:, 1], -1, 1)))
    roll = np.degrees(np.arctan2(across[:, 1], across[:, 0]))
    away = np.abs(yaw) + np.abs(pitch - np.median(pitch))
    steadiest = np.argsort(away, kind="stable")[: max(1, len(away) // 2)]
    bones = np.median(fitted[steadiest], axis=0)
    return Heads(yaw, pitch, roll, bones / np.linalg.norm(bones[0] - bones[3]))


def straighten(pixels: Pixels, bones: Floats) -> Floats:
    """Landmarks in pixels laid onto a person's bones, shape (n, 478, 3), in IOD."""
    faces = _upright(np.asarray(pixels))
    return _fit(faces, faces[:, list(RIGID)], bones)[0]


def chunks(pixels: Pixels) -> Iterator[NDArray[np.float32]]:
    """The frames' landmarks in pieces of at most `CHUNK` frames, as arrays."""
    for first in range(0, len(pixels), CHUNK):
        yield np.asarray(pixels[first : first + CHUNK])


def _upright(pixels: NDArray[np.float32]) -> Floats:
    return np.asarray(np.asarray(pixels, np.float64) * np.array((1.0, -1.0, -1.0)))


def _fit(points: Floats, rigid: Floats, target: Floats) -> tuple[Floats, Floats]:
    """Points moved as `rigid` is to lie on the target, and the rotations (n, 3, 3)."""
    centre = rigid.mean(axis=1, keepdims=True)
    goal = target - target.mean(axis=0)
    spread = np.einsum("ij,nik->njk", goal, rigid - centre)
    u, sizes, vt = np.linalg.svd(spread)
    flip = np.ones_like(sizes)
    flip[:, 2] = np.sign(np.linalg.det(u) * np.linalg.det(vt))
    rotations = np.einsum("nij,nj,njk->nik", u, flip, vt)
    power = ((rigid - centre) ** 2).sum(axis=(1, 2))
    scale = (sizes * flip).sum(axis=1) / np.maximum(power, 1e-12)
    moved = np.einsum("nij,nkj->nki", rotations, points - centre)
    return moved * scale[:, None, None] + target.mean(axis=0), rotations
