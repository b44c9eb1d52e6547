"""What a clip's faces gave, read once in a process: shared by all tools that look at faces."""

from __future__ import annotations

import threading
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Final

from emer.tools.clip import Clip
from emer.tools.face.landmarker import TOOL as LANDMARKER
from emer.tools.face.landmarker_networks import LandmarkerNetworks
from emer.tools.face.network import FaceNetworks, brings_networks
from emer.tools.face.people import find_people
from emer.tools.face.pictures import DARK
from emer.tools.face.portrait import Portrait, read_face
from emer.tools.face.tracks import SMALLEST_PX, Footage, follow
from emer.tools.kept import Kept
from emer.tools.weights.locate import AUTO, find

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


_READINGS: Kept[Reading] = Kept(REMEMBERED)
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
    `Abandoned` when the call is given up.
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
