"""Mesh points displaced by known amounts give those action units and no others."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from emer.tools.face.action_unit_sentences import unit_findings
from emer.tools.face.action_units import UNITS, letter
from emer.tools.face.analysis import FaceAnalysis, Person, analyse_face
from emer.tools.face.baseline import changes
from emer.tools.face.behaviours import is_silent, speaking
from emer.tools.face.geometry import EYE_OUTER, measure
from tests.fixtures import puppet
from tests.fixtures.puppet import Array

MOVES: dict[str, Callable[[Array, Array], Array]] = {
    "smile": puppet.smile,
    "corners_down": puppet.frown_mouth,
    "brow_raise": puppet.raise_brows,
    "inner_brow_raise": puppet.raise_inner_brows,
    "outer_brow_raise": puppet.raise_outer_brows,
    "frown": puppet.knit_brows,
    "drawn_up": puppet.draw_brows_up,
    "wide_eyes": puppet.widen_eyes,
    "pressed_lips": puppet.press_lips,
    "pucker": puppet.pucker,
    "chin_raise": puppet.push_chin_up,
    "stretched_lips": puppet.stretch_lips,
    "jaw_drop": puppet.lower_jaw_shut,
}


def read(pixels: Array, t: Array) -> FaceAnalysis:
    return analyse_face(Person(1, measure(t, pixels), 0.5))


@cache
def seen_from_the_front(name: str) -> FaceAnalysis:
    """The movement in a face that looks straight ahead, with little noise."""
    t = puppet.times()
    faces = MOVES[name](puppet.still(t, noise=0.0004), puppet.pulse(t))
    return read(puppet.in_pixels(faces), t)


def names(face: FaceAnalysis) -> set[str]:
    return {event.name for event in face.events}


def test_frames_measured_in_pieces_give_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    t = puppet.times()
    pixels = puppet.in_pixels(puppet.smile(puppet.still(t), puppet.pulse(t)), yaw=12.0)
    whole = measure(t, pixels)
    monkeypatch.setattr("emer.tools.face.head_pose.CHUNK", 7)
    pieces = measure(t, [*pixels])
    for field in dataclasses.fields(whole):
        of_whole, of_pieces = (getattr(m, field.name) for m in (whole, pieces))
        assert np.array_equal(of_whole, of_pieces, equal_nan=True), field.name


@pytest.mark.parametrize("name", MOVES)
def test_a_known_movement_gives_its_unit_and_no_other(name: str) -> None:
    t = puppet.times()
    face = read(puppet.in_pixels(MOVES[name](puppet.still(t), puppet.pulse(t))), t)
    assert names(face) == {name}
    (event,) = face.events
    assert event.onset == pytest.approx(1.5, abs=0.2)
    assert event.offset == pytest.approx(2.7, abs=0.2)
    assert 1.7 <= event.apex <= 2.5


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize(
    "pose",
    [
        {"yaw": 18.0},
        {"yaw": -18.0, "roll": 10.0},
        {"pitch": 12.0, "size": 45.0},
        {"size": 400.0, "at": (900.0, 80.0)},
    ],
)
def test_turn_size_and_place_change_nothing(name: str, pose: dict[str, float]) -> None:
    t = puppet.times()
    faces = MOVES[name](puppet.still(t, noise=0.0004), puppet.pulse(t))
    straight = seen_from_the_front(name)
    posed = read(puppet.in_pixels(faces, **pose), t)
    assert names(posed) == {name}
    assert [e.letter for e in posed.events] == [e.letter for e in straight.events]


def test_a_face_at_rest_shows_nothing() -> None:
    t = puppet.times(6)
    assert read(puppet.in_pixels(puppet.still(t)), t).events == ()


def test_a_moving_head_alone_shows_no_unit() -> None:
    t = puppet.times(6)
    yaw, pitch = 18 * np.sin(2 * np.pi * 0.4 * t), 10 * np.sin(2 * np.pi * 0.7 * t)
    face = read(puppet.in_pixels(puppet.still(t), yaw=yaw, pitch=pitch), t)
    assert face.events == ()


@pytest.mark.parametrize("side", ["right", "left"])
def test_one_corner_is_named_by_the_subjects_side(side: str) -> None:
    t = puppet.times()
    face = read(puppet.in_pixels(puppet.smirk(side)(puppet.still(t), puppet.pulse(t))), t)
    assert [(e.name, e.side) for e in face.events] == [("one_corner", side)]


@pytest.mark.parametrize("side", ["right", "left"])
def test_a_jaw_moved_aside_is_named_by_the_subjects_side(side: str) -> None:
    t = puppet.times()
    face = read(puppet.in_pixels(puppet.jaw_aside(side)(puppet.still(t), puppet.pulse(t))), t)
    assert [(e.name, e.side) for e in face.events] == [("jaw_aside", side)]


@pytest.mark.parametrize("yaw", [0.0, 16.0])
def test_a_corner_that_a_wink_pulls_up_is_part_of_the_wink(yaw: float) -> None:
    t, how = puppet.times(), puppet.pulse(puppet.times())
    winking = puppet.smirk("left")(puppet.close_eyes(puppet.still(t), how, ("left",)), how)
    face = read(puppet.in_pixels(winking, yaw=yaw), t)
    assert [side for side, _ in face.lids.winks] == ["left"]
    assert names(face) == set()


def test_a_corner_raised_while_the_other_eye_winks_is_told() -> None:
    t, how = puppet.times(), puppet.pulse(puppet.times())
    winking = puppet.smirk("left")(puppet.close_eyes(puppet.still(t), how, ("right",)), how)
    face = read(puppet.in_pixels(winking), t)
    assert [(e.name, e.side) for e in face.events] == [("one_corner", "left")]


def test_a_smile_with_a_wink_is_still_a_smile() -> None:
    t, how = puppet.times(), puppet.pulse(puppet.times())
    faces = puppet.smile(puppet.close_eyes(puppet.still(t), how, ("left",)), how)
    assert names(read(puppet.in_pixels(faces), t)) == {"smile"}


def test_a_wide_open_mouth_is_not_said_to_be_stretched() -> None:
    t, how = puppet.times(), puppet.pulse(puppet.times())
    faces = puppet.stretch_lips(puppet.open_mouth(puppet.still(t), 1.3 * how), how)
    assert "stretched_lips" not in names(read(puppet.in_pixels(faces), t))


def test_parted_lips_can_be_stretched() -> None:
    t, how = puppet.times(), puppet.pulse(puppet.times())
    faces = puppet.stretch_lips(puppet.open_mouth(puppet.still(t), 0.3 * how), how)
    assert "stretched_lips" in names(read(puppet.in_pixels(faces), t))


def test_what_shut_eyes_feign_is_no_movement_of_brows_or_mouth() -> None:
    """MediaPipe's mesh lets the outer eye corners sink when the lids close."""
    t, how = puppet.times(5), puppet.pulse(puppet.times(5), 1.5, 3.5)
    faces = puppet.close_eyes(puppet.still(t), how)
    faces = puppet.pull(faces, EYE_OUTER, (0, -0.025, 0), how)
    face = read(puppet.in_pixels(faces), t)
    assert names(face) == set()
    assert len(face.lids.closures) == 1
    shut = (t > 2) & (t < 3)
    moved = changes(face.measures, face.rest, face.speech)
    for name in ("brow_inner", "brow_outer", "corner_eye"):
        level = face.rest.levels[name]
        feigned = float((getattr(face.measures, name) - level)[shut].mean())
        assert abs(feigned) > 0.01
        assert abs(feigned) - abs(float(moved[name][shut].mean())) > 0.008


