"""Where a degree, number or time of a claim is still carried, and where no longer."""

from __future__ import annotations

from typing import Any

import pytest

from emer.agents.verification.carriers import (
    Carrier,
    carrier_of,
    has_extent,
    has_quantity,
    has_rank,
    has_times,
    is_at,
)
from emer.agents.verification.normalization import fold
from emer.agents.verification.quantities import Quantity, quantities_in
from emer.tools.types import Span
from tests.fixtures import clues as kit

DURATION = 12.0
"""Thirds, halves and quarters of it are whole seconds."""
WHOLE_CLIP = (0.0, DURATION)


def face(text: str, when: tuple[float, float] | None = None, **data: Any) -> Carrier:
    """Return what a clue of the face states."""
    return carrier_of(kit.clue("face", text, when, data=data))


def quantity(text: str) -> Quantity:
    """Return the one quantity of a text."""
    (found,) = quantities_in(fold(text))
    return found


@pytest.mark.parametrize(
    ("where", "inside", "outside"),
    [
        (  # begins in the first third, and its middle is before 60 %
            "early",
            [(0.0, 0.0), (4.0, 4.0), (2.4, 12.0), (0.0, 12.0)],
            [(4.1, 4.1), (2.5, 12.0)],
        ),
        (  # reaches into the second third, and its middle is between the quarters
            "middle",
            [(4.0, 4.0), (8.0, 8.0), (0.0, 12.0), (0.0, 6.0), (6.0, 12.0)],
            [(3.9, 3.9), (8.1, 8.1), (0.0, 5.9), (6.1, 12.0)],
        ),
        (  # ends in the last third, and its middle is behind 40 %
            "end",
            [(8.0, 8.0), (12.0, 12.0), (1.2, 8.4), (0.0, 12.0)],
            [(7.0, 7.9), (1.2, 8.3)],
        ),
        ("last_second", [(11.0, 11.0), (12.0, 12.0), (0.0, 12.0)], [(10.0, 10.9)]),
        ("first_half", [(0.0, 0.0), (6.0, 6.0), (0.0, 12.0)], [(6.1, 6.1), (0.2, 12.0)]),
        ("second_half", [(12.0, 12.0), (6.0, 6.0), (0.0, 12.0)], [(5.9, 5.9), (0.0, 11.8)]),
    ],
)
def test_the_parts_of_a_clip(
    where: str, inside: list[tuple[float, float]], outside: list[tuple[float, float]]
) -> None:
    spans = [*inside, *outside]
    found = [is_at(Span(start=a, end=b), where, DURATION) for a, b in spans]
    assert found == [True] * len(inside) + [False] * len(outside), spans
    assert not is_at(None, where, DURATION)
    assert not is_at(Span(start=0, end=0), where, 0.0)


def test_the_last_second_of_a_clip_of_two_is_not_its_beginning() -> None:
    """A middle behind 40 % is asked for as well."""
    assert is_at(Span(start=0.6, end=1.0), "last_second", 2.0)
    assert not is_at(Span(start=0.5, end=1.0), "last_second", 2.0)


HELD: list[tuple[Carrier, str, bool]] = [
    (face("The person smiles throughout."), "whole", True),
    (face("此人一直微笑。"), "whole", True),
    (face("此人全程微笑。", (0.0, 1.0)), "whole", True),
    (face("The person smiles throughout.", share=0.3), "nearly", True),
    (face("The person smiles."), "most", False),
    (face("The person smiles.", share=0.95), "whole", True),
    (face("The person smiles.", share=0.94), "whole", False),
    (face("The person smiles.", share=0.9), "nearly", True),
    (face("The person smiles.", share=0.89), "nearly", False),
    (face("The person smiles.", share=0.5), "most", True),
    (face("The person smiles.", share=0.49), "most", False),
    (face("The person smiles.", share=1), "whole", True),
    (face("The person smiles.", WHOLE_CLIP, share=0.49), "most", False),
    (face("The person smiles.", WHOLE_CLIP, share="all"), "whole", True),
    (face("The person smiles.", (0.0, 1.0), share=True), "most", False),
    (face("The person smiles.", (0.6, 12.0)), "whole", True),
    (face("The person smiles.", (0.7, 12.0)), "whole", False),
    (face("The person smiles.", (1.0, 11.8)), "nearly", True),
    (face("The person smiles.", (1.0, 11.7)), "nearly", False),
    (face("The person smiles.", (3.0, 9.0)), "most", True),
    (face("The person smiles.", (3.0, 8.9)), "most", False),
    (face("The person blinks 3 times.", WHOLE_CLIP), "most", False),
    (face("The person smiles.", (2.0, 3.5)), "brief", True),
    (face("The person smiles.", (2.0, 3.6)), "brief", False),
    (face("The person smiles throughout."), "brief", False),
    (face("The person nods.", (1.0, 2.0)), "repeated", False),
    (face("The person nods once.", (1.0, 2.0)), "repeated", False),
    (face("The person nods.", (1.0, 2.0), times=2), "repeated", True),
    (face("The person nods (1 half swings).", (1.0, 2.0)), "repeated", False),
    (face("The person nods (2 half swings).", (1.0, 2.0)), "repeated", True),
    (face("The person nods (by 2 degrees).", (1.0, 2.0)), "repeated", False),
]


