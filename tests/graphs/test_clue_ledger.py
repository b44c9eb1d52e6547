"""The ledger: a closer look that tells again of what is known adds no clue."""

from __future__ import annotations

from typing import Any

import pytest

from emer.agents.clue_edits import REVIEWER, matches_struck
from emer.graphs.trace.clue_ledger import ClueLedger
from emer.tools.cues import stated
from emer.tools.types import Clue, CueMention, Quality, Source, Span

MESH = Source(tool="mesh", version="1")


def clue(text: str, at: tuple[float, float], score: float = 0.9, **rest: Any) -> Clue:
    return Clue(
        modality="face",
        text=text,
        span=Span(start=at[0], end=at[1]),
        **{"source": MESH, "quality": Quality(score=score), **rest},
    )


FIRST = clue("The person looks at the camera most of the time (97% of 72 frames).", (0.0, 2.4))


def texts(*clues: Clue) -> list[str]:
    ledger = ClueLedger()
    return [found.text for found in ledger.clues(ledger.add(clues))]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("The person looks at the camera most of the time (95% of 66 frames).", (0.2, 2.4)),
        (FIRST.text, (0.2, 2.4)),
    ],
)
def test_a_second_look_at_the_same_is_no_second_clue(text, at):
    assert texts(FIRST, clue(text, at)) == [FIRST.text]
    assert texts(FIRST, clue(text, at, score=0.95)) == [text]


@pytest.mark.parametrize(
    "other",
    [
        clue("The person looks at the camera most of the time (95% of 20 frames).", (0.0, 0.7)),
        clue("The person looks at the camera half of the time (50% of 72 frames).", (0.0, 2.4)),
        clue("The person looks at the camera most of the time (9 of 10).", (0.0, 2.4), person="2"),
        clue(FIRST.text, (0.0, 2.3), source=Source(tool="other", version="1")),
        clue(FIRST.text, (0.0, 2.3), source=REVIEWER),
    ],
)
def test_what_is_said_of_another_time_person_or_by_another_stands(other):
    assert len(texts(FIRST, other)) == 2


def test_numbers_that_are_no_measurement_tell_things_apart():
    assert len(texts(clue("Sign 1 is seen.", (0.0, 1.0)), clue("Sign 2 is seen.", (0.0, 1.0)))) == 2
    blinks = [clue(f"The person blinks once in {s} s (at 0.9 s).", (0.9, 0.9)) for s in (2.4, 2.2)]
    assert len(texts(*blinks)) == 1


def described(words: str, *frames: float, closer: list[float] | None = None, **rest: Any) -> Clue:
    listed = " and ".join(f"{time:.1f} s" for time in frames)
    text = f"A model describes the frame{'s' * (len(frames) > 1)} at {listed}: {words}."
    data: dict[str, Any] = {"frames": list(frames)} | ({"closer": closer} if closer else {})
    source = Source(tool="captioner", version="1")
    return clue(text, (frames[0], frames[-1]), **{"data": data, "source": source, **rest})


NODS = described("a man nods", 1.0, 3.0)
CLOSE = [2.0, 4.0]


@pytest.mark.parametrize(
    "again",
    [
        described("a man nods", 3.0, closer=CLOSE),
        described("a man nods", 2.2, 2.8, closer=CLOSE, score=1.0),
        described("a man bows", 3.0, closer=CLOSE, score=1.0),
    ],
    ids=["the same frame", "the same words", "the same frame in other words"],
)
def test_a_picture_that_is_described_again_is_no_second_clue(again):
    assert texts(NODS, again) == texts(again, NODS) == [NODS.text]
    assert texts(again) == [again.text], "alone it stands"


@pytest.mark.parametrize(
    "other",
    [
        described("a man waves", 2.2, closer=CLOSE),
        described("a man bows", 2.4, 3.0, closer=CLOSE),
        described("a man nods", 7.0),
        described("a man nods", 7.0, closer=[6.5, 8.0]),
        described("a man nods", 3.0, closer=CLOSE, source=Source(tool="vision-api", version="1")),
    ],
    ids=["new words", "a new frame", "the first look itself", "seconds later", "another model"],
)
def test_what_a_closer_look_describes_anew_stands(other):
    assert len(texts(NODS, other)) == 2


