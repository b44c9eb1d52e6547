"""All that a clip shows of its people's faces, measured once for all face tools.

The tracks of different times become one person when the face is where it was, or when both the
bones' proportions and the colours around the face agree. Joining two people is worse than
splitting one, so doubt splits. There is no identification: numbers hold for this clip alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emer.tools.face import behaviours
from emer.tools.face.action_units import UNITS, Event, find_events
from emer.tools.face.baseline import Rest, changes, find_rest, smile_shaped
from emer.tools.face.blendshape_units import Scores, merge_events, shape_events
from emer.tools.face.detector import TOOL as LANDMARKER
from emer.tools.face.detector import FaceNetworks, LandmarkerNetworks, brings_networks, outline
from emer.tools.face.geometry import Measures, measure, spread_at
from emer.tools.face.head_pose import find_heads, straighten
from emer.tools.face.tracker import DARK, SMALLEST_PX, Crop, Footage, Track, follow
from emer.tools.media.clip import Clip
from emer.tools.runtime.memo import Memo
from emer.tools.timeseries import Floats, Mask, Stretch, mask_of
from emer.tools.types import FACE_BOX
from emer.tools.weights.locate import AUTO, find

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
        known = next((group for group in groups if _is_same(one, group)), None)
        if known is None:
            groups.append([one])
        else:
            known.append(one)
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


VERSION: Final = "2"
"""Of following faces and joining people: changes with their results."""
MAX_SIDE: Final = 1280
"""Longer side in pixels to which pictures are limited."""
REMEMBERED: Final = 2
"""Clips whose analysis stays in memory, for spans and for the other tools."""
GIVES_WAY: Final = {
    "inner_brow_raise": ("brow_raise", "drawn_up"),
    "outer_brow_raise": ("brow_raise",),
    "frown": ("drawn_up",),
    "stretched_lips": ("smile",),
    "one_corner": ("smile",),
    "smile": ("one_corner",),
    "cheek_raise": ("smile",),
    "lid_tighten": ("smile",),
    "dimple": ("smile", "one_corner"),
    "upper_lip_raise": ("smile", "nose_wrinkle"),
    "lower_lip_down": ("smile", "stretched_lips"),
    "funnel": ("pucker",),
    "lips_rolled": ("pressed_lips",),
}
"""Of two names of the same movement, the left one is dropped when a stronger or
equal one on the right takes up more than half of its time."""


@dataclass(frozen=True, slots=True)
class FaceAnalysis:
    """One person's face through the clip: rest, events, eyes, head and mouth."""

    person: Person
    rest: Rest
    speech: Mask
    events: tuple[Event, ...]
    lids: behaviours.Lids
    gaze: behaviours.Gaze
    swings: tuple[behaviours.HeadMove, ...]
    moves: tuple[behaviours.HeadMove, ...]
    mouth_open: tuple[Stretch, ...]

    @property
    def measures(self) -> Measures:
        """The person's measures."""
        return self.person.measures


def analyse_face(person: Person, scores: Scores | None = None) -> FaceAnalysis:
    """Analyse a person's measures, and blendshape scores at the same times if any."""
    measures = person.measures
    rest, speech = find_rest(measures), behaviours.speaking(measures)
    moved = changes(measures, rest, speech)
    events = find_events(UNITS, measures, moved)
    if scores:
        events = merge_events(events, shape_events(scores, measures, moved))
    if rest.too_short:
        shaped = smile_shaped(measures)
        events = [e for e in events if e.name == "smile" and shaped[e.frames.part].mean() > 0.5]
    events = [e for e in events if not any(_explains(other, e) for other in events)]
    events = [*_without_grimaces(events, len(measures))]
    smiles = mask_of((e.frames for e in events if e.name == "smile"), len(measures))
    lids = behaviours.find_lids(measures, rest, smiles)
    return FaceAnalysis(
        person=person,
        rest=rest,
        speech=speech,
        events=tuple(events),
        lids=lids,
        gaze=behaviours.find_gaze(measures, rest, lids.blinks + lids.closures),
        swings=tuple(behaviours.find_swings(measures)),
        moves=tuple(behaviours.find_moves(measures)),
        mouth_open=tuple(behaviours.open_mouth(measures, speech)),
    )


