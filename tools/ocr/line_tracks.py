"""Lines of text that stand in the lower half of the picture, followed over time.

Text is detected in a few pictures a second at most; between them a line is known by its strokes,
which stay at their place while the picture behind them moves. Strokes that are found again beside
their place are running text. A line's picture is the mean of its pictures: strokes stay, what
moves behind them and the noise of the codec fade. Numbers are chosen by us.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emer.tools.media.decoder import Frame, Rgb
from emer.tools.ocr.networks import DETECTION_SIDE, Box, Letters
from emer.tools.types import Span

FPS: Final = 6.0
"""Pictures per second; a subtitle stands for 0.8 s or more, and its times are right to 0.1 s."""
DETECT_EVERY, CONFIRM_EVERY = 0.33, 1.5
"""Seconds between two detections without and with a line that still stands."""
UPPER: Final = 0.5
"""Share of the height below which text is searched."""
CENTRED: Final = 0.06
"""Most distance of a line's middle from that of the picture, as a share of its width."""
HEIGHTS: Final = (0.025, 0.14)
"""Height of a line's box as a share of the picture's smaller side."""
GAP: Final = 1.5
"""Most gap between two parts of a line in heights: a wide space."""
STILL: Final = 0.45
"""Correlation of a line's strokes from which it stands (unlike lines: 0.3 at most)."""
WIDE: Final = 0.92
"""Share of the picture's width from which a line is running text."""
MOVED: Final = 0.6
"""Correlation beside its place from which a line has moved."""
REACH: Final = 24
"""Pixels to either side in which a moved line is searched."""
SHARPNESS: Final = 2.0
"""Standard deviation in pixels of the blur that is taken off: about a stroke's width."""
READ_SIDE: Final = 1280
"""Longest side in pixels of the pictures that are read."""
MARGIN: Final = 0.6
"""Heights of a box that are added above and below it, of which a reader takes what it needs."""
PROBED: Final = 0.7
"""Probability of a single character from which it is followed."""
PROBE_MARGIN: Final = 0.3
LEAST_STAY, MOST_STAY = 0.8, 6.0
"""Seconds for which a line stands by which the band is known."""
BEFORE: Final = 3
"""Pictures in which the beginning of a line is searched: those since the last detection."""

_CHINESE = re.compile(r"[\u3400-\u9fff]")

Strokes = NDArray[np.float32]
"""Light and dark strokes of a picture: what differs from its blurred form."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line that stood: its place as shares of the picture, its time, its picture."""

    span: Span
    middle: float
    """Middle of its box from the top, as a share of the picture's height."""
    height: float
    width: float
    """Width as a share of the picture's."""
    off: float
    """Distance of its middle from that of the picture, as a share of the width."""
    runs: bool
    """Whether its strokes were seen to move."""
    picture: Rgb | None
    """The mean of its pictures; None where it stood in no picture that was kept."""


@dataclass(slots=True)
class _Track:
    box: Box
    """In the lower half of a picture of `DETECTION_SIDE`."""
    strokes: Strokes
    start: float
    end: float
    count: int = 1
    runs: bool = False
    total: NDArray[np.float64] | None = None
    summed: int = 0

    def add(self, picture: Rgb) -> None:
        """Add a picture of the line to the mean."""
        if self.total is None:
            self.total = np.zeros(picture.shape, np.float64)
        self.total += picture
        self.summed += 1

    def mean(self) -> Rgb | None:
        if self.total is None:
            return None
        return np.asarray(np.clip(np.rint(self.total / self.summed), 0, 255), np.uint8)


