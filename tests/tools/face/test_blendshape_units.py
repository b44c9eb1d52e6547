"""Blendshape scores as signals and events, on written series."""

from __future__ import annotations

import csv
from collections.abc import Mapping

import numpy as np
import pytest

from emer.agents.lexicon.cue_parser import mentions_in
from emer.tools.face.action_unit_sentences import WORDS
from emer.tools.face.action_units import UNITS
from emer.tools.face.analysis import FaceAnalysis, Person, analyse_face
from emer.tools.face.blendshape_units import (
    FILE,
    agreed,
    mirrored,
    score_changes,
    scores_at,
    shape_units,
)
from emer.tools.face.geometry import measure
from emer.tools.face.sentences import findings_of
from tests.fixtures import puppet
from tests.fixtures.checkpoints.landmarker import NAMES

T = puppet.times(5.0)
HOW = puppet.pulse(T, 2.0, 3.2)


def read(faces: np.ndarray, scores: Mapping[str, np.ndarray], yaw: float = 0.0) -> FaceAnalysis:
    """Read a face with the given rises; every other shape is at rest."""
    shake = np.random.default_rng(3).normal(0, 0.01, (len(T), len(NAMES)))
    rows = [
        {name: float(scores.get(name, np.zeros(len(T)))[n] + abs(shake[n, k]) + 0.05)
         for k, name in enumerate(NAMES)}
        for n in range(len(T))
    ]  # fmt: skip
    pixels = puppet.in_pixels(faces, yaw=yaw)
    person = Person(1, measure(T, pixels), 0.5)
    return analyse_face(
        person, scores_at(person.measures.times, [*zip(T.tolist(), rows, strict=True)])
    )


def both(name: str, amount: float = 0.6) -> dict[str, np.ndarray]:
    return {f"{name}Left": amount * HOW, f"{name}Right": amount * HOW}


CASES = {
    "nose_wrinkle": both("noseSneer"),
    "upper_lip_raise": both("mouthUpperUp"),
    "cheek_raise": both("cheekSquint"),
    "dimple": both("mouthDimple"),
    "lower_lip_down": both("mouthLowerDown"),
    "corners_down": both("mouthFrown"),
    "frown": both("browDown"),
    "wide_eyes": both("eyeWide"),
    "outer_brow_raise": both("browOuterUp"),
    "inner_brow_raise": {"browInnerUp": 0.6 * HOW},
    "brow_raise": {"browInnerUp": 0.6 * HOW, **both("browOuterUp")},
    "drawn_up": {"browInnerUp": 0.6 * HOW, **both("browDown")},
    "smile": both("mouthSmile"),
    "pressed_lips": both("mouthPress"),
    "stretched_lips": both("mouthStretch"),
    "chin_raise": {"mouthShrugLower": 0.6 * HOW},
    "funnel": {"mouthFunnel": 0.6 * HOW},
    "lips_rolled": {"mouthRollLower": 0.6 * HOW, "mouthRollUpper": 0.6 * HOW},
    "jaw_forward": {"jawForward": 0.6 * HOW},
    "jaw_aside": {"jawLeft": 0.6 * HOW},
    "cheek_puff": {"cheekPuff": 0.6 * HOW},
    "one_corner": {"mouthSmileRight": 0.6 * HOW},
}


SUPPORT = {
    "inner_brow_raise": puppet.raise_brows,
    "brow_raise": puppet.raise_brows,
    "outer_brow_raise": puppet.raise_brows,
    "drawn_up": puppet.raise_brows,
    "frown": puppet.knit_brows,
}
"""Movements of the landmarks, at a third too small to be an event of their own."""


def supported(name: str) -> np.ndarray:
    """Return a face whose landmarks move a little, as the unit moves them."""
    move = SUPPORT.get(name)
    return move(puppet.still(T), 0.4 * HOW) if move else puppet.still(T)


@pytest.mark.parametrize("name", CASES)
def test_a_risen_shape_is_told_as_its_unit_when_it_happens(name):
    face = read(supported(name), CASES[name])
    (event,) = [e for e in face.events if e.name == name]
    assert event.by == "blendshapes" and 0 < event.trust < 1
    assert event.onset == pytest.approx(2.05, abs=0.2)
    assert event.offset == pytest.approx(3.15, abs=0.2)
    if name in ("jaw_aside", "one_corner"):
        assert event.side == {"jaw_aside": "left", "one_corner": "right"}[name]
    others = {e.name for e in face.events} - {name}
    explained = {"brow_raise": set(), "drawn_up": {"brow_raise"}, "smile": set()}
    assert others <= explained.get(name, set())


@pytest.mark.parametrize("name", SUPPORT)
def test_brows_that_the_landmarks_do_not_see_are_not_reported(name):
    assert read(puppet.still(T), CASES[name]).events == ()


@pytest.mark.parametrize("shapes", [both("eyeSquint"), {"mouthPucker": 0.8 * HOW}])
def test_what_was_seen_to_be_wrong_is_not_reported(shapes):
    assert read(puppet.still(T), shapes).events == ()


def test_a_smile_held_throughout_stands_out_against_a_neutral_face():
    held = {name: np.full(len(T), 0.6) for name in ("mouthSmileLeft", "mouthSmileRight")}
    face = read(puppet.still(T), held)
    (smile,) = [e for e in face.events if e.name == "smile"]
    assert smile.absolute and (smile.onset, smile.offset) == (T[0], T[-1])
    (finding,) = [f for f in findings_of(face, None) if "smiles" in f.text]
    assert "against a neutral face" in finding.text
    assert finding.data["baseline"] == "average face"
    assert "without the eyes" not in finding.text, "there is no other opening to compare with"


