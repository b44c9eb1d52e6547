"""All that was read from one person's face: rest, events, eyes, head and mouth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from emer.tools.face.changes import changes
from emer.tools.face.events import Event
from emer.tools.face.eyes import Lids, Looks, watch_gaze, watch_lids
from emer.tools.face.head import HeadMove, Swing, find_moves, find_swings
from emer.tools.face.measures import Measures
from emer.tools.face.mouth import open_mouth, speaking
from emer.tools.face.people import Person
from emer.tools.face.rest import Rest, find_rest, smile_shaped
from emer.tools.face.series import Mask, Stretch
from emer.tools.face.shape_units import agreed, shape_events
from emer.tools.face.shapes import Scores
from emer.tools.face.units import find_events


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
