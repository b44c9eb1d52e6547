"""One numbering of people: faces at one place at one time are one person, for all tools."""

from __future__ import annotations

from typing import Any

import pytest

from emer.agents.people import numbering
from emer.tools.cues import stated
from emer.tools.types import Clue, Modality, Quality, Source, Span

LEFT, RIGHT = (0.4, 0.4, 0.3), (1.3, 0.4, 0.3)
SIDES = {LEFT: "on the left", RIGHT: "on the right"}
Box = tuple[float, float, float]


def seen(
    tool: str, text: str, box: Box, at: tuple[float, float] = (0.0, 4.0), **fields: Any
) -> Clue:
    """A clue of a tool that says where the face is."""
    factors = dict(zip(("face_x", "face_y", "face_height"), box, strict=True))
    modality: Modality = "scene" if tool == "camera" else "face"
    base: dict[str, Any] = {"person": "person 1", "cues": stated(["nod"])}
    return Clue(
        modality=modality,
        text=text,
        span=Span(start=at[0], end=at[1]),
        quality=Quality(score=0.9, factors=factors),
        source=Source(tool=tool, version="1"),
        **{**base, **fields},
    )


def heard(text: str, **fields: Any) -> Clue:
    return Clue(
        modality=fields.pop("modality", "audio"),
        text=text,
        span=Span(start=0.0, end=4.0),
        quality=Quality(score=0.9),
        source=Source(tool="egemaps", version="1"),
        **{"cues": stated(["slow"]), **fields},
    )


def of_two(number: int, box: Box, does: str, tool: str = "mesh", **fields: Any) -> Clue:
    text = f"Person {number} ({SIDES[box]}) {does} at 0.0-4.0 s."
    return seen(tool, text, box, person=f"person {number}", place=SIDES[box], **fields)


def named(*clues: Clue) -> list[tuple[str | None, str]]:
    common = numbering(clues)
    return [(clue.person, clue.text) for clue in map(common.apply, clues)]


FACES = (of_two(1, RIGHT, "smiles"), of_two(2, LEFT, "nods"))


def test_the_camera_s_people_get_the_numbers_of_the_face_tool():
    camera = (of_two(1, LEFT, "leans back", "camera"), of_two(2, RIGHT, "points", "camera"))
    assert named(*FACES, *camera)[2:] == [
        ("person 2", "Person 2 (on the left) leans back at 0.0-4.0 s."),
        ("person 1", "Person 1 (on the right) points at 0.0-4.0 s."),
    ]
    assert named(*FACES, *camera)[:2] == [(c.person, c.text) for c in FACES]
    assert sorted(named(*reversed((*FACES, *camera)))) == sorted(named(*FACES, *camera))


def test_a_person_whom_the_face_tool_does_not_see_gets_a_free_number():
    one = seen("mesh", "The person smiles at 0.0-4.0 s.", RIGHT)
    camera = (of_two(1, LEFT, "nods", "camera"), of_two(2, RIGHT, "points", "camera"))
    assert named(one, *camera) == [
        ("person 1", "Person 1 (on the right) smiles at 0.0-4.0 s."),
        ("person 2", "Person 2 (on the left) nods at 0.0-4.0 s."),
        ("person 1", "Person 1 (on the right) points at 0.0-4.0 s."),
    ]


def test_one_person_keeps_the_plain_words_and_ids():
    clues = (
        seen("mesh", "The person smiles at 0.0-4.0 s.", LEFT),
        seen("camera", "The person points at 0.0-4.0 s.", (0.42, 0.45, 0.25)),
        heard("The person speaks slowly at 0.0-4.0 s."),
    )
    common = numbering(clues)
    assert [common.apply(clue) for clue in clues] == [*clues]


def test_a_face_that_moved_between_two_looks_is_still_the_one_person():
    early = seen("mesh", "The person smiles at 0.0-1.0 s.", LEFT, (0.0, 1.0))
    late = seen("camera", "The person points at 3.0-4.0 s.", RIGHT, (3.0, 4.0))
    assert [person for person, _ in named(early, late)] == ["person 1", "person 1"]


def test_a_clue_of_a_later_shot_is_about_the_face_that_is_there():
    late = (3.0, 4.0)
    mesh = (
        seen("mesh", "Person 1 (on the left) smiles at 0.0-1.0 s.", LEFT, (0.0, 1.0)),
        seen("mesh", "Person 2 (on the left) nods at 3.0-4.0 s.", LEFT, late, person="person 2"),
    )
    shot = "The person leans back at 3.0-4.0 s."
    assert named(*mesh, seen("camera", shot, LEFT, late, person=None))[2] == (
        "person 2",
        "Person 2 leans back at 3.0-4.0 s.",
    )
    # nobody's face is there: someone
    assert named(*mesh, seen("camera", shot, RIGHT, late, person=None))[2] == (
        None,
        "Someone leans back at 3.0-4.0 s.",
    )


@pytest.mark.parametrize(
    ("text", "whose"),
    [
        ("The person speaks slowly at 0.0-4.0 s.", "Someone speaks slowly at 0.0-4.0 s."),
        ('The person says: "The person left".', 'Someone says: "The person left".'),
        ("The voice is louder at 0.0-4.0 s.", "The voice is louder at 0.0-4.0 s."),
        (
            'Translated from German into English, the person says: "Come".',
            'Translated from German into English, someone says: "Come".',
        ),
    ],
)
def test_among_several_people_a_voice_is_someone_s(text: str, whose: str):
    voice = heard(text, modality="text" if '"' in text else "audio", kind="transcribed")
    assert named(*FACES, voice)[2] == (None, whose)
    assert named(FACES[0], voice)[1] == (None, text)


def test_people_who_are_only_counted_make_a_voice_someone_s():
    count = seen("camera", "2 people are visible.", LEFT, person=None, data={"people": 2},
                 cues=stated(["people_count"]))  # fmt: skip
    voice = heard("The person speaks slowly at 0.0-4.0 s.")
    assert named(count, voice)[1] == (None, "Someone speaks slowly at 0.0-4.0 s.")


def test_what_a_person_wrote_and_older_traces_stay_as_they_are():
    review = seen("reviewer", "The person nods.", LEFT, person="person 2", kind="reviewed")
    old = heard("The person speaks slowly at 0.0-4.0 s.", cues=())
    elsewhere = heard("Person 9 shouts.", person="person 9", cues=())
    common = numbering([*FACES, review, old, elsewhere])
    assert [common.apply(c) for c in (review, old, elsewhere)] == [review, old, elsewhere]
