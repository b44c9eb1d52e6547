"""Which numbers, units and roles the verifier reads from texts and from clues' data."""

from __future__ import annotations

from typing import Any

import pytest

from emer.agents.verification.carriers import Carrier, carrier_of
from emer.agents.verification.comparisons import elsewhere, is_extreme, occasions
from emer.agents.verification.normalization import fold
from emer.agents.verification.quantities import Quantity, of_clue, quantities_in
from emer.agents.verification.reader import Item
from tests.fixtures import clues as kit


def told(quantity: Quantity) -> str:
    """Return a quantity in words: role, numbers, unit, and what else is said of it."""
    marks = [quantity.bound, "near" if quantity.near else "", "listed" if quantity.listed else ""]
    numbers = ",".join(f"{value:g}" for value in quantity.values) or quantity.letter
    return " ".join(filter(None, [quantity.role, numbers, quantity.unit, *marks]))


TIMES = [
    ("3 s", "amount 3 s"),
    ("the 4 s", "amount 4 s"),
    ("about 5 s", "point 5 s near"),
    ("about four seconds", "amount 4 s near"),
    ("around 3 s", "point 3 s near"),
    ("3秒左右", "point 3 s near"),
    ("3秒多", "point 3 s near"),
    ("三秒左右", "amount 3 s near"),
    ("3 s or so", "amount 3 s near"),
    ("at 3 s", "point 3 s"),
    ("by 3 s", "point 3 s"),
    ("at the 3 s mark", "point 3 s"),
    ("3 s in.", "point 3 s"),
    ("3 s into the clip", "point 3 s"),
    ("在3秒", "point 3 s"),
    ("在3秒处", "point 3 s"),
    ("for 3 s", "length 3 s"),
    ("in 3 seconds", "length 3 s"),
    ("lasting 3 s", "length 3 s"),
    ("持续3秒", "length 3 s"),
    ("after 3 s", "after 3 s"),
    ("3秒之后", "after 3 s"),
    ("3 s later", "later 3 s"),
    ("2 seconds afterwards", "later 2 s"),
    ("before 3 s", "before 3 s"),
    ("until 3 s", "before 3 s"),
    ("till 3 s", "before 3 s"),
    ("3秒以前", "before 3 s"),
    ("since 3 s", "since 3 s"),
    ("from 3 s", "since 3 s"),
    ("from 3 s on", "since 3 s"),
    ("3 s onwards", "since 3 s"),
    ("从3秒", "since 3 s"),
    ("3秒起", "since 3 s"),
    ("over 3 seconds", "amount 3 s over"),
    ("超过3秒", "amount 3 s over"),
    ("under 3 seconds", "amount 3 s under"),
    ("不到3秒", "amount 3 s under"),
    ("for more than 3 s", "length 3 s over"),
    ("half a second", "amount 0.5 s"),
    ("a second and a half", "amount 1.5 s"),
    ("two and a half seconds", "amount 2.5 s"),
    ("one-and-a-half seconds", "amount 1.5 s"),
    ("1.0-3.0 s", "range 1,3 s"),
    ("from 1.0 to 3.0 s", "range 1,3 s"),
    ("between 2 and 4 seconds", "range 2,4 s"),
    ("around 1.0-3.0 s", "range 1,3 s near"),
    ("1到3秒之间", "range 1,3 s"),
    ("at 1.2, 3.3, 6.0 s", "point 1.2,3.3,6 s listed"),
    ("in the first 3 seconds", "opening 3 s"),
    ("in the last 2 seconds", "closing 2 s"),
    ("in the first couple of seconds", "opening 2 s"),
    ("in the first about 2 seconds", "opening 2 s near"),
    ("during the final second and a half", "closing 1.5 s"),
    ("throughout the opening few seconds", "opening 3 s listed"),
    ("over the closing 3 s or so", "closing 3 s listed"),
    ("for the first 2 s", "opening 2 s listed"),
    ("within the last two seconds", "closing 2 s"),
    ("开头3秒", "opening 3 s"),
    ("最初约两秒", "opening 2 s near"),
    ("最后三秒内", "closing 3 s"),
    ("最后1.5秒", "closing 1.5 s"),
]
AMOUNTS = [
    ("-5.0 dB", "amount 5 db"),
    ("by 2.1 semitones", "amount 2.1 semitones"),
    ("2.1个半音", "amount 2.1 semitones"),
    ("190赫兹", "amount 190 hz"),
    ("less than 2 Hz", "amount 2 hz under"),
    ("slightly over 3 dB", "amount 3 db near"),
    ("nearly 3 dB", "amount 3 db near"),
    ("up to 35 degrees", "amount 35 degrees"),
    ("-0.5 face heights", "amount 0.5 face heights"),
    ("4.0 syllables per second", "amount 4 syllables"),
    ("25 percent", "amount 25 %"),
    ("4 times", "amount 4 times"),
    ("四次", "amount 4 times"),
    ("three people", "amount 3 people"),
    ("3 faces", "amount 3 people"),
    ("两个人", "amount 2 people"),
    ("two thirds of the clip", "amount 66.7 % near"),
    ("a quarter of the time", "amount 25 % near"),
    ("three fifths of it", "amount 60 % near"),
    ("one tenth of it", "amount 10 % near"),
    ("half of the clip", "amount 50 % near"),
    ("more than half of the clip", "amount 50 % over near"),
    ("三成", "amount 30 % near"),
    ("一半", "amount 50 % near"),
    ("三分之二", "amount 66.7 % near"),
    ("百分之三十五", "amount 35 % near"),
    ("百分之二十", "amount 20 % near"),
    ("百分之十", "amount 10 % near"),
    ("百分之五", "amount 5 % near"),
    ("AU6+12", "codes 6,12 au"),
    ("AUs 1, 2", "codes 1,2 au"),
    ("AU4", "codes 4 au"),
    ("intensity C", "letter c"),
    ("强度D", "letter d"),
]


