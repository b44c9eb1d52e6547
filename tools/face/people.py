"""Tracks joined into people, numbered by how long and how large each is visible.

A track ends at a cut or when the face is lost. Tracks of different times become one
person when the face is where it was, or when both the bones' proportions and the colours
around the face agree. Joining two people is worse than splitting one, so doubt splits. There
is no identification: numbers hold for this clip alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from emer.tools.face.detector import outline
from emer.tools.face.geometry import Measures, measure, spread_at
from emer.tools.face.head_pose import find_heads, straighten
from emer.tools.face.tracker import Crop, Footage, Track
from emer.tools.timeseries import Floats

LEAST_FRAMES: Final = 5
LEAST_S: Final = 0.4
"""Shorter tracks are joined to a longer one or left out."""
SAME_BONES: Final = 0.045
"""Largest mean distance in IOD between two bone shapes that may be one person's:
the same person differs by 0.01-0.03 between shots, two people by 0.03-0.10 (measured by us)."""
SAME_COLOURS: Final = 0.13
CLOSE_S: Final = 1.0
BONES: Final = (1, 4, 5, 6, 168, 197, 195, 33, 133, 362, 263, 234, 454, 10, 50, 280, 58, 288, 2)


@dataclass(frozen=True, slots=True)
class Person:
    """One person's face through the clip."""

    number: int
    measures: Measures
    place: float
    """Middle of the face across the picture, 0 left to 1 right."""
    crops: tuple[Crop, ...] = ()
    """A few a second, in order of time."""

    @property
    def where(self) -> str:
        """Place in the picture in words: "on the left"."""
        if 0.4 <= self.place <= 0.6:
            return "in the middle"
        return "on the left" if self.place < 0.4 else "on the right"


@dataclass(frozen=True, slots=True)
class _Appearance:
    track: Track
    bones: Floats
    colours: Floats
    frontal: bool


def find_people(footage: Footage) -> tuple[Person, ...]:
    """The people of the clip, the one seen longest and largest first."""
    groups: list[list[_Appearance]] = []
    for track in sorted(footage.tracks, key=lambda t: (-len(t.times) * t.size, t.times[0])):
        one = _appearance(track)
        for group in groups:
            if _is_same(one, group):
                group.append(one)
                break
        else:
            groups.append([one])
    lasting = []
    for group in groups:
        times = [t for one in group for t in one.track.times]
        if len(times) >= LEAST_FRAMES and max(times) - min(times) >= LEAST_S * 0.75:
            lasting.append(group)
    return tuple(_person(n, g, footage.width) for n, g in enumerate(lasting, start=1))


def _appearance(track: Track) -> _Appearance:
    some = track.points[:: max(1, len(track.points) // 40)]
    heads = find_heads(some)
    return _Appearance(
        track=track,
        bones=np.median(straighten(some, heads.bones)[:, list(BONES)], axis=0),
        colours=np.asarray(np.median(np.array(track.colours), axis=0), np.float64),
        frontal=bool(np.median(np.abs(heads.yaw)) < 25),
    )


def _is_same(one: _Appearance, group: list[_Appearance]) -> bool:
    times = one.track.times
    spans = [other.track.times for other in group]
    if any(times[0] <= span[-1] and span[0] <= times[-1] for span in spans):
        return False
    return any(_continues(one.track, other.track) or _resembles(one, other) for other in group)


def _continues(a: Track, b: Track) -> bool:
    first, second = (a, b) if a.times[0] < b.times[0] else (b, a)
    end, start = outline(first.points[-1]), outline(second.points[0])
    size = max(end.side, 1.0)
    near = bool(np.hypot(*(end.mean - start.mean)) < 0.6 * size)
    soon = second.times[0] - first.times[-1] <= CLOSE_S
    return a.shot == b.shot and near and 0.6 < start.side / size < 1.6 and soon


def _resembles(a: _Appearance, b: _Appearance) -> bool:
    bones = float(np.linalg.norm(a.bones - b.bones, axis=1).mean())
    colours = float(np.abs(a.colours - b.colours).mean())
    # bones are measured less well on turned heads
    limit = SAME_BONES if a.frontal and b.frontal else 0.6 * SAME_BONES
    return bones < limit and colours < SAME_COLOURS


def _person(number: int, group: list[_Appearance], width: int) -> Person:
    tracks = sorted((one.track for one in group), key=lambda t: t.times[0])
    times = np.concatenate([t.times for t in tracks])
    points = [face for t in tracks for face in t.points]
    spread = np.concatenate([spread_at(np.array(t.times), t.spreads) for t in tracks])
    furrow = np.concatenate([t.furrows for t in tracks])
    measures = measure(times, points, spread, furrow)
    return Person(
        number=number,
        measures=measures,
        place=float(np.median(measures.centre[:, 0])) / width,
        crops=tuple(crop for t in tracks for crop in t.crops),
    )
