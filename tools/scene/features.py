"""Features of a clip: faces, hands and poses in samples, light, motion, cuts.

The clip is read once, and only measurements stay, no pictures. The camera's motion is the step
of the background between two samples; the motion of the people is what changes besides it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emer.tools.media.decoder import Frame, Rgb, fit
from emer.tools.media.shots import CUT, Signature, cuts_between, describe, difference
from emer.tools.scene.detectors import FaceBox, Hand, Networks, Pose

BAR: Final = 20
"""Grey level up to which rows and columns at the edge are black bars."""
VERY_DARK: Final = 32.0
DARK: Final = 50.0
BRIGHT: Final = 180.0
FLAT: Final = 60.0
"""Mean grey below DARK is somewhat dark, below VERY_DARK dark, above BRIGHT
bright; a 5-95 % range below FLAT is low contrast. Levels of 255 as stored (gamma-encoded); chosen
by us."""


class Light(NamedTuple):
    """Brightness of a picture inside its black bars, in grey levels of 255."""

    mean: float
    low: float
    """5th percentile."""
    high: float
    """95th percentile."""


def measure_light(thumbnail: Rgb) -> Light:
    """The light of a small RGB picture, shape (H, W, 3)."""
    grey = thumbnail.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    for axis in (0, 1):  # without bars
        lit = np.flatnonzero(grey.max(1 - axis) > BAR)
        if len(lit):
            bar = int(min(lit[0], grey.shape[axis] - 1 - lit[-1]))
            grey = np.take(grey, np.arange(bar, grey.shape[axis] - bar), axis=axis)
    low, high = np.percentile(grey, (5, 95))
    return Light(float(grey.mean()), float(low), float(high))


def median_light(lights: Sequence[Light]) -> Light:
    """The medians over several pictures (at least one)."""
    return Light(*np.median(np.array(lights), axis=0).tolist())


def light_kind(light: Light) -> str:
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
"""Least cells of a 4 x 4 raster with points that agree: else one object moves."""
CHANGED: Final = 24
"""Grey levels (of 255) by which a pixel has changed."""

Grey = NDArray[np.uint8]
Mask = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Step:
    """How the background moved in the picture since the sample before."""

    dx: float
    dy: float
    zoom: float
    """Factor by which the background grew."""


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


def grey_of(image: Rgb) -> Grey:
    """The picture in grey, its longer side at most SIDE pixels."""
    import cv2

    size = fit(image.shape[1], image.shape[0], SIDE)
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def body_mask(shape: tuple[int, ...], faces: Sequence[FaceBox]) -> Mask:
    """255 where people are likely: each face, its hair and the body below it.

    The head is taken as two face widths wide, the body from the chin down as three.
    """
    mask = np.zeros(shape, dtype=np.uint8)
    for face in faces:
        x, y = face.centre
        for half, top in ((face.width, y - 1.1 * face.height), (1.6 * face.width, face.bottom)):
            edges = top, x - half, x + half
            first, left, right = (max(0, round(edge * shape[0])) for edge in edges)
            mask[first:, left:right] = 255
    return mask


def camera_step(before: Grey, after: Grey, people: Mask) -> Step | None:
    """How the background moved between two grey pictures of one size.

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
    steady = (found & found_back).ravel().astype(bool)
    steady &= np.linalg.norm((back - corners).reshape(-1, 2), axis=1) < 1.0
    if steady.sum() < FEWEST_POINTS:
        return None
    start, end = corners[steady], moved[steady]
    model, agree = cv2.estimateAffinePartial2D(start, end, ransacReprojThreshold=1.0)
    if model is None or agree.mean() < LEAST_SUPPORT:
        return None
    size = np.array(before.shape[::-1])
    cells = (start[agree.ravel() > 0].reshape(-1, 2) * 4 / size).astype(int)
    if len(np.unique(cells, axis=0)) < FEWEST_CELLS:
        return None
    dx, dy = (model[:, :2] @ (size / 2) + model[:, 2] - size / 2) / size[1]
    return Step(float(dx), float(dy), float(np.hypot(model[0, 0], model[1, 0])))


