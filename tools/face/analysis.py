"""All that a clip gives about its faces, once.

All that was read from one person's face: rest, events, eyes, head and mouth.

What a clip's faces gave, read once in a process: shared by all tools that look at faces.
"""

from __future__ import annotations

import threading
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np

from emer.tools.face.action_units import Event, find_events
from emer.tools.face.baseline import Rest, changes, find_rest, smile_shaped
from emer.tools.face.behaviours import (
    HeadMove,
    Lids,
    Looks,
    Swing,
    find_moves,
    find_swings,
    open_mouth,
    speaking,
    watch_gaze,
    watch_lids,
)
from emer.tools.face.blendshape_units import Scores, agreed, shape_events
from emer.tools.face.detector import TOOL as LANDMARKER
from emer.tools.face.detector import FaceNetworks, LandmarkerNetworks, brings_networks
from emer.tools.face.geometry import Measures
from emer.tools.face.people import Person, find_people
from emer.tools.face.tracker import DARK, SMALLEST_PX, Footage, follow
from emer.tools.media.clip import Clip
from emer.tools.runtime.memo import Memo
from emer.tools.timeseries import Mask, Stretch
from emer.tools.weights.locate import AUTO, find


@dataclass(frozen=True, slots=True)
class Portrait:
    """One person's face through the clip, read."""

    person: Person
    rest: Rest
    speech: Mask
    events: tuple[Event, ...]
    lids: Lids
    looks: Looks
    swings: tuple[Swing, ...]
    moves: tuple[HeadMove, ...]
    mouth_open: tuple[Stretch, ...]

    @property
    def measures(self) -> Measures:
        """The person's measures."""
        return self.person.measures


def read_face(person: Person, scores: Scores | None = None) -> Portrait:
    """Read one person's measures, and the blendshapes at the same times where there are any."""
    measures = person.measures
    rest = find_rest(measures)
    speech = speaking(measures)
    moved = changes(measures, rest, speech)
    events = find_events(measures, moved, speech)
    if scores:
        events = agreed(events, shape_events(scores, moved, measures, speech))
    if rest.too_short:
        drawn = smile_shaped(measures)
        events = [e for e in events if e.name == "smile" and _most(drawn, e.frames)]
    events = _grimaces(_told_apart(events), len(measures))
    smiling = np.zeros(len(measures), dtype=bool)
    for event in events:
        if event.name == "smile":
            smiling[event.frames.first : event.frames.last + 1] = True
    lids = watch_lids(measures, rest, smiling)
    return Portrait(
        person=person,
        rest=rest,
        speech=speech,
        events=tuple(events),
        lids=lids,
        looks=watch_gaze(measures, rest, lids.blinks + lids.closures),
        swings=tuple(find_swings(measures)),
        moves=tuple(find_moves(measures)),
        mouth_open=tuple(open_mouth(measures, speech)),
    )


def _most(mask: Mask, frames: Stretch) -> bool:
    return bool(mask[frames.first : frames.last + 1].mean() > 0.5)


_GIVES_WAY = {
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
"""Of two readings of the same movement, the left one is dropped when a stronger or equal
one on the right takes up more than half of its time."""


def _told_apart(events: list[Event]) -> list[Event]:
    return [e for e in events if not any(_explains(other, e) for other in events)]


def _grimaces(events: list[Event], frames: int) -> list[Event]:
    """Take the smile out of the name where the brows are drawn together, as in crying."""
    drawn = np.zeros(frames, dtype=bool)
    for event in events:
        if event.name in ("drawn_up", "inner_brow_raise", "frown") and event.letter >= "C":
            drawn[event.frames.first : event.frames.last + 1] = True
    return [
        replace(e, name="pulled_corners")
        if e.name == "smile" and drawn[e.frames.first : e.frames.last + 1].mean() > 0.2
        else e
        for e in events
    ]


def _explains(other: Event, event: Event) -> bool:
    if other.name not in _GIVES_WAY.get(event.name, ()):
        return False
    rivals = {event.name, other.name} == {"smile", "one_corner"}
    if rivals and (other.letter, other.z) <= (event.letter, event.z):
        return False
    shared = min(other.offset, event.offset) - max(other.onset, event.onset)
    return shared > 0.5 * max(event.offset - event.onset, 1e-6)


VERSION: Final = "2"
"""How faces are followed and people told apart: changes with what that gives."""
MAX_SIDE: Final = 1280
"""Longer side in pixels to which pictures are limited."""
REMEMBERED: Final = 2
"""Clips whose reading is kept: for closer looks, and for the other tools of a run."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a whole clip gave."""

    portraits: tuple[Portrait, ...]
    frames: int
    frame_times: tuple[float, ...]
    brightness: float
    detections: int


_READINGS: Memo[Reading] = Memo(REMEMBERED)
_LOCK = threading.Lock()
_IDLE: list[FaceNetworks] = []


def tracks(landmarker: str = AUTO) -> str:
    """Return what follows the faces here, for the source of clues that rest on it.

    `ToolMissing` where nothing can: mediapipe 1.x without a landmarker's file.
    """
    if brings_networks():
        return f"mesh {VERSION}"
    return f"landmarker {VERSION} {find(LANDMARKER, landmarker).fingerprint}"


def read(clip: Clip, max_side: int = MAX_SIDE, landmarker: str = AUTO) -> Reading:
    """Return the clip's reading; who asks while another reads the same clip waits for that.

    `landmarker` names the file that follows the faces where mediapipe brings no networks.
    `Unobservable` for a clip without a picture, `ToolMissing` without anything to follow with,
    `Cancelled` when the call is given up.
    """
    how = tracks(landmarker)
    now = partial(_read_now, clip, max_side, landmarker)
    return _READINGS.get((clip.sha256, max_side, how), now)


def _read_now(clip: Clip, max_side: int, landmarker: str) -> Reading:
    if not brings_networks():
        with closing(LandmarkerNetworks(find(LANDMARKER, landmarker))) as followed:
            return _reading(follow(clip.frames(), followed, max_side))
    with _LOCK:
        networks = _IDLE.pop() if _IDLE else None
    networks = networks or FaceNetworks()
    reading = _reading(follow(clip.frames(), networks, max_side))
    with _LOCK:
        _IDLE.append(networks)
    return reading


def _reading(footage: Footage) -> Reading:
    portraits = tuple(read_face(person) for person in find_people(footage))
    return Reading(
        portraits=portraits,
        frames=len(footage.times),
        frame_times=tuple(footage.times.tolist()),
        brightness=footage.brightness,
        detections=footage.detections,
    )


def why_none(reading: Reading) -> str:
    """Return why no face could be measured, as far as it is known."""
    if not reading.frames:
        return "the clip holds no picture that can be decoded"
    why = f"no face was found in the {reading.frames} frames looked at"
    if reading.detections:
        seen = f"smaller than {SMALLEST_PX} pixels, or seen too briefly"
        why = f"no face could be followed in the {reading.frames} frames looked at ({seen})"
    if reading.brightness < DARK / 2:
        why += f"; the picture is dark (mean brightness {reading.brightness:.0f} of 255)"
    return why
