"""People are counted by faces that last; false hits are not people."""

from __future__ import annotations

from dataclasses import replace

from emer.tools.scene.detectors import FaceBox
from emer.tools.scene.features import Sample
from emer.tools.scene.people import find_people, simultaneous
from tests.fixtures.figures import face_at, samples_of


def row(*faces: FaceBox) -> dict[str, object]:
    return {"faces": faces}


def test_one_lasting_face_is_the_person() -> None:
    (person,) = find_people(samples_of(*[row(face_at(0.8, 0.5))] * 10))
    assert (person.subject, person.name, person.height) == ("The person", "person 1", 0.4)


def test_two_faces_are_numbered_by_size_and_placed() -> None:
    people = find_people(samples_of(*[row(face_at(0.4, 0.5, 0.3), face_at(1.3, 0.5, 0.4))] * 6))
    assert [p.subject for p in people] == ["Person 1 (on the right)", "Person 2 (on the left)"]
    assert simultaneous(people) == (2, (0.0, 1.0))


def test_weak_hits_in_two_looks_are_nobody() -> None:
    weak = face_at(0.8, 0.5, score=0.65)
    rows = [row(weak) if i in (5, 6) else row() for i in range(12)]
    assert find_people(samples_of(*rows)) == ()


def test_a_single_strong_hit_among_many_looks_is_nobody() -> None:
    rows = [row(face_at(0.8, 0.5)) if i == 5 else row() for i in range(12)]
    assert find_people(samples_of(*rows)) == ()


def test_a_clip_of_one_look_may_still_show_someone() -> None:
    assert len(find_people(samples_of(row(face_at(0.8, 0.5))))) == 1


def test_a_face_lost_for_a_moment_is_one_person() -> None:
    rows = [row() if 5 <= i <= 8 else row(face_at(0.8, 0.5)) for i in range(16)]
    (person,) = find_people(samples_of(*rows))
    assert len(person.times) == 12
    assert person.box_at(1.3) is not None
    assert person.box_at(9.0) is None


def test_a_second_face_for_one_look_makes_no_second_person() -> None:
    rows = [row(face_at(0.5, 0.5))] * 10
    rows[4] = row(face_at(0.5, 0.5), face_at(1.4, 0.5))
    assert len(find_people(samples_of(*rows))) == 1


def test_moving_faces_that_pass_each_other_stay_two() -> None:
    rows = [row(face_at(0.3 + 0.05 * i, 0.3), face_at(1.3 - 0.05 * i, 0.75)) for i in range(15)]
    people = find_people(samples_of(*rows))
    assert len(people) == 2
    assert all(len(person.times) == 15 for person in people)
    assert all(max(abs(b.centre[1] - p.boxes[0].centre[1]) for b in p.boxes) < 0.01 for p in people)


def test_across_cuts_nobody_is_named() -> None:
    samples = samples_of(*[row(face_at(0.8, 0.5))] * 10)
    cut = [replace(sample, shot=int(sample.time >= 1.0)) for sample in samples]
    assert [(p.shot, p.name) for p in find_people(cut)] == [(0, None), (1, None)]


def test_nobody_in_no_looks() -> None:
    empty: list[Sample] = []
    assert find_people(empty) == ()
    assert simultaneous(()) == (0, None)
