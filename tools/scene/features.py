"""The clip sampled: detections, light, motion.

Measure the light of the picture: dark, bright, low in contrast, or neither.

Tell the camera's motion from the body's: the background's step, and what remains.

Look through the clip once and keep what was measured, never the pictures.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from emer.tools.media.shots import CUT, Signature, cuts_between, describe, difference
from emer.tools.scene.detectors import Networks
from emer.tools.scene.samples import FaceBox, Grey, Look, Rgb, Step

BAR: Final = 20
"""Grey level up to which rows and columns at the edge are black bars, not picture."""
VERY_DARK: Final = 32.0
DARK: Final = 50.0
BRIGHT: Final = 180.0
FLAT: Final = 60.0
"""Mean grey below DARK is somewhat dark, below VERY_DARK dark, above BRIGHT bright; a 5-95 %
range below FLAT is low contrast. Levels of 255 as stored (gamma-encoded); chosen by us."""

Greys = NDArray[np.float32]
Kind = Literal["almost black", "dark", "somewhat dark", "bright", "low in contrast", "normally lit"]


@dataclass(frozen=True, slots=True)
class Light:
    """Brightness of one picture inside its black bars, in grey levels of 255."""

    mean: float
    low: float
    """5th percentile."""
    high: float
    """95th percentile."""


def measure(thumbnail: Rgb) -> Light:
    """Return the light of a small RGB picture, shape (H, W, 3)."""
    grey = thumbnail.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    grey = _without_bars(grey)
    low, high = np.percentile(grey, (5, 95))
    return Light(float(grey.mean()), float(low), float(high))


def _without_bars(grey: Greys) -> Greys:
    """Return the part inside black bars, which lie on both sides alike."""
    for axis in (0, 1):
        lit = np.flatnonzero(grey.max(1 - axis) > BAR)
        if len(lit):
            bar = int(min(lit[0], grey.shape[axis] - 1 - lit[-1]))
            grey = np.take(grey, np.arange(bar, grey.shape[axis] - bar), axis=axis)
    return grey


def overall(lights: Sequence[Light]) -> Light:
    """Return the medians over several pictures (at least one)."""
    rows = np.array([(light.mean, light.low, light.high) for light in lights])
    mean, low, high = np.median(rows, axis=0)
    return Light(float(mean), float(low), float(high))


def kind(light: Light) -> Kind:
    """Name the light."""
    if light.high < BAR:
        return "almost black"
    if light.mean < DARK:
        return "dark" if light.mean < VERY_DARK else "somewhat dark"
    if light.mean > BRIGHT:
        return "bright"
    return "low in contrast" if light.high - light.low < FLAT else "normally lit"


SIDE: Final = 192
"""Longer side in pixels of the pictures that motion is measured in."""
FEWEST_POINTS: Final = 12
LEAST_SUPPORT: Final = 0.5
FEWEST_CELLS: Final = 5
"""Of a 4 x 4 raster, cells that must hold points that agree."""
CHANGED: Final = 24
"""Grey levels (of 255) by which a pixel has changed."""

Mask = NDArray[np.uint8]


def grey_of(image: Rgb) -> Grey:
    """Return the picture in grey, its longer side at most SIDE pixels."""
    import cv2

    scale = min(1.0, SIDE / max(image.shape[:2]))
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def body_mask(shape: tuple[int, int], faces: Sequence[FaceBox]) -> Mask:
    """Return 255 where people are likely: each face, its hair and the body below it.

    The body is taken as three face widths wide from the chin down and the head as two.
    """
    mask = np.zeros(shape, dtype=np.uint8)
    height = shape[0]
    for face in faces:
        x, y = face.centre
        _fill(mask, height, (x - face.width, x + face.width), (y - 1.1 * face.height, 2.0))
        wide = 1.6 * face.width
        _fill(mask, height, (x - wide, x + wide), (face.bottom, 2.0))
    return mask


def _fill(mask: Mask, height: int, across: tuple[float, float], down: tuple[float, float]) -> None:
    left, right = (max(0, round(edge * height)) for edge in across)
    top, bottom = (max(0, round(edge * height)) for edge in down)
    mask[top:bottom, left:right] = 255


def camera_step(before: Grey, after: Grey, people: Mask) -> Step | None:
    """Return how the background moved between two grey pictures of one size.

    Corner points outside `people` are followed (Lucas and Kanade 1981) and a shift,
    turn and zoom fitted to them by RANSAC. None where too little background can be
    followed to say.
    """
    import cv2

    corners = cv2.goodFeaturesToTrack(before, 120, 0.02, 5, mask=255 - people)
    if corners is None or len(corners) < FEWEST_POINTS:
        return None
    moved, found, _ = cv2.calcOpticalFlowPyrLK(before, after, corners, None, winSize=(15, 15))
    back, found_back, _ = cv2.calcOpticalFlowPyrLK(after, before, moved, None, winSize=(15, 15))
    kept = (found & found_back).ravel().astype(bool)
    kept &= np.linalg.norm((back - corners).reshape(-1, 2), axis=1) < 1.0
    if kept.sum() < FEWEST_POINTS:
        return None
    model, agree = cv2.estimateAffinePartial2D(
        corners[kept], moved[kept], ransacReprojThreshold=1.0
    )
    if model is None or agree.mean() < LEAST_SUPPORT:
        return None
    if _cells(corners[kept][agree.ravel() > 0], before.shape) < FEWEST_CELLS:
        return None
    return _step(model, before.shape, float(agree.mean()))


def _cells(points: NDArray[np.float32], shape: tuple[int, ...]) -> int:
    """Return in how many cells of a 4 x 4 raster points lie: what moves may be one object."""
    places = points.reshape(-1, 2) * 4 / np.array([shape[1], shape[0]])
    return len({(int(x), int(y)) for x, y in places})


def _step(model: NDArray[np.float64], shape: tuple[int, ...], support: float) -> Step:
    """Return the shift of the picture's middle, and the zoom, of a similarity transform."""
    height, width = shape[:2]
    middle = np.array([width / 2, height / 2])
    dx, dy = (model[:, :2] @ middle + model[:, 2] - middle) / height
    zoom = float(np.hypot(model[0, 0], model[1, 0]))
    return Step(float(dx), float(dy), zoom, support)


def stir(before: Grey, after: Grey, people: Mask, step: Step | None) -> float | None:
    """Return the share of the people's region that changed, the camera's move taken out.

    None where there are no people or the camera's move is unknown.
    """
    import cv2

    inside = people > 0
    if step is None or not inside.any():
        return None
    height, width = before.shape
    shift = np.array(
        [
            [step.zoom, 0, (1 - step.zoom) * width / 2 + step.dx * height],
            [0, step.zoom, (1 - step.zoom) * height / 2 + step.dy * height],
        ]
    )
    held = cv2.warpAffine(before, shift, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return float((cv2.absdiff(held, after)[inside] > CHANGED).mean())


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
