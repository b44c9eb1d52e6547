"""What hands do is told from their geometry against the face."""

from __future__ import annotations

import pytest

from emer.tools.scene import gestures
from emer.tools.scene.detectors import FaceBox, Hand
from emer.tools.scene.gestures import describe_hands
from emer.tools.scene.people import find_people
from tests.fixtures.figures import face_at, hand_at, samples_of

FACE = face_at(0.9, 0.35, height=0.3)


def texts(*hands: tuple[Hand, ...], face: FaceBox = FACE, step: float = 0.2) -> list[str]:
    """What is said of these hands, one tuple per sample, beside one still face."""
    samples = samples_of(*[{"faces": (face,), "hands": h} for h in hands], step=step)
    return [finding.text for finding in describe_hands(samples, find_people(samples))]


def held(hand: Hand, samples: int = 6) -> list[tuple[Hand, ...]]:
    return [()] * 3 + [(hand,)] * samples + [()] * 3


def test_no_hands_nothing_said() -> None:
    assert texts(*[()] * 10) == []


def test_a_hand_before_the_mouth_covers_it_while_it_is_there() -> None:
    hand = hand_at(0.9, 0.46, length=0.3)
    found = texts(*held(hand))
    assert any("covers the mouth with a hand at 0.6-1.6 s" in text for text in found)
    assert any("A hand is near the face of the person at 0.6-1.6 s" in text for text in found)
    assert not any("raises" in text or "gestures" in text for text in found)


def test_a_large_hand_before_the_face_covers_the_face() -> None:
    found = texts(*held(hand_at(0.9, 0.38, length=0.45)))
    assert any("covers the face with a hand" in text for text in found)


def test_a_hand_at_the_chin_covers_nothing() -> None:
    found = texts(*held(hand_at(0.9, 0.61, length=0.25), samples=8))
    assert found == ["A hand is near the face of the person at 0.6-2.0 s, held under the chin."]


def test_a_hand_seen_within_the_face_itself_is_no_hand() -> None:
    inside = hand_at(0.9, 0.36, length=0.15)
    assert not gestures.is_plausible(inside, FACE)
    assert texts(*held(inside)) == []


@pytest.mark.parametrize("length", [0.05, 0.8])
def test_hands_of_another_scale_are_not_this_persons(length: float) -> None:
    assert texts(*held(hand_at(1.3, 0.6, length=length))) == []


def test_one_look_is_not_enough() -> None:
    assert texts(*held(hand_at(0.9, 0.46, length=0.3), samples=1)) == []


def test_a_hand_above_the_shoulders_is_raised_and_one_at_the_belly_is_not() -> None:
    raised = texts(*held(hand_at(1.35, 0.25, length=0.25)))
    assert raised == ["The person raises a hand above the shoulders at 0.6-1.6 s."]
    assert texts(*held(hand_at(1.35, 0.9, length=0.25))) == []


def test_two_raised_hands_are_both() -> None:
    pair = (hand_at(1.35, 0.25, length=0.25), hand_at(0.4, 0.25, length=0.25))
    found = texts(*[pair] * 5)
    assert found == ["The person raises both hands above the shoulders at 0.0-0.8 s."]


def test_the_index_finger_alone_points() -> None:
    pointing = hand_at(1.35, 0.8, length=0.25, curled=(2, 3, 4))
    assert gestures.is_pointing(pointing)
    assert texts(*held(pointing)) == ["The person points with the index finger at 0.6-1.6 s."]


@pytest.mark.parametrize("curled", [(), (1, 2, 3, 4), (2, 3), (3, 4)])
def test_open_hands_fists_and_two_fingers_do_not_point(curled: tuple[int, ...]) -> None:
    assert not gestures.is_pointing(hand_at(1.35, 0.8, length=0.25, curled=curled))


def test_a_moving_hand_gestures_and_a_still_one_does_not() -> None:
    waving = [(hand_at(1.4, 0.75 + 0.1 * (i % 2), length=0.25),) for i in range(8)]
    (text,) = texts(*waving)
    assert text == (
        "The person gestures with the hands at 0.0-1.4 s (1.7 face heights per second)."
    )
    assert texts(*[(hand_at(1.4, 0.75, length=0.25),)] * 8) == []


def test_a_still_hand_beside_a_moving_head_does_not_gesture() -> None:
    hand = hand_at(1.4, 0.8, length=0.25)
    rows = [
        {"faces": (face_at(0.9, 0.35 + 0.08 * (i % 2), height=0.3),), "hands": (hand,)}
        for i in range(8)
    ]
    samples = samples_of(*rows)
    assert describe_hands(samples, find_people(samples)) == []


def test_a_hand_at_the_chest_is_told_when_it_stays() -> None:
    at_chest = hand_at(0.95, 0.78, length=0.25)
    assert texts(*[(at_chest,)] * 8) == [
        "The person keeps a hand in front of the chest at 0.0-1.4 s."
    ]


def test_hands_belong_to_the_nearest_face() -> None:
    left, right = face_at(0.35, 0.35, 0.3), face_at(1.4, 0.35, 0.3)
    hand = hand_at(1.4, 0.46, length=0.3)
    samples = samples_of(*[{"faces": (left, right), "hands": (hand,)}] * 6)
    people = find_people(samples)
    found = describe_hands(samples, people)
    assert found
    assert {f.person for f in found} == {next(p.name for p in people if p.middle > 1)}


def test_a_hand_found_twice_counts_once() -> None:
    hand, twin = hand_at(1.0, 0.5), hand_at(1.02, 0.51, score=0.7)
    assert gestures.distinct((twin, hand)) == (hand,)
    apart = hand_at(1.6, 0.5)
    assert len(gestures.distinct((hand, apart))) == 2
