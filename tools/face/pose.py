"""Take the head's pose and size out of a face: one rigid fit per frame.

Landmarks come in pixels (x right, y down, z away from the camera). Here they become a
face that looks straight ahead: x to the picture's right, y up, z towards the camera, the
outer eye corners one unit apart (IOD), so that what is left is what the skin does.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emer.tools.face.landmarks import RIGID

Floats = NDArray[np.float64]

AVERAGE: Final = np.array(
    [
        (-0.500, 0.000, 0.000),
        (-0.194, -0.009, 0.060),
        (0.194, -0.009, 0.060),
        (0.500, 0.000, 0.000),
        (0.000, 0.072, 0.241),
        (0.000, -0.017, 0.298),
        (0.000, -0.096, 0.362),
        (0.000, -0.168, 0.431),
        (0.000, -0.246, 0.501),
        (-0.776, -0.100, -0.543),
        (0.776, -0.100, -0.543),
        (-0.771, -0.271, -0.582),
        (0.771, -0.271, -0.582),
        (0.000, 0.627, 0.141),
    ]
)
"""The `RIGID` points of an average face, in IOD: MediaPipe's own output on eleven adults'
most frontal pictures, averaged and made symmetric; pitch is zero where the line from the
forehead's top to the chin is upright, as in MediaPipe's canonical face."""


class Posed(NamedTuple):
    """Faces without their pose, and the pose, one row per frame."""

    points: Floats
    """(n, 478, 3), in IOD, the head looking straight ahead."""
    yaw: Floats
    """Degrees; positive when the head turns to the subject's left (picture right)."""
    pitch: Floats
    """Degrees; positive when the head is raised."""
    roll: Floats
    """Degrees; positive when the head tilts to the subject's right shoulder."""
    misfit: Floats
    """Mean distance of the `RIGID` points from this person's usual ones, in IOD."""


def remove_pose(pixels: NDArray[np.float32] | Floats) -> Posed:
    """Return (n, 478, 3) pixel landmarks as faces that look straight ahead.

    Rigid fit with scale (Umeyama 1991) of the points that skin hardly moves: first onto
    the average face, which gives the angles; then onto this person's own mean of those
    points, which keeps the person's bones out of what later counts as movement.
    """
    faces = np.asarray(pixels, np.float64) * np.array((1.0, -1.0, -1.0))
    turned, rotations = _fit(faces, AVERAGE)
    yaw, pitch, roll = _angles(rotations)
    own = turned[:, list(RIGID)]
    own = np.median(own[_steadiest(yaw, pitch)], axis=0)
    own = own / np.linalg.norm(own[0] - own[3])
    fitted, _ = _fit(faces, own)
    misfit = np.linalg.norm(fitted[:, list(RIGID)] - own, axis=2).mean(axis=1)
    return Posed(fitted, yaw, pitch, roll, misfit)


def _steadiest(yaw: Floats, pitch: Floats) -> NDArray[np.intp]:
    """Return the frames nearest to a straight look: the nearer half, at least one."""
    away = np.abs(yaw) + np.abs(pitch - np.median(pitch))
    return np.argsort(away, kind="stable")[: max(1, len(away) // 2)]


def _fit(faces: Floats, target: Floats) -> tuple[Floats, Floats]:
    """Return the faces laid onto the target's points, and the rotations used (n, 3, 3)."""
    rigid = faces[:, list(RIGID)]
    centre = rigid.mean(axis=1, keepdims=True)
    goal = target - target.mean(axis=0)
    spread = np.einsum("ij,nik->njk", goal, rigid - centre)
    u, sizes, vt = np.linalg.svd(spread)
    flip = np.ones_like(sizes)
    flip[:, 2] = np.sign(np.linalg.det(u) * np.linalg.det(vt))
    rotations = np.einsum("nij,nj,njk->nik", u, flip, vt)
    power = ((rigid - centre) ** 2).sum(axis=(1, 2))
    scale = (sizes * flip).sum(axis=1) / np.maximum(power, 1e-12)
    moved = np.einsum("nij,nkj->nki", rotations, faces - centre)
    return moved * scale[:, None, None] + target.mean(axis=0), rotations


def _angles(rotations: Floats) -> tuple[Floats, Floats, Floats]:
    """Return yaw, pitch and roll in degrees of heads that these rotations set straight."""
    ahead, across = rotations[:, 2], rotations[:, 0]
    yaw = np.degrees(np.arctan2(ahead[:, 0], ahead[:, 2]))
    pitch = np.degrees(np.arcsin(np.clip(ahead[:, 1], -1, 1)))
    roll = np.degrees(np.arctan2(across[:, 1], across[:, 0]))
    return yaw, pitch, roll
