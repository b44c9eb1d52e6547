"""A landmark that sits a little elsewhere, as on another processor, changes no finding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emer.app.demo_clip import CLIP
from emer.tools.face.action_units import Event
from emer.tools.face.analysis import FaceAnalysis, Person, analyse_face, find_people
from emer.tools.face.geometry import measure
from emer.tools.face.tracker import Footage, follow
from emer.tools.media.clip import Clip
from tests.fixtures import puppet
from tests.fixtures.demo.script import SCRIPT
from tests.fixtures.puppet import Array
from tests.tools.face.test_action_units import MOVES

pytestmark = pytest.mark.slow

SEEDS = range(4)
CLEAR = 1.5
"""How far above its threshold an event must be to be expected again (see `Event.margin`)."""
LASTING_S = 0.6


def read(pixels: Array, t: Array) -> FaceAnalysis:
    return analyse_face(Person(1, measure(t, pixels), 0.5))


def elsewhere(footage: Footage, seed: int) -> Footage:
    """Return the footage with its landmarks shaken (0.4 % of the eye distance, 0.3 % slowly)."""
    tracks = []
    for track in footage.tracks:
        points = np.array(track.points, np.float64)
        iod = np.median(np.linalg.norm(points[:, 33] - points[:, 263], axis=1))
        shaken = iod * puppet.shaken(points / iod, seed)
        tracks.append(replace(track, points=list(shaken.astype(np.float32))))
    return replace(footage, tracks=tuple(tracks))


def followed(path: Path) -> Footage:
    return follow(Clip.open(path).frames(), puppet.networks(), 1280)


def first(footage: Footage) -> FaceAnalysis:
    return analyse_face(find_people(footage)[0])


def again(event: Event, events: tuple[Event, ...]) -> Event | None:
    """Return the event of the same name that shares most of its time with this one."""

    def shared(other: Event) -> float:
        return min(other.offset, event.offset) - max(other.onset, event.onset)

    same = [e for e in events if (e.name, e.side) == (event.name, event.side) and shared(e) > 0]
    return max(same, key=shared, default=None)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", MOVES)
def test_a_shaken_mesh_shows_the_same_movement(name: str, seed: int) -> None:
    t = puppet.times()
    faces = MOVES[name](puppet.still(t), puppet.pulse(t, 1.5, 2.9))
    (plain,) = read(puppet.in_pixels(faces), t).events
    found = read(puppet.in_pixels(puppet.shaken(faces, seed)), t).events
    match = again(plain, found)
    assert match is not None
    assert abs(ord(match.letter) - ord(plain.letter)) <= 1
    assert match.onset == pytest.approx(1.5, abs=0.15)
    assert match.offset == pytest.approx(2.9, abs=0.15)
    assert all(e.margin < CLEAR for e in found if e is not match)


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.36, 0.40, 0.45, 0.5, 0.6])
def test_a_brow_that_rises_unevenly_starts_when_it_starts(share: float) -> None:
    """Near the border between whole and half brow the name may change, never the time."""
    t = puppet.times()
    how = puppet.pulse(t, 1.5, 2.9, 0.3)
    faces = puppet.raise_outer_brows(puppet.still(t), how)
    faces = puppet.raise_inner_brows(faces, share * how)
    for seed in SEEDS:
        (event,) = read(puppet.in_pixels(puppet.shaken(faces, seed)), t).events
        assert event.name in ("brow_raise", "outer_brow_raise")
        assert event.onset == pytest.approx(1.55, abs=0.12)
        assert event.offset == pytest.approx(2.85, abs=0.12)


@pytest.fixture(scope="module")
def demo() -> Footage:
    return followed(Path(str(CLIP)))


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_the_demo_keeps_its_script_on_a_shaken_mesh(demo: Footage, seed: int) -> None:
    face = first(elsewhere(demo, seed))
    clear = [e for e in face.events if e.margin >= CLEAR]
    assert [e.name for e in clear] == ["brow_raise", "smile"]
    scripted = [a for a in SCRIPT if a.name in ("brows up", "smile")]
    for event, action in zip(clear, scripted, strict=True):
        start, end = action.visible()
        assert event.onset == pytest.approx(start, abs=0.15)
        assert event.offset == pytest.approx(end, abs=0.15)
    assert len(face.lids.blinks) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["talking/WDA_KatieHill_000.mp4", "faces/liveportrait_d3.mp4", "faces/single_face.mp4"],
)
def test_real_faces_keep_their_clear_events(name: str, shared_clip: Callable[[str], Path]) -> None:
    footage = followed(shared_clip(name))
    clear = [
        e for e in first(footage).events if e.margin >= CLEAR and e.offset - e.onset >= LASTING_S
    ]
    assert clear
    near = []
    for seed in SEEDS:
        found = first(elsewhere(footage, seed)).events
        for event in clear:
            match = again(event, found)
            assert match is not None, event
            assert abs(ord(match.letter) - ord(event.letter)) <= 1
            near.append(abs(match.onset - event.onset) <= 0.1)
            near.append(abs(match.offset - event.offset) <= 0.1)
    assert np.mean(near) >= 0.85