class LineFollower:
    """Follows the centred lines of a clip's pictures, given in order.

    Where a line has stood, the middle of its band is read in pictures without a line, too: the
    detector does not see a single Chinese character on a light ground.
    """

    def __init__(
        self, detect: Callable[[Rgb], Sequence[Box]], read: Callable[[Rgb], Letters]
    ) -> None:
        """Take the detector of boxes of text, and the reader of a line."""
        self._detect, self._read = detect, read
        self._band: tuple[float, Box] | None = None
        """The line that stood for longest, and its seconds."""
        self._tracks: list[_Track] = []
        self._before: deque[tuple[float, Strokes]] = deque(maxlen=BEFORE)
        self._detected = -1e9
        self._changed = True

    def lines(self, frames: Iterable[Frame]) -> Iterator[Line]:
        """The lines, each after its end."""
        shape: tuple[int, int] = (1, 1)
        for frame in frames:
            picture = frame.rgb(max_side=DETECTION_SIDE)
            shape = picture.shape[0], picture.shape[1]
            lower = picture[round(UPPER * shape[0]) :]
            sharp = strokes(lower)
            yield from self._follow(frame.time, sharp, shape)
            if self._is_due(frame.time):
                self._look(frame.time, lower, sharp, shape)
                if not self._stands():
                    self._probe(frame, sharp, shape)
            for track in self._tracks:
                track.add(_crop(frame, track.box, shape))
            self._before.append((frame.time, sharp))
        for track in self._tracks:
            yield _line(track, shape)
        self._tracks = []

    def _follow(self, time: float, sharp: Strokes, shape: Sequence[int]) -> Iterator[Line]:
        """Keep the lines that still stand; yield the others."""
        still = []
        for track in self._tracks:
            if standing(track.strokes, sharp, track.box) >= STILL:
                track.end = time
                track.count += 1
                share = 1 / min(track.count, 8)
                now = _cut(sharp, track.box)
                track.strokes = (1 - share) * track.strokes + share * now
                still.append(track)
                continue
            track.runs = moved(track.strokes, sharp, track.box)
            self._changed = self._changed or not track.runs
            self._remember(track, shape)
            yield _line(track, shape)
        self._tracks = still

    def _remember(self, track: _Track, shape: Sequence[int]) -> None:
        """Keep the box of the line that stood for longest, but of no sign that stays."""
        length, best = track.end - track.start, self._band[0] if self._band else LEAST_STAY
        if best <= length <= MOST_STAY and not track.runs and track.box.width <= WIDE * shape[1]:
            self._band = (length, track.box)

    def _is_due(self, time: float) -> bool:
        """Whether to detect now: often while no line stands, at once after one has ended."""
        every = CONFIRM_EVERY if self._stands() else DETECT_EVERY
        every = DETECT_EVERY / 2 if self._changed else every
        return time - self._detected >= every - 1e-6

    def _stands(self) -> bool:
        """Whether a line stands in the band of those that stood before."""
        band = self._band[1] if self._band else None
        return band is not None and any(
            min(track.box.bottom, band.bottom) - max(track.box.top, band.top) >= 0.5 * band.height
            for track in self._tracks
        )

    def _look(self, time: float, lower: Rgb, sharp: Strokes, shape: Sequence[int]) -> None:
        """Detect the lines and begin to follow those that are new."""
        self._detected, self._changed = time, False
        size = (shape[0], shape[1])
        for box in candidates(self._detect(lower), size):
            known = [track for track in self._tracks if _share(track.box, box) >= 0.5]
            if any(box.width <= 1.15 * track.box.width for track in known):
                continue
            self._tracks = [track for track in self._tracks if track not in known]
            start = min([track.start for track in known], default=self._start(time, box, sharp))
            self._tracks.append(_Track(box, _cut(sharp, box), start, time))

    def _probe(self, frame: Frame, sharp: Strokes, shape: Sequence[int]) -> None:
        """Read one place in the middle of the band; follow a Chinese character there."""
        if self._band is None:
            return
        band, width = self._band[1], shape[1]
        half = round(0.65 * band.height)
        box = Box(width // 2 - half, band.top, width // 2 + half, band.bottom)
        letters = self._read(_crop(frame, box, shape, margin=PROBE_MARGIN))
        if letters.mean >= PROBED and _CHINESE.search(letters.text):
            start = self._start(frame.time, box, sharp)
            self._tracks.append(_Track(box, _cut(sharp, box), start, frame.time))

    def _start(self, time: float, box: Box, sharp: Strokes) -> float:
        """The first of the last pictures in which the line already stood."""
        pattern = _cut(sharp, box)
        for before, picture in reversed(self._before):
            if standing(pattern, picture, box) < STILL:
                break
            time = before
        return time


def strokes(picture: Rgb) -> Strokes:
    """What differs from the picture's blurred form, shape (H, W)."""
    import cv2

    grey = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY).astype(np.float32)
    return np.asarray(grey - cv2.GaussianBlur(grey, (0, 0), SHARPNESS), np.float32)


