"""The ledger: a closer look that tells again of what is known adds no clue."""

from __future__ import annotations

from typing import Any

import pytest

from emer.agents.revision import WRITER
from emer.graphs.ledger import Ledger
from emer.tools.types import Clue, Quality, Source, Span

MESH = Source(tool="mesh", version="1")


def clue(text: str, at: tuple[float, float], score: float = 0.9, **rest: Any) -> Clue:
    return Clue(
        modality="face",
        text=text,
        span=Span(start=at[0], end=at[1]),
        quality=Quality(score=score),
        **{"source": MESH, **rest},
    )


FIRST = clue("The person looks at the camera most of the time (97% of 72 frames).", (0.0, 2.4))


def texts(*clues: Clue) -> list[str]:
    ledger = Ledger()
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
        clue(FIRST.text, (0.0, 2.3), source=WRITER),
    ],
)
def test_what_is_said_of_another_time_person_or_by_another_stands(other):
    assert len(texts(FIRST, other)) == 2


def test_numbers_that_are_no_measurement_tell_things_apart():
    assert len(texts(clue("Sign 1 is seen.", (0.0, 1.0)), clue("Sign 2 is seen.", (0.0, 1.0)))) == 2
    blinks = [clue(f"The person blinks once in {s} s (at 0.9 s).", (0.9, 0.9)) for s in (2.4, 2.2)]
    assert len(texts(*blinks)) == 1
