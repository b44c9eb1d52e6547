"""Faces, hands and bodies of known geometry, in picture heights, for the scene's tests."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emer.tools.scene.samples import FaceBox, Hand, Pose, Sample

FINGERS = ((0.12, 0.3), (0.06, 0.45), (0.0, 0.5), (-0.06, 0.46), (-0.12, 0.38))
"""Sideways place of the knuckles and length of thumb, index, middle, ring, little finger."""


def face_at(
    x: float, y: float, height: float = 0.4, score: float = 0.95, stretch: float = 1.0
) -> FaceBox:
    """A frontal face with its middle at (x, y); `stretch` lengthens the box alone."""
    unit = np.array(
        [(-0.2, -0.15), (0.2, -0.15), (0.0, 0.05), (0.0, 0.25), (-0.42, -0.1), (0.42, -0.1)]
    )
    points = (unit * height + (x, y)).astype(np.float32)
    tall = height * stretch
    return FaceBox(x - height / 2, y - tall / 2, height, tall, score, points)


def hand_at(
    x: float, y: float, length: float = 0.4, curled: tuple[int, ...] = (), score: float = 0.95
) -> Hand:
    """An upright hand with the wrist below and its middle at (x, y); fingers may be curled."""
    flat = np.array(_landmarks(curled), dtype=np.float32)
    middle = flat[:, :2].mean(axis=0)
    scale = length / float(np.ptp(flat[:, :2], axis=0).max())
    points = (flat[:, :2] - middle) * scale + (x, y)
    return Hand(points.astype(np.float32), flat * 0.18, score)


def _landmarks(curled: tuple[int, ...]) -> list[tuple[float, float, float]]:
    """Wrist at the origin, fingers up (negative y); curled ones fold back to the palm."""
    points = [(0.0, 0.0, 0.0)]
    for number, (side, reach) in enumerate(FINGERS):
        knuckle = (side, -0.45, 0.0)
        if number in curled:
            step = reach / 3
            points += [
                knuckle,
                (side, -0.45 - step, 0.0),
                (side, -0.45 - step * 0.6, 0.12),
                (side, -0.40, 0.12),
            ]
        else:
            points += [(side, -0.45 - reach * part / 3, 0.0) for part in range(4)]
    return points


def pose_at(
    face: FaceBox,
    shoulders: float,
    width: float = 1.0,
    visible: float = 0.99,
    wrists: tuple[tuple[float, float], tuple[float, float]] | None = None,
) -> Pose:
    """A frontal body under `face`: shoulders at that height, so many face heights apart."""
    points: NDArray[np.float32] = np.zeros((33, 2), dtype=np.float32)
    x, half = face.centre[0], width * face.height / 2
    points[0] = face.points[2]
    points[11], points[12] = (x + half, shoulders), (x - half, shoulders)
    points[13], points[14] = (x + half, shoulders + 0.3), (x - half, shoulders + 0.3)
    points[15], points[16] = wrists or ((x + half, shoulders + 0.5), (x - half, shoulders + 0.5))
    points[23], points[24] = (x + half / 2, shoulders + 0.6), (x - half / 2, shoulders + 0.6)
    return Pose(points, np.full(33, visible, dtype=np.float32))


def samples_of(*rows: dict[str, object], step: float = 0.2) -> list[Sample]:
    """Looks `step` seconds apart in one shot, from their fields."""
    return [Sample(round(i * step, 3), 0, **row) for i, row in enumerate(rows)]  # type: ignore[arg-type]


def texture(height: int = 90, width: int = 160, seed: int = 0, grain: int = 6) -> NDArray[np.uint8]:
    """A picture of coloured blocks with corners to follow, shape (height, width, 3)."""
    rng = np.random.default_rng(seed)
    rows, columns = -(-height // grain), -(-width // grain)
    blocks = rng.integers(20, 235, (rows, columns, 3), dtype=np.uint8)
    return np.ascontiguousarray(blocks.repeat(grain, 0).repeat(grain, 1)[:height, :width])