def standing(pattern: Strokes, picture: Strokes, box: Box) -> float:
    """Correlation of strokes with a picture: the median of the line's parts.

    A part is as wide as the line is high: what moves behind a few letters spoils theirs alone.
    """
    here = _cut(picture, box)
    parts = max(1, round(box.width / box.height))
    pairs = zip(*(np.array_split(each, parts, axis=1) for each in (pattern, here)), strict=True)
    return float(np.median([_correlation(one, other) for one, other in pairs]))


def _correlation(one: Strokes, other: Strokes) -> float:
    one, other = one - one.mean(), other - other.mean()
    size = float(np.sqrt((one * one).sum() * (other * other).sum()))
    return float((one * other).sum()) / size if size > 1.0 else 0.0


def moved(pattern: Strokes, picture: Strokes, box: Box) -> bool:
    """Whether the strokes are found beside their place."""
    import cv2

    left, right = max(0, box.left - REACH), min(picture.shape[1], box.right + REACH)
    around = picture[box.top : box.bottom, left:right]
    found = cv2.matchTemplate(around, pattern, cv2.TM_CCOEFF_NORMED)[0]
    here = box.left - left
    beside = np.delete(found, slice(max(0, here - 1), here + 2))
    return bool(beside.size and np.nanmax(beside, initial=0.0) >= MOVED)


def rows(boxes: Iterable[Box]) -> list[Box]:
    """Boxes of whole lines: neighbours of one height on one level are joined."""
    joined: list[Box] = []
    for box in sorted(boxes):
        for place, row in enumerate(joined):
            if _continues(row, box):
                top, bottom = min(row.top, box.top), max(row.bottom, box.bottom)
                joined[place] = Box(row.left, top, max(row.right, box.right), bottom)
                break
        else:
            joined.append(box)
    return joined


def _continues(row: Box, box: Box) -> bool:
    low, high = sorted((row.height, box.height))
    level = abs(row.top + row.bottom - box.top - box.bottom) / 2
    return high <= 1.5 * low and level <= 0.4 * low and box.left - row.right <= GAP * low


def candidates(boxes: Sequence[Box], shape: tuple[int, int]) -> list[Box]:
    """Lines with a subtitle's place and size in a picture of this shape.

    A sign beside a subtitle moves their common middle: then the part in the middle is a line.
    """
    whole = [row for row in rows(boxes) if _is_candidate(row, shape)]
    parts = [box for box in boxes if _is_candidate(box, shape)]
    return whole + [box for box in parts if not any(_share(box, row) >= 0.5 for row in whole)]


def _is_candidate(box: Box, shape: tuple[int, int]) -> bool:
    height, width = shape
    centred = abs((box.left + box.right) / 2 / width - 0.5) <= CENTRED
    return centred and HEIGHTS[0] <= box.height / min(height, width) <= HEIGHTS[1]


def _share(one: Box, other: Box) -> float:
    """Shared area of two boxes as a share of the smaller one."""
    across = min(one.right, other.right) - max(one.left, other.left)
    down = min(one.bottom, other.bottom) - max(one.top, other.top)
    smaller = min(one.width * one.height, other.width * other.height)
    return max(0, across) * max(0, down) / max(1, smaller)


def _cut(sharp: Strokes, box: Box) -> Strokes:
    return np.ascontiguousarray(sharp[box.top : box.bottom, box.left : box.right])


def _crop(frame: Frame, box: Box, shape: Sequence[int], margin: float = MARGIN) -> Rgb:
    """The line with a margin, from a picture as large as is read."""
    picture = frame.rgb(max_side=READ_SIDE)
    scale, upper = picture.shape[1] / shape[1], round(UPPER * shape[0])
    room = margin * box.height
    top, bottom = (round(scale * (upper + y)) for y in (box.top - room, box.bottom + room))
    left, right = round(scale * (box.left - room / 2)), round(scale * (box.right + room / 2))
    return picture[max(0, top) : bottom, max(0, left) : right]


def _line(track: _Track, shape: Sequence[int]) -> Line:
    height, width = shape
    middle = round(UPPER * height) + (track.box.top + track.box.bottom) / 2
    return Line(
        span=Span(start=track.start, end=track.end),
        middle=middle / height,
        height=track.box.height / height,
        width=track.box.width / width,
        off=abs((track.box.left + track.box.right) / 2 / width - 0.5),
        runs=track.runs,
        picture=track.mean(),
    )
