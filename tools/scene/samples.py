"""Measurements of one sampled picture: faces, hands, a pose, the camera's step.

All places are in picture heights from the top left corner (x right, y down), so that a
distance means the same along both axes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

Rgb = NDArray[np.uint8]
Grey = NDArray[np.uint8]
Points = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FaceBox:
    """A detected face: its box from the brows to the chin, and six points in it."""

    x: float
    y: float
    width: float
    height: float
    score: float
    points: Points
    """Right eye, left eye, nose tip, mouth, right ear, left ear; shape (6, 2)."""

    @property
    def centre(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2

    @property
    def bottom(self) -> float:
        """The box's lower edge, at the chin."""
        return self.y + self.height

    @property
    def mouth(self) -> tuple[float, float]:
        return float(self.points[3, 0]), float(self.points[3, 1])


@dataclass(frozen=True, slots=True)
class Hand:
    """A detected hand."""

    points: Points
    """MediaPipe's 21 hand landmarks, shape (21, 2)."""
    world: Points
    """The same landmarks in metres around the hand's middle, shape (21, 3)."""
    score: float

    @property
    def centre(self) -> tuple[float, float]:
        """The mean of the landmarks."""
        x, y = self.points.mean(axis=0)
        return float(x), float(y)

    @property
    def size(self) -> float:
        """The longer side of the landmarks' box."""
        return float(np.ptp(self.points, axis=0).max())


@dataclass(frozen=True, slots=True)
class Pose:
    """A body's 33 BlazePose landmarks."""

    points: Points
    """Shape (33, 2)."""
    visibility: Points
    """How likely each landmark is in the picture and not hidden, shape (33,)."""


@dataclass(frozen=True, slots=True)
class Step:
    """How the background moved in the picture since the sample before."""

    dx: float
    dy: float
    zoom: float
    """Factor by which the background grew."""
    support: float
    """Share of the followed points that agree, 0-1."""


@dataclass(frozen=True, slots=True)
class Sample:
    """All that was measured in one picture."""

    time: float
    shot: int
    faces: tuple[FaceBox, ...] = ()
    hands: tuple[Hand, ...] = ()
    pose: Pose | None = None
    posed: bool = False
    """Whether a pose was looked for."""
    step: Step | None = None
    """Since the last sample of the same shot; None when it cannot be measured."""
    stir: float | None = None
    """Share of the body's region that changed since then, camera moves removed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One true sentence about the scene, with what it rests on."""

    text: str
    start: float
    end: float
    quality: float
    person: str | None = None
    factors: Mapping[str, float] = field(default_factory=dict)
    data: Mapping[str, JsonValue] = field(default_factory=dict)
