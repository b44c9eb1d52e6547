"""All that a clip shows of its faces, measured once and shared by the face tools."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from emer.tools.face import behaviours
from emer.tools.face.action_units import UNITS, Event, find_events
from emer.tools.face.baseline import Rest, changes, find_rest, smile_shaped
from emer.tools.face.blendshape_units import Scores, merge_events, shape_events
from emer.tools.face.detector import TOOL as LANDMARKER
from emer.tools.face.detector import FaceNetworks, LandmarkerNetworks, brings_networks
from emer.tools.face.geometry import Measures
from emer.tools.face.people import Person, find_people
from emer.tools.face.tracker import DARK, SMALLEST_PX, Footage, follow
from emer.tools.media.clip import Clip
from emer.tools.runtime.memo import Memo
from emer.tools.timeseries import Mask, Stretch, mask_of
from emer.tools.weights.locate import AUTO, find

VERSION: Final = "2"
"""Of following faces and joining people: changes with their results."""
MAX_SIDE: Final = 1280
"""Longer side in pixels to which pictures are limited."""
REMEMBERED: Final = 2
"""Clips whose analysis stays in memory, for spans and for the other tools of a
run."""
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
    return _ANALYSES.get(key, partial(_analyse, clip, max_side, landmarker))


def _analyse(clip: Clip, max_side: int, landmarker: str) -> ClipAnalysis:
    if not brings_networks():
        with closing(LandmarkerNetworks(find(LANDMARKER, landmarker))) as file_networks:
            return _analysis(follow(clip.frames(), file_networks, max_side))
    try:
        networks = _IDLE.pop()
    except IndexError:
        networks = FaceNetworks()
    analysis = _analysis(follow(clip.frames(), networks, max_side))
    _IDLE.append(networks)
    return analysis


def _analysis(footage: Footage) -> ClipAnalysis:
    faces = tuple(analyse_face(person) for person in find_people(footage))
    return ClipAnalysis(faces, replace(footage, tracks=()))


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
