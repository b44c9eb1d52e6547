"""Look through the clip once and keep what was measured, never the pictures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Protocol

import numpy as np

from emer.tools.scene.cuts import CUT, Signature, cuts_between, describe, difference
from emer.tools.scene.light import Light, measure
from emer.tools.scene.motion import body_mask, camera_step, grey_of, stir
from emer.tools.scene.networks import Networks
from emer.tools.scene.records import FaceBox, Grey, Look, Rgb

THUMBNAIL: Final = 64
MEMORY: Final = 1.5
"""Seconds after a face was last seen in which hands are still looked for."""
POSE_EVERY: Final = 0.38
"""Seconds between two looks for a pose: the shoulders move slowly, the model is slow."""
CHIN_FOR_SHOULDERS: Final = 0.9
"""With the chin lower than this share of the picture no shoulder can be seen."""


class Picture(Protocol):
    """A frame of the clip, as `Clip.frames` yields them."""

    @property
    def time(self) -> float:
        """Seconds from the clip's start."""
        ...

    def rgb(self, max_side: int | None = None) -> Rgb:
        """Return the picture as RGB, its longer side at most `max_side` pixels."""
        ...


@dataclass(frozen=True, slots=True)
class Footage:
    """What was measured in a clip or a span of it."""

    times: tuple[float, ...]
    """Times of all pictures."""
    cuts: tuple[float, ...]
    lights: tuple[Light, ...]
    """One per look."""
    looks: tuple[Look, ...]

    @property
    def shots(self) -> tuple[tuple[float, float], ...]:
        """Start and end of each shot; the last ends with the last picture."""
        starts = (self.times[0], *self.cuts)
        return tuple(zip(starts, (*self.cuts, self.times[-1]), strict=True))


def watch(frames: Iterable[Picture], networks: Networks, rate: float, max_side: int) -> Footage:
    """Look at `rate` pictures per second with the networks, and at all of them for cuts."""
    watcher = _Watcher(networks)
    last = -1e9
    following = 0.0
    for frame in frames:
        thumbnail = frame.rgb(THUMBNAIL)
        watcher.glance(frame.time, thumbnail)
        soon = watcher.jumped and frame.time >= last + 0.5 / rate
        if frame.time >= following - 1e-6 or soon:
            last = frame.time
            following = max(following + 1 / rate, last + 0.5 / rate)
            watcher.look(frame.time, thumbnail, frame.rgb(max_side))
    return watcher.footage()


class _Watcher:
    """What one pass has seen so far."""

    def __init__(self, networks: Networks) -> None:
        self._networks = networks
        self._times: list[float] = []
        self._signatures: list[Signature] = []
        self._lights: list[Light] = []
        self._looks: list[Look] = []
        self._before: tuple[Grey, tuple[FaceBox, ...]] | None = None
        self._face_seen = self._pose_sought = -1e9
        self.jumped = False
        """Whether the picture changed abruptly since the last look."""

    def glance(self, time: float, thumbnail: Rgb) -> None:
        """Keep the signature of a picture, and notice a jump."""
        signature = describe(thumbnail)
        if self._signatures and difference(self._signatures[-1], signature) > CUT:
            self.jumped = True
        self._times.append(time)
        self._signatures.append(signature)

    def _start_anew(self) -> None:
        """Forget what was followed before a jump."""
        self._networks.forget()
        self._before = None
        self._face_seen = self._pose_sought = -1e9
        self.jumped = False

    def look(self, time: float, thumbnail: Rgb, image: Rgb) -> None:
        """Measure faces, hands, pose and motion in a picture."""
        self._lights.append(measure(thumbnail))
        if self.jumped:
            self._start_anew()
        if min(image.shape[:2]) < 16:
            self._looks.append(Look(time, 0))
            return
        faces = self._networks.faces(image)
        if faces:
            self._face_seen = time
        posed = self._is_pose_due(time, faces)
        someone = time - self._face_seen <= MEMORY
        hands = self._networks.hands(image) if someone else ()
        pose = self._networks.pose(image) if posed else None
        self._pose_sought = time if posed else self._pose_sought
        grey = grey_of(image)
        step = moved = None
        if self._before is not None:
            people = body_mask((grey.shape[0], grey.shape[1]), (*faces, *self._before[1]))
            step = camera_step(self._before[0], grey, people)
            moved = stir(self._before[0], grey, people, step)
        self._before = grey, faces
        self._looks.append(Look(time, 0, faces, hands, pose, posed, step, moved))

    def _is_pose_due(self, time: float, faces: tuple[FaceBox, ...]) -> bool:
        due = time - self._pose_sought >= POSE_EVERY
        return due and any(face.bottom < CHIN_FOR_SHOULDERS for face in faces)

    def footage(self) -> Footage:
        cuts = cuts_between(self._signatures, self._times)
        shots = np.searchsorted(np.array(cuts), [look.time + 1e-3 for look in self._looks])
        looks = tuple(replace(k, shot=int(n)) for k, n in zip(self._looks, shots, strict=True))
        return Footage(tuple(self._times), cuts, tuple(self._lights), looks)
