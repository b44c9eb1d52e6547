"""What a clip's faces gave, read once in a process: shared by all tools that look at faces."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, NamedTuple

from emer.tools.call import holding
from emer.tools.clip import Clip
from emer.tools.face.network import FaceNetworks
from emer.tools.face.people import find_people
from emer.tools.face.pictures import DARK
from emer.tools.face.portrait import Portrait, read_face
from emer.tools.face.tracks import SMALLEST_PX, Footage, follow

TRACKS: Final = "2"
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


class _Key(NamedTuple):
    sha256: str
    max_side: int


_LOCK = threading.Lock()
_IDLE: list[FaceNetworks] = []
_KEPT: OrderedDict[_Key, Reading] = OrderedDict()
_AT_WORK: dict[_Key, threading.Lock] = {}


def read(clip: Clip, max_side: int = MAX_SIDE) -> Reading:
    """Return the clip's reading; who asks while another reads the same clip waits for that.

    `Unobservable` for a clip without a picture, `ToolMissing` without mediapipe, `Abandoned`
    when the call is given up.
    """
    key = _Key(clip.sha256, max_side)
    with _LOCK:
        lock = _AT_WORK.setdefault(key, threading.Lock())
    with holding(lock):
        with _LOCK:
            known = _KEPT.get(key)
        return known or _read_now(clip, key)


def _read_now(clip: Clip, key: _Key) -> Reading:
    with _LOCK:
        networks = _IDLE.pop() if _IDLE else None
    networks = networks or FaceNetworks()
    reading = _reading(follow(clip.frames(), networks, key.max_side))
    with _LOCK:
        _IDLE.append(networks)
        _KEPT[key] = reading
        while len(_KEPT) > REMEMBERED:
            gone, _ = _KEPT.popitem(last=False)
            _AT_WORK.pop(gone, None)
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