@pytest.mark.parametrize(("text", "expected"), [*TIMES, *AMOUNTS])
def test_a_quantity_is_read_with_its_role(text: str, expected: str) -> None:
    assert [told(found) for found in quantities_in(fold(text))] == [expected]


@pytest.mark.parametrize(
    "text", ["two hours", "a person", "in the first half of it", "1234567890 s", "1.2.3 s", "twos"]
)
def test_what_is_no_quantity_of_ours(text: str) -> None:
    assert quantities_in(fold(text)) == []


def test_quantities_come_in_order_and_do_not_overlap() -> None:
    text = fold("Nods 3 times at 1.0-2.0 s (AU12, by 4 degrees), 2 s later once more.")
    found = quantities_in(text)
    assert [told(one) for one in found] == [
        "amount 3 times",
        "range 1,2 s",
        "codes 12 au",
        "amount 4 degrees",
        "later 2 s",
    ]
    words = [text[one.start : one.end].strip() for one in found]
    assert words == ["3 times", "at 1.0-2.0 s", "au12", "by 4 degrees", "2 s later"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"onset": 1.0}, "point 1 s"),
        ({"apex": 2}, "point 2 s"),
        ({"at": [1.0, 2.0]}, "point 1,2 s listed"),
        ({"pause_s": 1.5}, "amount 1.5 s"),
        ({"range_st": [7.5]}, "amount 7.5 semitones"),
        ({"level_db": -6.1}, "amount 6.1 db"),
        ({"median_hz": 190}, "amount 190 hz"),
        ({"yaw_deg": 4}, "amount 4 degrees"),
        ({"share": 0.25}, "amount 25 %"),
        ({"times": 3}, "amount 3 times"),
        ({"count": 3}, "amount 3 times"),
        ({"people": 2}, "amount 2 people"),
        ({"count": True}, ""),
        ({"pause_s": "2"}, ""),
        ({"other": 2}, ""),
    ],
)
def test_the_numbers_in_the_data_of_a_clue(data: dict[str, Any], expected: str) -> None:
    clue = kit.clue("face", "The person nods.", data=data)
    assert [told(found) for found in of_clue(clue, fold(clue.text))] == list(
        filter(None, [expected])
    )


def at(start: float, end: float, text: str = "The person smiles.", **rest: Any) -> Carrier:
    """Return a clue of the face that holds from one second to another."""
    return carrier_of(kit.clue("face", text, (start, end), **rest))