def test_a_long_mouth_with_an_open_jaw_has_no_corners_down() -> None:
    t = puppet.times()
    face = read(puppet.in_pixels(puppet.open_mouth(puppet.still(t), puppet.pulse(t))), t)
    assert names(face) == set()


@pytest.mark.parametrize("rate", [4.0, 5.0, 6.0])
def test_speech_does_not_smile_or_press_the_lips(rate: float) -> None:
    t = puppet.times(6)
    beat = (1 - np.cos(2 * np.pi * rate * t)) / 2
    faces = puppet.open_mouth(puppet.still(t), 0.4 * beat)
    wide = np.sin(2 * np.pi * rate * t + 1.0)
    faces = puppet.both(faces, puppet.CORNERS, 0.03, 0.02, wide)
    face = read(puppet.in_pixels(faces), t)
    assert face.events == ()
    assert face.speech.mean() > 0.9


def test_a_smile_held_while_speaking_is_still_a_smile() -> None:
    t = puppet.times(8)
    beat = (1 - np.cos(2 * np.pi * 5 * t)) / 2
    faces = puppet.open_mouth(puppet.still(t), 0.3 * beat)
    faces = puppet.smile(faces, 1.3 * puppet.pulse(t, 2.5, 6.0))
    assert names(read(puppet.in_pixels(faces), t)) == {"smile"}