@pytest.mark.parametrize(("carrier", "extent", "expected"), HELD)
def test_the_share_of_the_clip_for_which_it_holds(
    carrier: Carrier, extent: str, expected: bool
) -> None:
    assert has_extent(carrier, extent, DURATION) is expected


def test_a_clip_without_a_length_has_no_share_of_it() -> None:
    smile = face("The person smiles.", (0.0, 1.0))
    assert not has_extent(smile, "most", 0.0)


MOVES = face("The person smiles (AU6+12, by 20 degrees, 3 times).", (2.0, 5.0), intensity="C")
LISTS = face("The person smiles.", (2.0, 5.0), action_units=["AU6", "AU12", 25, "AUX", "12"])
WORDED = face("The person smiles (intensity B).", (2.0, 5.0), action_units="AU12")


@pytest.mark.parametrize(
    ("carrier", "words", "expected"),
    [
        (MOVES, "AU6+12", True),
        (MOVES, "AU12", True),
        (MOVES, "AU6+15", False),
        (MOVES, "AU15", False),
        (LISTS, "AU6+12", True),
        (LISTS, "AU12", True),
        (LISTS, "AU25", False),
        (WORDED, "AU12", False),
        (MOVES, "intensity C", True),
        (MOVES, "intensity B", False),
        (WORDED, "intensity B", True),
        (WORDED, "强度C", False),
        (MOVES, "20 degrees", True),
        (MOVES, "21 degrees", False),
        (MOVES, "20 Hz", False),
        (MOVES, "about 23 degrees", True),
        (MOVES, "about 17 degrees", True),
        (MOVES, "about 23.1 degrees", False),
        (MOVES, "about 16.9 degrees", False),
        (MOVES, "over 19 degrees", True),
        (MOVES, "over 20 degrees", False),
        (MOVES, "under 21 degrees", True),
        (MOVES, "under 20 degrees", False),
    ],
)
def test_an_amount_is_the_clues_own(carrier: Carrier, words: str, expected: bool) -> None:
    assert has_quantity(carrier, quantity(words)) == expected


SPAN = face("The person smiles.", (4.0, 8.0))
SHARED = face("The person smiles.", (4.0, 8.0), share=0.5)
LASTS = face("The person smiles for 3.0 s.", (4.0, 8.0))
LISTED = face("The person blinks (at 4.0, 6.0, 8.0 s).", (4.0, 8.0))
APEX = face("The person smiles.", (4.0, 8.0), apex=10.0, at=[], note="x")
UNPLACED = face("The person smiles.")


@pytest.mark.parametrize(
    ("carrier", "words", "expected"),
    [
        (SPAN, "at 3.5 s", True),
        (SPAN, "at 3.4 s", False),
        (SPAN, "at 8.5 s", True),
        (SPAN, "at 8.6 s", False),
        (SPAN, "3.5-8.5 s", True),
        (SPAN, "3.4-8.0 s", False),
        (SPAN, "4.0-8.6 s", False),
        (APEX, "at 10.0 s", True),
        (APEX, "at 10.1 s", False),
        (LISTED, "at 6.5 s", True),
        (LISTED, "at 5.0 s", False),
        (LISTED, "4.6-5.4 s", False),
        (LISTED, "4.6-5.5 s", True),
        (LISTED, "6.5-7.4 s", True),
        (LISTED, "6.6-7.4 s", False),
        (UNPLACED, "at 4.0 s", False),
        (SPAN, "after 4.5 s", True),
        (SPAN, "after 4.6 s", False),
        (SPAN, "before 7.5 s", True),
        (SPAN, "before 7.4 s", False),
        (SPAN, "from 3.5 s", True),
        (SPAN, "from 3.4 s", False),
        (SPAN, "from 4.5 s", True),
        (SPAN, "from 4.6 s", False),
        (UNPLACED, "after 0.0 s", False),
        (SPAN, "in the first 7.5 seconds", True),
        (SPAN, "in the first 7.4 seconds", False),
        (SPAN, "throughout the first 8 seconds", False),
        (face("Smiles.", (0.5, 4.0)), "throughout the first 4 seconds", True),
        (face("Smiles.", (0.6, 4.0)), "throughout the first 4 seconds", False),
        (face("Smiles.", (0.0, 4.5)), "throughout the first 4 seconds", True),
        (face("Smiles.", (0.0, 4.6)), "throughout the first 4 seconds", False),
        (face("Smiles.", (0.0, 3.5)), "throughout the first 4 seconds", True),
        (face("Smiles.", (0.0, 3.4)), "throughout the first 4 seconds", False),
        (SPAN, "in the last 8.5 seconds", True),
        (SPAN, "in the last 7.4 seconds", False),
        (SPAN, "throughout the last 8 seconds", False),
        (face("Smiles.", (8.0, 11.5)), "throughout the last 4 seconds", True),
        (face("Smiles.", (8.0, 11.4)), "throughout the last 4 seconds", False),
        (face("Smiles.", (7.5, 12.0)), "throughout the last 4 seconds", True),
        (face("Smiles.", (7.4, 12.0)), "throughout the last 4 seconds", False),
        (face("Smiles.", (8.5, 12.0)), "throughout the last 4 seconds", True),
        (face("Smiles.", (8.6, 12.0)), "throughout the last 4 seconds", False),
        (SPAN, "for 4.5 s", True),
        (SPAN, "for 4.6 s", False),
        (SPAN, "for 3.5 s", True),
        (SPAN, "for 3.4 s", False),
        (SPAN, "for over 3.9 s", True),
        (SPAN, "for over 4 s", False),
        (SPAN, "for under 4.1 s", True),
        (SPAN, "for under 4 s", False),
        (SHARED, "for 2.5 s", True),
        (SHARED, "for 2.6 s", False),
        (LASTS, "for 3.0 s", True),
        (LASTS, "for 4.0 s", False),
        (UNPLACED, "for 4.0 s", False),
    ],
)
def test_a_time_is_that_of_the_clue_give_or_take_half_a_second(
    carrier: Carrier, words: str, expected: bool
) -> None:
    assert has_times(carrier, quantity(words), DURATION) is expected


