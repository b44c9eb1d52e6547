"""Who is who: tracks joined into people, numbered by how much of them is seen.

A track ends at a cut or when the face is lost. Tracks of different times become one
person when the face sits where it sat, or when both the bones' proportions and the
colours around the face agree. Joining two people is worse than splitting one, so doubt
splits. Nobody is recognised: numbers hold for this clip alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from emer.tools.face.geometry import Measures, measure, spread_at
from emer.tools.face.head_pose import Floats, remove_pose
from emer.tools.face.tracker import Crop, Footage, Track

LEAST_FRAMES: Final = 5
LEAST_S: Final = 0.4
"""Tracks shorter than this are glimpses; they are joined to someone or left out."""
SAME_BONES: Final = 0.045
"""Largest mean distance in IOD between two bone shapes that may be one person's: the same
person differs by 0.01-0.03 between shots, two people by 0.03-0.10 (measured by us)."""
SAME_COLOURS: Final = 0.13
CLOSE_S: Final = 1.0
BONES: Final = (1, 4, 5, 6, 168, 197, 195, 33, 133, 362, 263, 234, 454, 10, 50, 280, 58, 288, 2)


@dataclass(frozen=True, slots=True)
class Person:
    """One person's face through the clip."""

    number: int
    measures: Measures
    shots: tuple[int, ...]
    place: float
    """Middle of the face across the picture, 0 left to 1 right."""
    seen_s: float
    crops: tuple[Crop, ...] = ()
    """The face in the picture, a few times a second, in order of time."""

    @property
    def where(self) -> str:
        """Where in the picture this person is, in words: "on the left"."""
        if 0.4 <= self.place <= 0.6:
            return "in the middle"
        return "on the left" if self.place < 0.4 else "on the right"


@dataclass(frozen=True, slots=True)
class _Shape:
    track: Track
    bones: Floats
    look: Floats
    frontal: bool


def find_people(footage: Footage) -> tuple[Person, ...]:
    """Return the people of the clip, the one seen longest and largest first."""
    groups: list[list[_Shape]] = []
    for track in sorted(footage.tracks, key=lambda t: (-len(t.times) * t.size, t.times[0])):
        shape = _shape_of(track)
        for group in groups:
            if _is_same(shape, group, footage):
                group.append(shape)
                break
        else:
            groups.append([shape])
    kept = [g for g in groups if _lasts(g)]
    return tuple(_person(n, g, footage) for n, g in enumerate(kept, start=1))


def _lasts(group: list[_Shape]) -> bool:
    """Tell whether enough was seen; a still or very short clip may hold fewer frames."""
    times = [t for shape in group for t in shape.track.times]
    return len(times) >= LEAST_FRAMES and max(times) - min(times) >= LEAST_S * 0.75


def _shape_of(track: Track) -> _Shape:
    step = max(1, len(track.points) // 40)
    posed = remove_pose(track.points[::step])
    look = np.median(np.array(track.looks), axis=0)
    return _Shape(
        track=track,
        bones=np.median(posed.points[:, list(BONES)], axis=0),
        look=np.asarray(look, np.float64),
        frontal=bool(np.median(np.abs(posed.heads.yaw)) < 25),
    )


def _is_same(shape: _Shape, group: list[_Shape], footage: Footage) -> bool:
    if any(_overlap(shape.track, other.track) for other in group):
        return False
    return any(
        _continues(shape.track, other.track) or _resembles(shape, other, footage) for other in group
    )


def _overlap(a: Track, b: Track) -> bool:
    return a.times[0] <= b.times[-1] and b.times[0] <= a.times[-1]


def _continues(a: Track, b: Track) -> bool:
    """Tell whether the later track starts where the earlier one was lost, in one shot."""
    first, second = (a, b) if a.times[0] < b.times[0] else (b, a)
    end, start = first.points[-1][:468, :2], second.points[0][:468, :2]
    size = max(float(np.ptp(end, axis=0).max()), 1.0)
    near = float(np.linalg.norm(end.mean(axis=0) - start.mean(axis=0))) < 0.6 * size
    alike = 0.6 < float(np.ptp(start, axis=0).max()) / size < 1.6
    soon = second.times[0] - first.times[-1] <= CLOSE_S
    return a.shot == b.shot and near and alike and soon


def _resembles(a: _Shape, b: _Shape, footage: Footage) -> bool:
    """Tell whether bones and colours agree; turned heads are held to colours and place."""
    del footage
    bones = float(np.linalg.norm(a.bones - b.bones, axis=1).mean())
    colours = float(np.abs(a.look - b.look).mean())
    limit = SAME_BONES if a.frontal and b.frontal else 0.6 * SAME_BONES
    return bones < limit and colours < SAME_COLOURS


def _person(number: int, group: list[_Shape], footage: Footage) -> Person:
    tracks = sorted((shape.track for shape in group), key=lambda t: t.times[0])
    times = np.concatenate([t.times for t in tracks])
    points = [face for t in tracks for face in t.points]
    spread = np.concatenate([spread_at(np.array(t.times), t.spreads) for t in tracks])
    furrow = np.concatenate([t.furrows for t in tracks])
    measures = measure(times, points, spread, furrow)
    width = max(footage.shape[1], 1)
    return Person(
        number=number,
        measures=measures,
        shots=tuple(sorted({t.shot for t in tracks})),
        place=float(np.median(measures.centre[:, 0])) / width,
        seen_s=float(sum(t.times[-1] - t.times[0] for t in tracks)),
        crops=tuple(crop for t in tracks for crop in t.crops),
    )