WITHOUT = carrier_of(kit.clue("face", "The person smiles."))


@pytest.mark.parametrize(
    ("spans", "count"),
    [
        ([], 0),
        ([(1.0, 2.0)], 1),
        ([(1.0, 2.0), (3.0, 4.0)], 2),
        ([(1.0, 2.0), (2.0, 3.0)], 2),
        ([(1.0, 2.0), (1.9, 3.0)], 1),
        ([(1.0, 9.0), (2.0, 3.0), (8.0, 9.5)], 1),
        ([(0.0, 0.0)], 1),
        ([(3.0, 4.0), (1.0, 2.0), (1.0, 2.0)], 2),
    ],
)
def test_clues_that_overlap_tell_of_one_occasion(
    spans: list[tuple[float, float]], count: int
) -> None:
    assert occasions([at(*span) for span in spans]) == count
    assert occasions([WITHOUT, WITHOUT]) == 1


SMALL, LARGE = "The person smiles slightly.", "The person smiles clearly."
TURNS = [f"The person turns the head away (by {n} degrees)." for n in (20, 21, 22)]


@pytest.mark.parametrize(
    ("own", "other", "of", "expected"),
    [
        (at(0.0, 2.2), at(3.0, 5.0), "longer", True),
        (at(0.0, 2.1), at(3.0, 5.0), "longer", False),
        (at(0.0, 2.0), at(3.0, 5.2), "shorter", True),
        (at(0.0, 2.0), at(3.0, 5.1), "shorter", False),
        (at(0.0, 2.0), at(3.0, 5.2), "longer", False),
        (at(0.0, 2.0), WITHOUT, "longer", False),
        (WITHOUT, at(0.0, 2.0), "longer", False),
        (at(0.0, 1.0, LARGE), at(2.0, 3.0, SMALL), "stronger", True),
        (at(0.0, 1.0, SMALL), at(2.0, 3.0, LARGE), "stronger", False),
        (at(0.0, 1.0, SMALL), at(2.0, 3.0, LARGE), "weaker", True),
        (at(0.0, 1.0, LARGE), at(2.0, 3.0, LARGE), "stronger", False),
        (at(0.0, 1.0, LARGE), at(2.0, 3.0, "The person smiles."), "stronger", False),
        (at(0.0, 1.0, TURNS[2]), at(2.0, 3.0, TURNS[0]), "stronger", True),
        (at(0.0, 1.0, TURNS[1]), at(2.0, 3.0, TURNS[0]), "stronger", False),
        (at(0.0, 1.0, TURNS[0]), at(2.0, 3.0, TURNS[2]), "weaker", True),
    ],
)
def test_the_most_and_the_least_of_two_differ_by_a_twentieth(
    own: Carrier, other: Carrier, of: str, expected: bool
) -> None:
    assert is_extreme(own, [own, other], "smile", of) is expected
    assert not is_extreme(own, [own], "smile", of)


SMILE = Item("cue", "smile", 0, 5)


@pytest.mark.parametrize(
    ("held", "other", "is_elsewhere"),
    [
        (at(1.0, 2.0), at(4.0, 5.0), True),
        (at(1.0, 2.0), at(4.0, 5.0, "The person nods."), False),
        (at(1.0, 2.0), WITHOUT, False),
        (at(1.0, 2.0), at(2.0, 5.0), False),
        (at(1.0, 2.0), at(2.1, 2.5), False),
        (at(1.0, 2.0), at(2.1, 2.6), True),
        (at(1.0, 2.0), at(0.5, 0.9), False),
        (at(1.0, 2.0), at(0.4, 0.9), True),
        (at(1.0, 2.0, person="person 1"), at(4.0, 5.0, person="person 1"), True),
        (at(1.0, 2.0, person="person 1"), at(4.0, 5.0, person="person 2"), False),
        (at(1.0, 2.0, person="person 1"), at(4.0, 5.0), True),
        (at(1.0, 2.0), at(4.0, 5.0, person="person 2"), True),
    ],
)
def test_another_time_of_the_same_person(held: Carrier, other: Carrier, is_elsewhere: bool) -> None:
    assert elsewhere(SMILE, [held], [held, other]) == ([other] if is_elsewhere else [])
