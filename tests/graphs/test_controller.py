"""Stop rules and which asks are carried out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emer.agents.types import Ask, Budget, Decision
from emer.graphs.controller import remaining, stop_reason
from emer.graphs.state import total, union, union_records
from emer.tools.types import Span

ASK = Ask(tool="mesh", span=Span(start=0, end=1), why="closer")
OPEN = Decision(hypotheses=())


@pytest.mark.parametrize(
    ("decision", "asks", "left", "barren", "expected"),
    [
        (OPEN, [ASK], Budget(), 0, None),
        (OPEN, [ASK], Budget(), 1, None),
        (OPEN, [ASK], Budget(), 2, "no_new_clues"),
        (OPEN, [], Budget(), 0, "nothing_to_ask"),
        (OPEN, [ASK], Budget(rounds=0), 0, "rounds_spent"),
        (OPEN, [ASK], Budget(tool_calls=0), 0, "tool_calls_spent"),
        (OPEN, [ASK], Budget(seconds=0), 0, "seconds_spent"),
        (OPEN, [ASK], Budget(tokens=0), 0, "tokens_spent"),
        (OPEN, [ASK], Budget(money=0), 0, "money_spent"),
        (OPEN, [ASK], Budget(rounds=1, tool_calls=1, seconds=0.01, tokens=1, money=0.01), 1, None),
        (OPEN, [ASK], Budget(rounds=0), 3, "no_new_clues"),
        (OPEN, [], Budget(rounds=0), 3, "nothing_to_ask"),
        (Decision(hypotheses=(), stop_reason="agreed"), [], Budget(rounds=0), 3, "agreed"),
        (Decision(hypotheses=(), stop_reason="sure"), [ASK], Budget(), 0, "sure"),
    ],
)
def test_the_reason_to_stop(decision, asks, left, barren, expected):
    assert stop_reason(decision, asks, left, barren) == expected


def test_what_is_left_is_never_negative():
    budget = Budget(rounds=1, tool_calls=2, seconds=3, tokens=4, money=5)
    used = Budget(rounds=2, tool_calls=1, seconds=9, tokens=5, money=1.5)
    assert remaining(budget, used) == Budget(rounds=0, tool_calls=1, seconds=0, tokens=0, money=3.5)
    assert remaining(Budget(), used).money is None
    spent = Budget(rounds=9, tool_calls=9, seconds=9, tokens=9, money=9)
    nothing = Budget(rounds=0, tool_calls=0, seconds=0, tokens=0, money=0)
    assert remaining(budget, spent) == nothing


def test_what_is_left_is_the_difference_without_float_noise():
    budget = Budget(rounds=5, tool_calls=6, seconds=9, tokens=70, money=0.3)
    used = Budget(rounds=2, tool_calls=1, seconds=1.2346, tokens=30, money=0.1)
    expected = Budget(rounds=3, tool_calls=5, seconds=7.765, tokens=40, money=0.2)
    assert remaining(budget, used) == expected
    unpaid = used.model_copy(update={"money": None})
    assert remaining(budget, unpaid).money == 0.3
    tiny = used.model_copy(update={"money": 0.1 + 4e-10, "seconds": 1.2344})
    left = remaining(budget, tiny)
    assert (left.seconds, left.money) == (7.766, 0.2), "to a thousandth and a billionth"


ids = st.lists(st.text(max_size=3))
records = st.lists(st.dictionaries(st.text(max_size=2), st.integers(), max_size=2), max_size=4)


@given(ids, ids, ids)
def test_merging_ids_is_set_union_in_any_order(a, b, c):
    assert union(union(a, b), c) == union(union(c, a), b) == sorted({*a, *b, *c})
    assert union(a, None) == []


@given(records, records, records)
def test_merging_records_does_not_depend_on_the_order(a, b, c):
    assert union_records(union_records(a, b), c) == union_records(union_records(b, c), a)
    assert union_records(a, None) == []


def test_counts_add_up_and_start_again():
    assert total(total(None, 1), 2) == 3 and total(3, None) == 0