def stir(before: Grey, after: Grey, people: Mask, step: Step | None) -> float | None:
    """The share of the people's region that changed, the camera's move taken out.

    None where there are no people or the camera's move is unknown.
    """
    import cv2

    inside = people > 0
    if step is None or not inside.any():
        return None
    height, width = before.shape
    x = (1 - step.zoom) * width / 2 + step.dx * height
    y = (1 - step.zoom) * height / 2 + step.dy * height
    shift = np.array([[step.zoom, 0, x], [0, step.zoom, y]])
    held = cv2.warpAffine(before, shift, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return float((cv2.absdiff(held, after)[inside] > CHANGED).mean())


THUMBNAIL: Final = 64
MEMORY: Final = 1.5
"""Seconds after the last face in which hands are still searched for."""
POSE_EVERY: Final = 0.38
"""Seconds between two poses: the shoulders move slowly, the model is slow."""
CHIN_FOR_SHOULDERS: Final = 0.9
"""With the chin lower than this share of the picture no shoulder is visible."""


@dataclass(frozen=True, slots=True)
class Footage:
    """What was measured in a clip or a span of it."""

    times: tuple[float, ...]
    """Times of all pictures."""
    cuts: tuple[float, ...]
    lights: tuple[Light, ...]
    """One per sample."""
    samples: tuple[Sample, ...]

    @property
    def shots(self) -> tuple[tuple[float, float], ...]:
        """Start and end of each shot; the last ends with the last picture."""
        starts = (self.times[0], *self.cuts)
        return tuple(zip(starts, (*self.cuts, self.times[-1]), strict=True))


def measure_clip(
    frames: Iterable[Frame], networks: Networks, rate: float, max_side: int
) -> Footage:
    """Run the networks on `rate` pictures per second; cuts come from all pictures."""
    sampler = _Sampler(networks)
    times: list[float] = []
    signatures: list[Signature] = []
    lights: list[Light] = []
    samples: list[Sample] = []
    jumped, last, due = False, -1e9, 0.0
    for frame in frames:
        thumbnail = frame.rgb(THUMBNAIL)
        times.append(frame.time)
        signatures.append(describe(thumbnail))
        jumped = jumped or (len(times) > 1 and difference(*signatures[-2:]) > CUT)
        if frame.time < due - 1e-6 and not (jumped and frame.time >= last + 0.5 / rate):
            continue
        last = frame.time
        due = max(due + 1 / rate, last + 0.5 / rate)
        if jumped:
            sampler.forget()
        jumped = False
        lights.append(measure_light(thumbnail))
        samples.append(sampler.sample(frame.time, frame.rgb(max_side)))
    cuts = cuts_between(signatures, times)
    shots = np.searchsorted(np.array(cuts), [s.time + 1e-3 for s in samples])
    of_shots = tuple(replace(s, shot=int(n)) for s, n in zip(samples, shots, strict=True))
    return Footage(tuple(times), cuts, tuple(lights), of_shots)


class _Sampler:
    def __init__(self, networks: Networks) -> None:
        self._networks = networks
        self.forget()

    def forget(self) -> None:
        """Compare with nothing before, and follow no hand and no body."""
        self._networks.forget()
        self._before: tuple[Grey, tuple[FaceBox, ...]] | None = None
        self._face_time = self._pose_time = -1e9

    def sample(self, time: float, image: Rgb) -> Sample:
        if min(image.shape[:2]) < 16:
            return Sample(time, 0)
        faces = self._networks.faces(image)
        self._face_time = time if faces else self._face_time
        shoulders = any(face.bottom < CHIN_FOR_SHOULDERS for face in faces)
        posed = shoulders and time - self._pose_time >= POSE_EVERY
        self._pose_time = time if posed else self._pose_time
        hands = self._networks.hands(image) if time - self._face_time <= MEMORY else ()
        pose = self._networks.pose(image) if posed else None
        grey = grey_of(image)
        step = moved = None
        if self._before is not None:
            before, earlier = self._before
            people = body_mask(grey.shape, (*faces, *earlier))
            step = camera_step(before, grey, people)
            moved = stir(before, grey, people, step)
        self._before = grey, faces
        return Sample(time, 0, faces, hands, pose, posed, step, moved)