@pytest.mark.parametrize(
    ("words", "data", "rank"),
    [
        ("smiles barely", {}, 0),
        ("smiles slightly", {}, 1),
        ("smiles clearly", {}, 3),
        ("smiles strongly", {}, 4),
        ("has a clear smile", {}, 3),
        ("smiles", {}, None),
        ("smiles", {"intensity": "A"}, 0),
        ("smiles", {"intensity": "b"}, 1),
        ("smiles", {"intensity": "C"}, 3),
        ("smiles", {"intensity": "D"}, 4),
        ("smiles", {"intensity": "E"}, 5),
        ("smiles (intensity D)", {}, 4),
        ("smiles", {"intensity": 3}, None),
        ("smiles", {"intensity": "F"}, None),
    ],
)
def test_a_degree_is_the_clues_or_one_below(
    words: str, data: dict[str, Any], rank: int | None
) -> None:
    carrier = face(f"The person {words} at 1.0-2.0 s.", (1.0, 2.0), **data)
    carried = [claimed for claimed in range(7) if has_rank(carrier, ["smile"], claimed)]
    assert carried == ([] if rank is None else [r for r in (rank - 1, rank) if r >= 0])
    assert not has_rank(carrier, ["nod"], 1)


@pytest.mark.parametrize("text", ["The person frowns clearly.", "此人明显皱眉。"])
def test_a_clear_degree_may_stand_beside_a_mark_or_in_chinese(text: str) -> None:
    assert has_rank(face(text), ["brow_furrow"], 3)


@pytest.mark.parametrize(
    ("text", "data", "counts"),
    [
        ("The person nods.", {}, set()),
        ("The person nods.", {"count": 1}, set()),
        ("The person nods once.", {"count": 1}, {1}),
        ("此人点头一次。", {}, {1}),
        ("The person nods 4 times.", {}, {4}),
        ("The person nods.", {"times": 3}, {3}),
        ("The person nods at 1.0-2.0 s.", {}, set()),
        ("The person nods at 1.0-2.0 s and 4.0-5.0 s.", {}, {2}),
    ],
)
def test_how_many_times_a_clue_states(text: str, data: dict[str, Any], counts: set[int]) -> None:
    assert face(text, (1.0, 5.0), **data).counts() == counts


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("3 people are visible.", {3}),
        ("One person is visible.", {1}),
        ("No people are visible.", {0}),
        ("Ten faces are visible.", {10}),
        ("画面中有两个人。", {2}),
        ("画面中有十人。", {10}),
        ("The person smiles.", set()),
    ],
)
def test_how_many_people_a_clue_states(text: str, people: set[int]) -> None:
    assert carrier_of(kit.clue("scene", text, WHOLE_CLIP)).people() == people


def test_a_transcript_counts_no_people() -> None:
    assert carrier_of(kit.clue("text", 'The person says: "two people".')).people() <= {2}
    voice = kit.clue("audio", "One person speaks.", WHOLE_CLIP, data={"people": 2})
    assert carrier_of(voice).people() == {1, 2}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, [(1.0, 5.0)]),
        ({"at": [1.5, 4.0]}, [(1.5, 1.5), (4.0, 4.0)]),
        ({"intervals": [[1.0, 2.0], [4.0, 5.0]]}, [(1.0, 2.0), (4.0, 5.0)]),
        ({"at": "now"}, [(1.0, 5.0)]),
        ({"at": [], "intervals": []}, [(1.0, 5.0)]),
    ],
)
def test_the_occasions_of_a_clue(data: dict[str, Any], expected: list[tuple[float, float]]) -> None:
    found = face("The person blinks.", (1.0, 5.0), **data).occasions()
    assert [(span.start, span.end) for span in found] == expected
    assert face("The person blinks.").occasions() == []
