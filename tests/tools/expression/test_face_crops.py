"""Which of a person's pictures a model is face_crops."""

from __future__ import annotations

import numpy as np
import pytest

from emer.tools.expression.sentences import face_crops
from emer.tools.face.analysis import Person
from emer.tools.face.geometry import measure
from emer.tools.face.tracker import SIDE, Crop
from emer.tools.types import Span
from tests.fixtures import puppet

T = puppet.times(3.0)
BLANK = np.zeros((SIDE, SIDE), np.uint8)


def person(yaw: object = 0.0, spread: float = 0.0) -> Person:
    pixels = puppet.in_pixels(puppet.still(T), yaw=yaw)
    measures = measure(T, pixels, np.full((len(T), 2), spread))
    crops = tuple(Crop(float(t), BLANK, 0.5) for t in T[::5])
    return Person(1, measures, 0.5, crops)


def test_a_face_that_looks_at_the_camera_is_shown_with_how_it_stands():
    found = face_crops(person(), None)
    assert [f.crop.time for f in found] == pytest.approx(T[::5].tolist())
    assert all(abs(f.yaw) < 3 and f.sure > 0.9 and f.face_px > 100 for f in found)


def test_a_face_turned_away_is_not_shown_while_it_is():
    found = face_crops(person(yaw=np.where(T < 1.5, 0.0, 60.0)), None)
    assert found and max(f.crop.time for f in found) < 1.5


def test_a_covered_face_is_not_shown():
    assert face_crops(person(spread=0.05), None) == []


def test_a_span_is_kept_to():
    times = [f.crop.time for f in face_crops(person(), Span(start=1.0, end=2.0))]
    assert times and min(times) >= 1.0 and max(times) <= 2.0
