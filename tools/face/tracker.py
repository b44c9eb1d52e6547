"""Faces followed through the shots of a clip, and small upright crops of them.

Known faces are followed by their landmarks in each frame. The detector looks for new ones, and
confirms the known, twice a second, after a cut and when a face is lost. Crops, the sharpest of
each quarter second, are for a model of expressions: so the clip is decoded once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emer.tools.face.detector import (
    MOST_FACES,
    Detection,
    Image,
    Networks,
    Points,
    Region,
    outline,
    region_around,
    upright,
)
from emer.tools.face.geometry import Spread, furrow_of, measure_spread
from emer.tools.media.decoder import Frame
from emer.tools.runtime.cancellation import raise_if_cancelled

SIDE: Final = 96
"""Pixels of a crop's side: twice the input of models for FER2013 (48 pixels)."""
MARGIN: Final = 1.1
"""Side of the crop in sides of the box from hairline to chin (chosen by us)."""
CROPS_PER_S: Final = 4
TRIED_PER_S: Final = 12
"""Crops that stay, and that are compared, per second (a display lasts 0.5-4 s)."""


class Crop(NamedTuple):
    """A face, its eyes level, in grey: (96, 96) uint8."""

    time: float
    picture: NDArray[np.uint8]
    sharpness: float
    """Fine detail against contrast; see `sharpness_of`."""


def add_crop(crops: list[Crop], time: float, image: Image, points: Points) -> None:
    """Add a crop of the face when one is due and the sharpest of its quarter second."""
    if crops and time - crops[-1].time < 1.0 / TRIED_PER_S:
        return
    picture = cut_face(image, points)
    crop = Crop(time, picture, sharpness_of(picture))
    if not crops or _slot(crops[-1].time) != _slot(time):
        crops.append(crop)
    elif crops[-1].sharpness < crop.sharpness:
        crops[-1] = crop


def cut_face(image: Image, points: Points) -> NDArray[np.uint8]:
    """The face in grey, (96, 96), the eyes level; the picture's edges are repeated."""
    import cv2

    across = points[263, :2] - points[33, :2]
    turn = float(np.arctan2(across[1], across[0]))
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    inside = points[:468, :2] @ axes.T
    low, high = inside.min(axis=0), inside.max(axis=0)
    x, y = axes.T @ ((low + high) / 2)
    region = Region(float(x), float(y), float((high - low).max()) * MARGIN, turn)
    cut = upright(image, region, SIDE).picture
    return np.asarray(cv2.cvtColor(cut, cv2.COLOR_RGB2GRAY), np.uint8)


def sharpness_of(picture: NDArray[np.uint8]) -> float:
    """Standard deviation of the Laplacian over that of the picture: 0 for a plain one."""
    import cv2

    fine = float(cv2.Laplacian(picture, cv2.CV_32F).std())
    return fine / (float(picture.std()) + 1.0)


def _slot(time: float) -> int:
    return int(time * CROPS_PER_S + 1e-6)


DARK: Final = 60
"""Mean brightness (of 255) below which pictures are brightened for the networks."""