def _explains(other: Event, event: Event) -> bool:
    if other.name not in GIVES_WAY.get(event.name, ()):
        return False
    rivals = {event.name, other.name} == {"smile", "one_corner"}
    if rivals and (other.letter, other.z) <= (event.letter, event.z):
        return False
    shared = min(other.offset, event.offset) - max(other.onset, event.onset)
    return shared > 0.5 * max(event.offset - event.onset, 1e-6)


def _without_grimaces(events: Sequence[Event], frames: int) -> Iterator[Event]:
    """The events, a smile renamed where the brows are drawn together, as in crying."""
    brows = ("drawn_up", "inner_brow_raise", "frown")
    drawn = mask_of((e.frames for e in events if e.name in brows and e.letter >= "C"), frames)
    for e in events:
        grimace = e.name == "smile" and drawn[e.frames.part].mean() > 0.2
        yield replace(e, name="pulled_corners") if grimace else e


@dataclass(frozen=True, slots=True)
class ClipAnalysis:
    """The faces of a whole clip, and what was measured of its pictures."""

    faces: tuple[FaceAnalysis, ...]
    footage: Footage
    """Without the tracks."""


_ANALYSES: Memo[ClipAnalysis] = Memo(REMEMBERED)
_IDLE: list[FaceNetworks] = []
"""Networks that no thread uses now; appending and popping are atomic."""


def tracks(landmarker: str = AUTO) -> str:
    """What follows the faces here, for the source of clues that rest on it.

    `ToolMissing` where nothing can: mediapipe 1.x without a landmarker's file.
    """
    if brings_networks():
        return f"mesh {VERSION}"
    return f"landmarker {VERSION} {find(LANDMARKER, landmarker).fingerprint}"


def read(clip: Clip, max_side: int = MAX_SIDE, landmarker: str = AUTO) -> ClipAnalysis:
    """The clip's analysis, made once in a process; concurrent callers wait for it.

    `landmarker` names the file that follows the faces where mediapipe brings no networks.
    `Unobservable` for a clip without a picture, `ToolMissing` without anything to follow with,
    `Cancelled` when the call is given up.
    """
    key = (clip.sha256, max_side, tracks(landmarker))
    return _ANALYSES.get(key, partial(_analyse, clip, max_side, landmarker), clip.is_complete)


def _analyse(clip: Clip, max_side: int, landmarker: str) -> ClipAnalysis:
    if brings_networks():
        try:
            networks = _IDLE.pop()
        except IndexError:
            networks = FaceNetworks()
        footage = follow(clip.frames(), networks, max_side)
        _IDLE.append(networks)
    else:
        with closing(LandmarkerNetworks(find(LANDMARKER, landmarker))) as of_file:
            footage = follow(clip.frames(), of_file, max_side)
    faces = tuple(analyse_face(person) for person in find_people(footage))
    return ClipAnalysis(faces, replace(footage, tracks=()))


def face_box(person: Person, part: slice | NDArray[np.intp], footage: Footage) -> dict[str, float]:
    """Where the face is in these frames, as the factors of `FACE_BOX`."""
    m = person.measures
    pixels = (*np.median(m.centre[part], axis=0), np.median(m.size[part]))
    return {n: round(float(v) / footage.height, 3) for n, v in zip(FACE_BOX, pixels, strict=True)}


def why_none(footage: Footage) -> str:
    """Why no face could be measured, as far as it is known."""
    if not footage.frames:
        return "the clip holds no picture that can be decoded"
    why = f"no face was found in the {footage.frames} frames looked at"
    if footage.detections:
        seen = f"smaller than {SMALLEST_PX} pixels, or seen too briefly"
        why = f"no face could be followed in the {footage.frames} frames looked at ({seen})"
    if footage.brightness < DARK / 2:
        why += f"; the picture is dark (mean brightness {footage.brightness:.0f} of 255)"
    return why
