"""What the picture adds to the mesh: folds between the brows, and something over the face."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from emer.tools.face.analysis import FaceAnalysis, Person, analyse_face, find_people
from emer.tools.face.detector import region_around
from emer.tools.face.geometry import Spread, furrow_of, measure, measure_spread, spread_at, sureness
from emer.tools.face.sentences import findings_of
from emer.tools.face.tracker import follow
from tests.fixtures import puppet
from tests.tools.face.test_tracker import film

Image = NDArray[np.uint8]


@cache
def landmarks() -> NDArray[np.float32]:
    networks = puppet.networks()
    points = networks.mesh(puppet.portrait(), networks.detect(puppet.portrait(), False)[0].region)
    assert points is not None
    points = networks.mesh(puppet.portrait(), region_around(points))
    assert points is not None
    return points


def folded(depth: float, across: bool = False) -> Image:
    """Return the portrait with two dark lines between the brows, upright or across."""
    import cv2

    middle = landmarks()[[9, 8], :2].mean(axis=0)
    iod = float(np.linalg.norm(landmarks()[33, :2] - landmarks()[263, :2]))
    shade = np.zeros(puppet.portrait().shape[:2], np.float32)
    for side in (-1, 1):
        ends = np.array([(side * 0.05, -0.08), (side * 0.05, 0.08)]) * iod
        ends = ends[:, ::-1] if across else ends
        start, end = ((round(float(x)), round(float(y))) for x, y in middle + ends)
        cv2.line(shade, start, end, 1.0, 2, cv2.LINE_AA)
    shade = np.asarray(cv2.GaussianBlur(shade, (0, 0), 1.0))
    return (puppet.portrait() * (1 - depth * shade[..., None])).astype(np.uint8)


def covered() -> Image:
    """Return the portrait with fingers, skin-coloured bars with edges, over the mouth."""
    import cv2

    picture = puppet.portrait().copy()
    iod = float(np.linalg.norm(landmarks()[33, :2] - landmarks()[263, :2]))
    skin = tuple(int(v) for v in np.median(picture[210:260, 220:300].reshape(-1, 3), axis=0))
    mouth = landmarks()[[61, 291, 0, 17], :2].mean(axis=0)
    for finger in range(4):
        start = mouth + np.array((-1.3, -0.25 + 0.24 * finger)) * iod
        end = mouth + np.array((0.55, -0.42 + 0.24 * finger)) * iod
        a, b = ((round(float(x)), round(float(y))) for x, y in (start, end))
        cv2.line(picture, a, b, tuple(int(v * 0.55) for v in skin), round(0.23 * iod), cv2.LINE_AA)
        cv2.line(picture, a, b, skin, round(0.2 * iod), cv2.LINE_AA)
    return picture


def watch(*shots: tuple[int, Image]) -> FaceAnalysis:
    (person,) = find_people(follow(film(*shots), puppet.networks(), 1280))
    return analyse_face(person)


def test_upright_lines_between_the_brows_are_measured_and_lines_across_are_not() -> None:
    plain = furrow_of(puppet.portrait(), landmarks())
    depths = [furrow_of(folded(depth), landmarks()) - plain for depth in (0.1, 0.2, 0.4)]
    assert depths == sorted(depths)
    assert depths[-1] > np.log(2)
    assert abs(furrow_of(folded(0.4, across=True), landmarks()) - plain) < 0.25


def test_brightness_does_not_change_the_measure() -> None:
    plain = furrow_of(puppet.portrait(), landmarks())
    dim = (puppet.portrait() * 0.6).astype(np.uint8)
    assert furrow_of(dim, landmarks()) == pytest.approx(plain, abs=0.25)


def test_a_small_face_shows_no_folds() -> None:
    assert np.isnan(furrow_of(puppet.portrait(), landmarks() / 4))


def test_folding_skin_is_a_frown_at_its_time_and_nothing_else() -> None:
    face = watch((40, puppet.portrait()), (30, folded(0.5)), (40, puppet.portrait()))
    (event,) = face.events
    assert (event.name, event.units) == ("frown", (4,))
    assert event.onset == pytest.approx(1.6, abs=0.12)
    assert event.offset == pytest.approx(2.8, abs=0.12)


def test_a_covered_mouth_is_known_to_be_covered() -> None:
    free = measure_spread(puppet.networks(), puppet.portrait(), landmarks(), 0.0)
    hand = covered()
    points = puppet.networks().mesh(hand, region_around(landmarks()))
    assert points is not None
    hidden = measure_spread(puppet.networks(), hand, points, 0.0)
    assert hidden.lower > 1.5 * free.lower
    assert hidden.lower > 0.017
    assert free.lower < 0.015 and free.upper < 0.013


def test_a_face_that_the_network_loses_is_not_believed() -> None:
    class Blind:
        def mesh(self, image: object, region: object) -> None:
            return None

    lost = measure_spread(Blind(), puppet.portrait(), landmarks(), 1.0)
    assert sureness(np.array([[lost.upper, lost.lower]]), np.zeros(1)).max() == 0


def test_one_stray_measurement_does_not_hide_a_face() -> None:
    found = [Spread(k / 2, 0.005, 0.01) for k in range(6)]
    found[3] = Spread(1.5, 0.05, 0.05)
    spread = spread_at(np.linspace(0, 2.5, 60), found)
    assert sureness(spread, np.zeros(60)).min() == 1


def test_bones_that_do_not_fit_take_the_upper_face_out_of_the_reading() -> None:
    spread = np.full((3, 2), 0.005)
    upper, lower = sureness(spread, np.array([0.01, 0.035, 0.05])).T
    assert list(lower) == [1, 1, 1]
    assert upper[0] == 1 and 0 < upper[1] < 1 and upper[2] == 0


def test_a_smile_that_is_not_seen_is_not_told() -> None:
    t = puppet.times()
    faces = puppet.raise_brows(puppet.smile(puppet.still(t), puppet.pulse(t)), puppet.pulse(t))
    pixels = puppet.in_pixels(faces)
    spread = np.full((len(t), 2), 0.005)
    spread[30:80, 1] = 0.04
    face = analyse_face(Person(1, measure(t, pixels, spread), 0.5))
    assert {e.name for e in face.events} == {"brow_raise"}
    assert not any("smile" in f.text for f in findings_of(face, None))
