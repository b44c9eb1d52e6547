"""Blinks, closures, winks, gaze and head movements with known answers."""

from __future__ import annotations

import numpy as np
import pytest

from emer.tools.face.analysis import FaceAnalysis, Person, analyse_face
from emer.tools.face.geometry import IRIS, measure
from tests.fixtures import puppet
from tests.fixtures.puppet import Array


def read(faces: Array, t: Array, **pose: object) -> FaceAnalysis:
    pixels = puppet.in_pixels(faces, **pose)  # type: ignore[arg-type]
    return analyse_face(Person(1, measure(t, pixels), 0.5))


def blinking(t: Array, at: tuple[float, ...], lasting: float = 0.16) -> Array:
    closed = [np.clip(1.6 - np.abs(t - a) / (lasting / 2), 0, 1) for a in at]
    return np.asarray(np.max(closed, axis=0))


def move_irises(faces: Array, across: float, up: float, how: Array) -> Array:
    for iris in IRIS:
        faces = puppet.pull(faces, range(iris, iris + 5), (across, up, 0), how)
    return faces


def test_a_train_of_blinks_is_counted() -> None:
    t = puppet.times(8)
    at = (0.9, 2.0, 2.8, 4.4, 6.0, 7.1)
    face = read(puppet.close_eyes(puppet.still(t), blinking(t, at)), t)
    middles = [t[(b.first + b.last) // 2] for b in face.lids.blinks]
    assert middles == pytest.approx(at, abs=0.08)
    assert face.lids.closures == []
    assert face.events == ()


def test_a_long_closure_is_not_a_blink() -> None:
    t = puppet.times(5)
    face = read(puppet.close_eyes(puppet.still(t), puppet.pulse(t, 2.0, 3.2, 0.1)), t)
    assert face.lids.blinks == []
    (closure,) = face.lids.closures
    assert t[closure.first] == pytest.approx(2.1, abs=0.1)
    assert t[closure.last] == pytest.approx(3.1, abs=0.1)


@pytest.mark.parametrize("side", ["right", "left"])
def test_a_wink_is_named_by_the_subjects_side(side: str) -> None:
    t = puppet.times()
    faces = puppet.close_eyes(puppet.still(t), puppet.pulse(t, 2.0, 2.6, 0.08), (side,))
    face = read(faces, t)
    assert [name for name, _ in face.lids.winks] == [side]
    assert face.lids.blinks == []


def test_narrowed_eyes_are_told_from_closed_ones() -> None:
    t = puppet.times(6)
    face = read(puppet.close_eyes(puppet.still(t), 0.38 * puppet.pulse(t, 2, 4)), t)
    assert len(face.lids.narrowings) == 1
    assert face.lids.closures == []


def test_a_nod_is_no_shake_and_a_shake_no_nod() -> None:
    t = puppet.times(5)
    swing = 6 * np.sin(2 * np.pi * 1.5 * t) * puppet.pulse(t, 1.5, 3.5, 0.1)
    nod = read(puppet.still(t), t, pitch=swing)
    shake = read(puppet.still(t), t, yaw=swing)
    assert {s.name for s in nod.swings} == {"nods"}
    assert {s.name for s in shake.swings} == {"shakes the head"}


def test_turning_to_someone_and_back_is_no_shake() -> None:
    t = puppet.times(6)
    face = read(puppet.still(t), t, yaw=30 * puppet.pulse(t, 2, 4, 0.3))
    assert face.swings == ()
    assert [m.name for m in face.moves] == ["turns the head away to the left"]


@pytest.mark.parametrize(
    "pose, name",
    [
        ({"pitch": -16}, "lowers the head"),
        ({"pitch": 16}, "raises the head"),
        ({"roll": 18}, "tilts the head to the right"),
        ({"roll": -18}, "tilts the head to the left"),
        ({"yaw": -32}, "turns the head away to the right"),
    ],
)
def test_held_positions_of_the_head(pose: dict[str, float], name: str) -> None:
    t = puppet.times(6)
    (axis, degrees), = pose.items()  # fmt: skip
    face = read(puppet.still(t), t, **{axis: degrees * puppet.pulse(t, 2, 4)})
    assert [m.name for m in face.moves] == [name]


@pytest.mark.parametrize("across, way", [(0.05, "left"), (-0.05, "right")])
def test_looking_aside_is_named_by_the_subjects_side(across: float, way: str) -> None:
    t = puppet.times(5)
    face = read(move_irises(puppet.still(t), across, 0, puppet.pulse(t, 2, 3.5, 0.1)), t)
    looks = {w for w, runs in face.gaze.away.items() if runs}
    assert looks == {way}


def test_looking_down_needs_iris_and_lids() -> None:
    t = puppet.times(5)
    how = puppet.pulse(t, 2, 3.5, 0.1)
    lowered = move_irises(puppet.close_eyes(puppet.still(t), 0.45 * how), 0, -0.04, how)
    assert read(lowered, t).gaze.away["down"]
    assert not read(puppet.close_eyes(puppet.still(t), 0.45 * how), t).gaze.away["down"]


def test_a_face_towards_the_camera_looks_at_it() -> None:
    t = puppet.times()
    assert read(puppet.still(t), t).gaze.camera.mean() > 0.95
    assert read(puppet.still(t), t, yaw=32).gaze.camera.mean() < 0.05
