"""Follow every face through the clip, shot by shot.

Known faces are followed by their landmarks in each frame. The detector looks for new
ones, and confirms the known, twice a second, after a cut and when a face is lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from emer.tools.call import still_wanted
from emer.tools.face.crops import Crop, keep
from emer.tools.face.furrow import furrow_of
from emer.tools.face.network import Found, Image, Points, Region, outline, region_around
from emer.tools.face.pictures import brightened, look_of, thumbnail
from emer.tools.face.spread import Spread, measure_spread

CHECK_EVERY: Final = 0.5
"""Seconds between two searches for faces."""
TILED_EVERY: Final = 4
"""One search in so many also looks for small faces."""
SMALLEST_PX: Final = 24
"""Faces below this size (side of the landmarks' box, in pixels) are left alone: a
landmark network that sees 192 x 192 pixels invents the rest. Chosen by us."""
MOST_FACES: Final = 6


class Look(Protocol):
    """What the tracker needs of the networks."""

    def mesh(self, image: Image, region: Region) -> Points | None:
        """Return the landmarks of the face in the region, or None."""
        ...

    def detect(self, image: Image, tiled: bool) -> list[Found]:
        """Return the faces in the picture."""
        ...

    def is_face(self, image: Image, region: Region) -> bool:
        """Tell whether the detector, too, sees a face in the region."""
        ...


class Picture(Protocol):
    """A frame of the clip, as `Clip.frames` yields them."""

    @property
    def index(self) -> int:
        """Number of the frame."""
        ...

    @property
    def time(self) -> float:
        """Seconds from the clip's start."""
        ...

    def rgb(self, max_side: int | None = None) -> Image:
        """Return the picture as RGB."""
        ...


@dataclass(slots=True)
class Track:
    """One face, followed without a break: one row per frame in which it was seen."""

    shot: int
    times: list[float] = field(default_factory=list)
    points: list[Points] = field(default_factory=list)
    furrows: list[float] = field(default_factory=list)
    """The lines between the brows, per frame (see `furrow`)."""
    looks: list[NDArray[np.float32]] = field(default_factory=list)
    """Coarse colours around the face at the searches: what the face is told apart by."""
    spreads: list[Spread] = field(default_factory=list)
    """How firmly the landmarks sat at the searches."""
    confirmed: int = 0
    """How many searches of the detector found this face again."""
    checked: int = 0
    crops: list[Crop] = field(default_factory=list)
    """The face in the picture, a few times a second."""

    @property
    def size(self) -> float:
        """Median side of the landmarks' box in pixels."""
        return float(np.median([outline(points).side for points in self.points]))


@dataclass(frozen=True, slots=True)
class Footage:
    """All that was followed in a clip: tracks, and the pictures looked at."""

    tracks: tuple[Track, ...]
    times: NDArray[np.float64]
    shots: NDArray[np.int64]
    """The shot each frame belongs to, counted from 0."""
    brightness: float
    """Mean brightness of the pictures, 0-255."""
    detections: int
    """How often the detector saw any face, small ones included."""
    shape: tuple[int, int]
    """Height and width of the pictures looked at, in pixels."""


def follow(frames: Iterable[Picture], networks: Look, max_side: int) -> Footage:
    """Follow every face in the frames, which are looked at with their longer side limited."""
    tracker = _Tracker(networks)
    for frame in frames:
        still_wanted()
        tracker.see(frame.time, frame.rgb(max_side))
    return tracker.result()


class _Tracker:
    def __init__(self, networks: Look) -> None:
        self._networks = networks
        self._live: list[Track] = []
        self._ended: list[Track] = []
        self._times: list[float] = []
        self._shots: list[int] = []
        self._light: list[float] = []
        self._plain: Image = np.zeros((1, 1, 3), np.uint8)
        self._thumb: NDArray[np.float32] | None = None
        self._changes: deque[float] = deque(maxlen=12)
        self._next_check = -1.0
        self._checks = 0
        self._detections = 0
        self._shape = (0, 0)

    def see(self, time: float, image: Image) -> None:
        """Follow the known faces into this picture and look for new ones when due."""
        thumb = thumbnail(image)
        cut = self._is_cut(thumb)
        self._thumb = thumb
        if cut:
            self._ended += self._live
            self._live = []
        self._times.append(time)
        self._shots.append((self._shots[-1] if self._shots else 0) + cut)
        self._light.append(float(thumb.mean()))
        self._shape = (image.shape[0], image.shape[1])
        self._plain = image
        image = brightened(image, self._light[-1])
        lost = self._follow(time, image)
        if cut or time >= self._next_check or (lost and self._next_check - time < 0.4):
            self._search(time, image, everywhere=cut or self._checks % TILED_EVERY == 0)

    def result(self) -> Footage:
        tracks = sorted(self._ended + self._live, key=lambda t: (t.times[0], -t.size))
        return Footage(
            tracks=tuple(t for t in tracks if _is_real(t)),
            times=np.array(self._times),
            shots=np.array(self._shots, dtype=np.int64),
            brightness=float(np.mean(self._light)) if self._light else 0.0,
            detections=self._detections,
            shape=self._shape,
        )

    def _is_cut(self, thumb: NDArray[np.float32]) -> bool:
        """Tell a cut by a change far above those just before it (chosen by us)."""
        if self._thumb is None or self._thumb.shape != thumb.shape:
            return False
        change = float(np.abs(thumb - self._thumb).mean() / (thumb.mean() + 20.0))
        usual = median(self._changes) if self._changes else 0.0
        self._changes.append(change)
        return change > max(0.18, 4 * usual)

    def _follow(self, time: float, image: Image) -> bool:
        """Find each known face again; tell whether one was lost."""
        going: list[Track] = []
        for track in self._live:
            points = self._networks.mesh(image, region_around(track.points[-1]))
            if points is None or not _goes_on(points, track, going):
                self._ended.append(track)
            else:
                track.times.append(time)
                track.points.append(points)
                track.furrows.append(furrow_of(self._plain, points))
                keep(track.crops, time, self._plain, points)
                going.append(track)
        lost = len(going) < len(self._live)
        self._live = going
        return lost

    def _search(self, time: float, image: Image, everywhere: bool) -> None:
        """Look for faces: confirm the known, start tracks for the new."""
        self._next_check = time + CHECK_EVERY
        self._checks += 1
        found = self._networks.detect(image, everywhere or not self._live)
        self._detections += bool(found)
        unclaimed = list(found)
        for track in self._live:
            track.checked += 1
            own = [f for f in unclaimed if _covers(f, track.points[-1])]
            region = region_around(track.points[-1])
            track.confirmed += bool(own) or self._networks.is_face(image, region)
            track.looks.append(look_of(self._plain, track.points[-1]))
            track.spreads.append(measure_spread(self._networks, image, track.points[-1], time))
            unclaimed = [f for f in unclaimed if f not in own]
        for face in sorted(unclaimed, key=lambda f: (-f.size, f.x)):
            if len(self._live) < MOST_FACES and face.size >= SMALLEST_PX * 0.8:
                self._start(time, image, face)

    def _start(self, time: float, image: Image, face: Found) -> None:
        points = self._networks.mesh(image, face.region)
        if points is not None:
            points = self._networks.mesh(image, region_around(points))
        if points is None or outline(points).side < SMALLEST_PX:
            return
        if not _covers(face, points) or any(_overlap(points, t.points[-1]) for t in self._live):
            return
        look = look_of(self._plain, points)
        sure = measure_spread(self._networks, image, points, time)
        furrow = furrow_of(self._plain, points)
        track = Track(self._shots[-1], [time], [points], [furrow], [look], [sure], 1, 1)
        keep(track.crops, time, self._plain, points)
        self._live.append(track)


def _is_same_place(points: Points, before: Points) -> bool:
    """Tell whether a face can have moved so far between two frames."""
    now, then = outline(points), outline(before)
    size = max(then.side, 1.0)
    moved = np.hypot(*(now.mean - then.mean))
    alike = 0.6 < now.side / size < 1.6 and now.side >= SMALLEST_PX * 0.8
    return bool(moved < 0.5 * size and alike)


def _goes_on(points: Points, track: Track, others: list[Track]) -> bool:
    """Tell whether these landmarks continue the track, and are not another's face."""
    taken = any(_overlap(points, other.points[-1]) for other in others)
    return not taken and _is_same_place(points, track.points[-1])


def _overlap(one: Points, other: Points) -> bool:
    first, second = outline(one), outline(other)
    return bool(np.hypot(*(first.mean - second.mean)) < 0.4 * first.side)


def _covers(found: Found, points: Points) -> bool:
    face = outline(points)
    x, y = face.mean
    return bool(np.hypot(found.x - x, found.y - y) < 0.5 * max(found.size, face.side))


def _is_real(track: Track) -> bool:
    """Tell a face from a trick of the light: the detector must find it again."""
    return track.confirmed >= min(2, track.checked) and track.confirmed * 3 >= track.checked