def thumbnail(image: Image) -> NDArray[np.float32]:
    """The picture in grey at about 24 x 24 points, for comparing pictures."""
    rows, columns = (max(1, side // 24) for side in image.shape[:2])
    coarse = image[rows // 2 :: rows, columns // 2 :: columns].astype(np.float32)
    return np.asarray(coarse.mean(axis=2))


def brightened(image: Image, light: float) -> Image:
    """A dark picture with its tones stretched; others as they are.

    The stretch sets in gradually: a clip whose light wavers about the limit must not jump.
    """
    if light >= DARK:
        return image
    full = float(np.clip(np.log(100 / 255) / np.log(max(light, 2.0) / 255), 0.35, 1.0))
    gamma = 1.0 - (1.0 - full) * min((DARK - light) / (DARK / 3), 1.0)
    curve = (255 * (np.arange(256) / 255) ** gamma).astype(np.uint8)
    return curve[image]


def colours_around(image: Image, points: Points) -> NDArray[np.float32]:
    """Mean colours on a 5 x 5 grid around the face, shape (25, 3), brightness removed."""
    region = region_around(points)
    reach = region.side * 0.7
    xs = np.clip(np.linspace(region.x - reach, region.x + reach, 25), 0, image.shape[1] - 1)
    ys = np.clip(np.linspace(region.y - reach, region.y + reach, 25), 0, image.shape[0] - 1)
    patch = image[ys.astype(int)][:, xs.astype(int)].astype(np.float32)
    grid = patch.reshape(5, 5, 5, 5, 3).mean(axis=(1, 3)).reshape(25, 3)
    return np.asarray(grid / (grid.mean() + 1.0))


CHECK_EVERY: Final = 0.5
"""Seconds between two searches for faces."""
TILED_EVERY: Final = 4
"""One search in so many also looks for small faces."""
SMALLEST_PX: Final = 24
"""Faces below this size (side of the landmarks' box, in pixels) are left alone: a
landmark network that sees 192 x 192 pixels invents the rest. Chosen by us."""


@dataclass(slots=True)
class Track:
    """One face, followed without a break: one row per frame in which it was seen."""

    shot: int
    times: list[float] = field(default_factory=list)
    points: list[Points] = field(default_factory=list)
    furrows: list[float] = field(default_factory=list)
    """Strength of the lines between the brows, per frame (see `furrow_of`)."""
    colours: list[NDArray[np.float32]] = field(default_factory=list)
    """Coarse colours around the face at the searches: people differ by them."""
    spreads: list[Spread] = field(default_factory=list)
    """Jitter of the landmarks at the searches."""
    confirmed: int = 0
    """Searches of the detector that found this face again, of the `checked` ones."""
    checked: int = 0
    crops: list[Crop] = field(default_factory=list)
    """The face in the picture, a few times a second."""

    @property
    def size(self) -> float:
        """Median side of the landmarks' box in pixels."""
        return float(np.median([outline(points).side for points in self.points]))


@dataclass(frozen=True, slots=True)
class Footage:
    """The tracks of a clip, and what was measured of its pictures."""

    tracks: tuple[Track, ...]
    frames: int
    brightness: float
    """Mean brightness of the pictures, 0-255."""
    detections: int
    """Searches in which the detector saw any face, small ones included."""
    width: int
    height: int
    """Of the pictures in pixels."""


def follow(frames: Iterable[Frame], networks: Networks, max_side: int) -> Footage:
    """Follow every face in the frames, their longer side limited to `max_side` pixels."""
    tracker = _Tracker(networks)
    for frame in frames:
        raise_if_cancelled()
        tracker.advance(frame.time, frame.rgb(max_side))
    return tracker.footage()


class _Tracker:
    def __init__(self, networks: Networks) -> None:
        self._networks = networks
        self._live: list[Track] = []
        self._ended: list[Track] = []
        self._shot = 0
        self._light: list[float] = []
        self._plain: Image = np.zeros((1, 1, 3), np.uint8)
        self._thumb: NDArray[np.float32] | None = None
        self._changes: deque[float] = deque(maxlen=12)
        self._next_check = -1.0
        self._checks = 0
        self._detections = 0

    def advance(self, time: float, image: Image) -> None:
        thumb = thumbnail(image)
        cut = self._is_cut(thumb)
        self._thumb = thumb
        if cut:
            self._ended += self._live
            self._live = []
        self._shot += cut
        self._light.append(float(thumb.mean()))
        self._plain = image
        image = brightened(image, self._light[-1])
        lost = self._follow(time, image)
        if cut or time >= self._next_check or (lost and self._next_check - time < 0.4):
            self._search(time, image, everywhere=cut or self._checks % TILED_EVERY == 0)

    def footage(self) -> Footage:
        tracks = sorted(self._ended + self._live, key=lambda t: (t.times[0], -t.size))
        return Footage(
            tracks=tuple(t for t in tracks if _is_real(t)),
            frames=len(self._light),
            brightness=float(np.mean(self._light)) if self._light else 0.0,
            detections=self._detections,
            width=self._plain.shape[1],
            height=self._plain.shape[0],
        )

    def _is_cut(self, thumb: NDArray[np.float32]) -> bool:
        """Whether the change is far above those just before it (chosen by us)."""
        if self._thumb is None or self._thumb.shape != thumb.shape:
            return False
        change = float(np.abs(thumb - self._thumb).mean() / (thumb.mean() + 20.0))
        usual = median(self._changes) if self._changes else 0.0
        self._changes.append(change)
        return change > max(0.18, 4 * usual)

    def _follow(self, time: float, image: Image) -> bool:
        followed: list[Track] = []
        for track in self._live:
            points = self._networks.mesh(image, region_around(track.points[-1]))
            if points is None or not _continues(points, track, followed):
                self._ended.append(track)
            else:
                track.times.append(time)
                track.points.append(points)
                track.furrows.append(furrow_of(self._plain, points))
                add_crop(track.crops, time, self._plain, points)
                followed.append(track)
        lost = len(followed) < len(self._live)
        self._live = followed
        return lost

    def _search(self, time: float, image: Image, everywhere: bool) -> None:
        self._next_check = time + CHECK_EVERY
        self._checks += 1
        unclaimed = self._networks.detect(image, everywhere or not self._live)
        self._detections += bool(unclaimed)
        for track in self._live:
            track.checked += 1
            confirming = [f for f in unclaimed if _covers(f, track.points[-1])]
            region = region_around(track.points[-1])
            track.confirmed += bool(confirming) or self._networks.is_face(image, region)
            track.colours.append(colours_around(self._plain, track.points[-1]))
            track.spreads.append(measure_spread(self._networks, image, track.points[-1], time))
            unclaimed = [f for f in unclaimed if f not in confirming]
        for face in sorted(unclaimed, key=lambda f: (-f.size, f.x)):
            if len(self._live) < MOST_FACES and face.size >= SMALLEST_PX * 0.8:
                self._start(time, image, face)

    def _start(self, time: float, image: Image, face: Detection) -> None:
        points = self._networks.mesh(image, face.region)
        if points is not None:
            points = self._networks.mesh(image, region_around(points))
        if points is None or outline(points).side < SMALLEST_PX:
            return
        if not _covers(face, points) or any(_overlap(points, t.points[-1]) for t in self._live):
            return
        track = Track(
            shot=self._shot,
            times=[time],
            points=[points],
            furrows=[furrow_of(self._plain, points)],
            colours=[colours_around(self._plain, points)],
            spreads=[measure_spread(self._networks, image, points, time)],
            confirmed=1,
            checked=1,
        )
        add_crop(track.crops, time, self._plain, points)
        self._live.append(track)


def _continues(points: Points, track: Track, others: list[Track]) -> bool:
    now, then = outline(points), outline(track.points[-1])
    size = max(then.side, 1.0)
    near = bool(np.hypot(*(now.mean - then.mean)) < 0.5 * size)
    alike = 0.6 < now.side / size < 1.6 and now.side >= SMALLEST_PX * 0.8
    return near and alike and not any(_overlap(points, o.points[-1]) for o in others)


def _overlap(one: Points, other: Points) -> bool:
    first, second = outline(one), outline(other)
    return bool(np.hypot(*(first.mean - second.mean)) < 0.4 * first.side)


def _covers(detection: Detection, points: Points) -> bool:
    face = outline(points)
    x, y = face.mean
    return bool(np.hypot(detection.x - x, detection.y - y) < 0.5 * max(detection.size, face.side))


def _is_real(track: Track) -> bool:
    return track.confirmed >= min(2, track.checked) and track.confirmed * 3 >= track.checked