def test_of_two_closer_looks_that_say_the_same_one_stands():
    one, two = (described("a man bows", at, closer=[at, at + 1]) for at in (2.2, 2.6))
    assert texts(NODS, two, one) == [NODS.text, one.text]


def test_what_a_person_struck_out_does_not_come_back_as_words_of_a_closer_look():
    again = described("a man nods", 3.5, closer=CLOSE)
    assert matches_struck(again, [NODS])
    assert not matches_struck(described("a man waves", 3.5, closer=CLOSE), [NODS])


def fact(cue: str, at: tuple[float, float], look: Span | None = None, **rest: Any) -> Clue:
    """A measurement of a look at the whole clip, or of a closer one."""
    strength = rest.pop("strength", 1.0)
    text = rest.pop("text", f"The voice is {cue} ({strength} dB) at {at[0]}-{at[1]} s.")
    cues = stated([cue], strength)
    return clue(text, at, cues=cues, look=look, **{"person": "person 1", **rest})


LOOK = Span(start=0.0, end=2.9)
SOFT = fact("soft", (0.0, 8.3))


@pytest.mark.parametrize(
    "again",
    [
        fact("soft", (0.1, 2.9), LOOK),
        fact("soft", (0.1, 2.9), LOOK, text="Its level is low.", score=1.0),
        fact("soft", (0.1, 2.9), LOOK, strength=1.2),
    ],
    ids=["other numbers", "other words", "about the same degree"],
)
def test_a_fact_of_the_whole_clip_and_of_a_closer_look_is_one_clue(again: Clue):
    assert texts(SOFT, again) == texts(again, SOFT) == [SOFT.text]


def test_of_two_looks_at_one_event_the_better_measured_stands():
    coarse = fact("nod", (1.0, 2.0), score=0.6)
    fine = fact("nod", (1.05, 1.95), LOOK, score=0.9, text="The person nods.")
    assert texts(coarse, fine) == [fine.text]
    assert texts(coarse, fact("nod", (1.0, 2.0), LOOK, score=0.6)) == [coarse.text]


@pytest.mark.parametrize(
    "other",
    [
        fact("loud", (0.1, 2.9), LOOK),
        fact("soft", (0.1, 2.9), LOOK, person="person 2"),
        fact("soft", (0.1, 2.9), LOOK, strength=0.4),
        fact("soft", (9.0, 9.5), LOOK),
        fact("soft", (0.1, 2.9), text="The voice is softest."),
        fact("soft", (0.1, 2.9), LOOK, text="The left voice is soft."),
        fact("soft", (0.1, 2.9), LOOK, source=Source(tool="other", version="1")),
    ],
    ids=["cue", "person", "degree", "time", "the same look", "side", "tool"],
)
def test_another_fact_stands(other: Clue):
    assert len(texts(SOFT, other)) == 2


def test_what_is_denied_is_not_what_is_stated():
    denied = {"cues": (CueMention(cue="soft", negated=True),), "look": LOOK}
    assert len(texts(SOFT, clue("The voice is not soft.", (0.0, 8.3), **denied))) == 2


def test_numbered_clues_are_known_by_both_ids():
    boxes = [{"face_x": x, "face_y": 0.4, "face_height": 0.3} for x in (0.4, 1.3)]
    faces = [
        clue(f"Person {n} smiles.", (0.0, 2.0), person=f"person {n}",
             quality=Quality(score=0.9, factors=box))
        for n, box in zip((1, 2), boxes, strict=True)
    ]  # fmt: skip
    points = faces[0].model_copy(
        update={"text": "Person 1 points.", "source": Source(tool="camera", version="1"), "id": "",
                "modality": "scene", "quality": faces[1].quality}
    )  # fmt: skip
    camera = Clue(**dict(points))
    ledger = ClueLedger()
    found = ledger.clues(ledger.add([*faces, camera]))
    (numbered,) = [c for c in found if c.source.tool == "camera"]
    assert (numbered.text, numbered.person) == ("Person 2 points.", "person 2")
    assert ledger.as_observed([numbered.id]) == (camera,)
    again = ClueLedger()
    again.add([*faces, camera])
    assert again.named([numbered.id]) == (numbered,)