def test_a_smile_for_most_of_the_clip_is_measured_against_its_own_rest():
    late = {f"mouthSmile{side}": np.where(T > 0.8, 0.6, 0.0) for side in ("Left", "Right")}
    (smile,) = [e for e in read(puppet.still(T), late).events if e.name == "smile"]
    assert not smile.absolute and smile.onset == pytest.approx(0.8, abs=0.2)


def test_a_face_at_rest_gives_no_event():
    assert read(puppet.still(T), {}).events == ()


def test_what_geometry_shows_too_is_one_event_and_fully_believed():
    face = read(puppet.smile(puppet.still(T), HOW), both("mouthSmile"))
    (event,) = [e for e in face.events if e.name == "smile"]
    assert event.by == "geometry and blendshapes" and event.trust == 1.0
    plain = read(puppet.smile(puppet.still(T), HOW), {})
    (alone,) = [e for e in plain.events if e.name == "smile"]
    assert alone.by == "geometry" and (alone.onset, alone.peak) == (event.onset, event.peak)


def test_a_smile_explains_what_comes_with_it():
    scores = {
        **both("mouthSmile"),
        **both("mouthUpperUp"),
        **both("eyeSquint"),
        **both("mouthDimple"),
    }
    assert {e.name for e in read(puppet.still(T), scores).events} == {"smile"}


def test_a_face_turned_away_is_not_read():
    assert read(puppet.still(T), both("noseSneer"), yaw=45.0).events == ()


def test_a_shape_that_never_rests_is_no_event():
    steady = {name: np.full(len(T), 0.6) for name in ("noseSneerLeft", "noseSneerRight")}
    assert read(puppet.still(T), steady).events == ()


def test_the_lower_score_of_a_picture_and_its_mirror_image_counts():
    at = np.array([0.0, 0.1])
    shown = {"mouthSmileLeft": 0.6, "mouthSmileRight": 0.4, "jawLeft": 0.5}
    own = scores_at(at, [(0.0, shown), (0.1, shown)])
    covered = mirrored({"mouthSmileRight": 0.1, "mouthSmileLeft": 0.9, "jawRight": 0.2})
    lower = agreed(own, scores_at(at, [(0.0, covered), (0.1, covered)]))
    # columns: the right side, the left side
    assert lower["mouthSmile"] == pytest.approx(np.array([[0.4, 0.1]] * 2))
    assert lower["jawLeft"] == pytest.approx([0.2, 0.2])
    absent = agreed(own, scores_at(at, [(0.0, {"eyeWideLeft": 0.1})]))
    assert absent["mouthSmile"].max() == 0.0, "what the mirror image does not show is 0"
    assert agreed(own, {}) is own


def test_scores_are_joined_and_unknown_where_nothing_was_seen_near():
    scores = scores_at(np.array([0.0, 0.05, 0.1, 1.0]), [(0.0, {"jawOpen": 0.2}), (0.1, {})])
    assert scores["jawOpen"][:3] == pytest.approx([0.2, 0.1, 0.0]) and np.isnan(
        scores["jawOpen"][3]
    )
    pair = scores_at(np.array([0.0]), [(0.0, {"eyeWideRight": 0.3})])
    assert pair["eyeWide"].tolist() == [[0.3, 0.0]]
    assert scores_at(np.array([0.0]), []) == {}


def test_a_rise_is_measured_against_the_person_s_own_rest():
    measures = measure(T, puppet.in_pixels(puppet.still(T)))
    scores = {"cheekPuff": 0.4 + 0.5 * HOW, "jawOpen": np.full(len(T), np.nan)}
    found = score_changes(scores, measures, np.zeros(len(T), dtype=bool))
    assert found["cheekPuff"].max() == pytest.approx(0.5, abs=0.01)
    assert found["cheekPuff"][:10] == pytest.approx(0, abs=1e-6) and not found["jawOpen"].any()


def test_every_blendshape_of_mediapipe_has_a_row_and_every_told_unit_words():
    with FILE.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    named = {shape for row in rows for shape in row["shapes"].split()}
    both_sides = {n.removesuffix("Left").removesuffix("Right") for n in NAMES} - {"_neutral"}
    assert named | {"jaw", "mouth"} == both_sides | {
        "jawLeft",
        "jawRight",
        "mouthLeft",
        "mouthRight",
    }
    assert {row["told"] for row in rows} == {"shapes", "geometry", "nothing"}
    from_shapes = {unit.name for unit in shape_units()}
    assert from_shapes == {row["unit"] for row in rows if row["told"] == "shapes"} <= set(WORDS)
    weak = [row for row in rows if row["source"] == "weak"]
    assert {row["unit"] for row in weak} <= from_shapes
    assert all(float(row["quality"]) <= 0.25 for row in weak)
    units = {unit.name: unit.units for unit in UNITS}
    shared = [unit for unit in shape_units() if unit.name in units]
    assert all(set(unit.units) <= set(units[unit.name]) for unit in shared)


@pytest.mark.parametrize(
    ("name", "cues"),
    [("nose_wrinkle", {"nose_wrinkle"}), ("upper_lip_raise", {"upper_lip_raise"}),
     ("dimple", set()), ("cheek_raise", set()),
     ("cheek_puff", set()), ("funnel", {"lips_pucker"}), ("lips_rolled", {"lips_pressed"}),
     ("lower_lip_down", set()), ("jaw_forward", set())],
)  # fmt: skip
def test_the_reasoner_reads_what_is_meant(name, cues):
    found = findings_of(read(puppet.still(T), CASES[name]), None)
    (text,) = [f.text for f in found if f.data.get("unit") == name]
    assert {m.cue for m in mentions_in(f"The person{text}", "visual") if not m.negated} == cues
