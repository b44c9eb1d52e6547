"""Typed fields of a clue: ids of older clues hold, JSON round trip, bounds."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from emer.tools.cues import stated
from emer.tools.text import times_in
from emer.tools.types import Clue, CueMention, Quality, Source, Span

BASE: dict[str, Any] = {
    "modality": "face",
    "span": {"start": 1.0, "end": 2.0},
    "text": "The person smiles at 1.0-2.0 s.",
    "quality": {"score": 0.9},
    "source": {"tool": "mesh", "version": "1"},
}
OLD_ID = "f56b1ef11"
"""The id that the clue had before it could have typed fields."""


def clue(**fields: Any) -> Clue:
    return Clue.model_validate({**BASE, **fields})


def test_a_clue_without_typed_fields_keeps_its_id():
    assert clue().id == OLD_ID
    assert clue(id=OLD_ID, cues=[], kind="measured", certainty="stated", look=None) == clue()


TYPED = [
    {"cues": [{"cue": "smile"}]},
    {"cues": [{"cue": "smile", "strength": 0.65}]},
    {"cues": [{"cue": "smile", "negated": True}]},
    {"kind": "classified"},
    {"certainty": "doubtful"},
    {"place": "on the left"},
    {"look": {"start": 0.0, "end": 3.0}},
]


def test_each_typed_field_is_part_of_the_id_and_survives_json():
    clues = [clue(**fields) for fields in TYPED]
    assert len({OLD_ID, *(c.id for c in clues)}) == len(TYPED) + 1
    assert [Clue.model_validate_json(c.model_dump_json()) for c in clues] == clues


@pytest.mark.parametrize(
    "fields",
    [
        {"cues": [{"cue": "Smile!"}]},
        {"cues": [{"cue": "x" * 41}]},
        {"cues": [{"cue": "smile", "strength": 2.1}]},
        {"cues": [{"cue": "smile", "strength": -0.1}]},
        {"cues": [{"cue": "smile", "why": "x"}]},
        {"cues": [{"cue": "smile"}] * 51},
        {"kind": "guessed"},
        {"certainty": "sure"},
        {"place": ""},
        {"place": "x" * 81},
        {"look": {"start": 2.0, "end": 1.0}},
    ],
)
def test_what_no_tool_means_is_refused(fields: dict[str, Any]):
    with pytest.raises(ValidationError):
        clue(**fields)


def test_the_span_of_a_closer_look_is_read_of_older_traces_too():
    span = Span(start=0.5, end=3.0)
    assert clue(look=span).closer_look == clue(data={"closer": [0.5, 3.0]}).closer_look == span
    assert clue().closer_look is None
    assert clue(data={"closer": [3.0, 0.5]}).closer_look is None
    assert clue(data={"closer": "all"}).closer_look is None


def test_cues_of_one_strength():
    assert stated(["nod", "smile"], 0.4) == (
        CueMention(cue="nod", strength=0.4),
        CueMention(cue="smile", strength=0.4),
    )
    made = Clue(modality="face", span=None, text="It nods.", quality=Quality(score=1.0),
                source=Source(tool="t", version="1"), cues=stated(["nod"]))  # fmt: skip
    assert made.cues[0].strength == 1.0 and not made.cues[0].negated


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("The person smiles at 1.2-2.0 s, most at 1.5 s (AU12).", [1.2, 2.0, 1.5]),
        ("It moves at 0.0-3.4 s, 5.1-7.8 s and 9.0 s (50%).", [0.0, 3.4, 5.1, 7.8, 9.0]),
        ("The person blinks 3 times in 8.4 s (at 1.0, 2.0, 3.0, ... s).", [1.0, 2.0, 3.0]),
        ("The shot changes 9 times (at 1.0, 2.5 and later s).", [1.0, 2.5]),
        ("A pause of 0.7 s at 1.0-1.7 s.", [1.0, 1.7]),
        ("The person smiles from 0.2 s to 0.8 s.", [0.2, 0.8]),
        ("微笑在1.2-2.0秒。", [1.2, 2.0]),
        ("A sigh (0.5 s long, 3 semitones in 0.3 s, 7 syllables per second).", []),
        ("The voice is rated high (0.80 on a scale from 0 to 1), at 5.0 semitones.", []),
    ],
)
def test_moments_are_found_and_lengths_are_none(text: str, times: list[float]):
    assert times_in(text) == times