def test_a_still_mouth_is_told_and_one_that_speaks_or_is_covered_is_not() -> None:
    t = puppet.times()
    still = read(puppet.in_pixels(puppet.still(t)), t).measures
    assert is_silent(still)
    assert is_silent(
        read(puppet.in_pixels(puppet.open_mouth(puppet.still(t), puppet.pulse(t))), t).measures
    )
    syllables = 0.5 - 0.5 * np.cos(2 * np.pi * 4 * t)
    talking = read(puppet.in_pixels(puppet.open_mouth(puppet.still(t), syllables)), t).measures
    assert not is_silent(talking)
    covered = dataclasses.replace(still, sure=np.zeros_like(still.sure))
    assert not is_silent(covered)


def test_a_single_opening_is_not_speech() -> None:
    t = puppet.times()
    faces = puppet.open_mouth(puppet.still(t), puppet.pulse(t))
    face = read(puppet.in_pixels(faces), t)
    assert not speaking(face.measures).any()
    assert len(face.mouth_open) == 1
    assert "smile" not in names(face)


def test_a_smile_throughout_has_no_baseline_and_is_still_told() -> None:
    t = puppet.times(5)
    faces = puppet.smile(puppet.still(t), np.full(len(t), 1.6))
    face = read(puppet.in_pixels(faces), t)
    assert face.rest.smiling_throughout
    sentences = [f.text for f in unit_findings(face, np.ones(len(t), dtype=bool))]
    assert any("smiles throughout" in s and "baseline unavailable" in s for s in sentences)
    assert any("average face" in s for s in sentences)


def test_a_mostly_smiling_clip_finds_its_rest_in_the_remainder() -> None:
    t = puppet.times(5)
    faces = puppet.smile(puppet.still(t), 1.6 * puppet.pulse(t, 1.2, 9.0))
    face = read(puppet.in_pixels(faces), t)
    assert not face.rest.smiling_throughout
    (event,) = [e for e in face.events if e.name == "smile"]
    assert event.onset == pytest.approx(1.2, abs=0.2)


@pytest.mark.parametrize("eyes, words", [(0.35, "and the eyes narrowing"),
                                         (0.0, "without the eyes taking part")])  # fmt: skip
def test_a_smile_tells_whether_the_eyes_take_part(eyes: float, words: str) -> None:
    t = puppet.times()
    faces = puppet.close_eyes(puppet.still(t), eyes * puppet.pulse(t))
    face = read(puppet.in_pixels(puppet.smile(faces, puppet.pulse(t))), t)
    (sentence,) = [f.text for f in unit_findings(face, np.ones(len(t), dtype=bool))]
    assert "smiles" in sentence
    assert words in sentence


def test_a_grimace_with_knit_brows_is_not_called_a_smile() -> None:
    t = puppet.times()
    faces = puppet.draw_brows_up(puppet.still(t), puppet.pulse(t))
    face = read(puppet.in_pixels(puppet.smile(faces, puppet.pulse(t))), t)
    sentences = [f.text for f in unit_findings(face, np.ones(len(t), dtype=bool))]
    assert any("pulls the corners of the mouth back" in s for s in sentences)
    assert not any("smiles" in s for s in sentences)


def test_a_clip_below_one_second_claims_nothing_relative_to_rest() -> None:
    t = puppet.times(0.6)
    faces = puppet.raise_brows(puppet.still(t), puppet.pulse(t, 0.2, 0.5, 0.1))
    face = read(puppet.in_pixels(faces), t)
    assert face.rest.too_short
    assert face.events == ()


def test_a_larger_movement_never_gets_a_lower_letter() -> None:
    for unit in UNITS:
        graded = [letter(unit.full * share, unit) for share in np.linspace(0, 1.5, 40)]
        assert graded == sorted(graded)
        assert (graded[0], graded[-1]) == ("A", "E")


def test_twice_the_smile_gives_a_higher_letter() -> None:
    t = puppet.times()
    found = []
    for amount in (0.7, 2.0):
        faces = puppet.smile(puppet.still(t), amount * puppet.pulse(t))
        (event,) = read(puppet.in_pixels(faces), t).events
        found.append(event)
    assert found[0].letter < found[1].letter
    assert found[0].peak < found[1].peak
