"""Runs bridge short gaps; legs are the rises and falls that matter."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emer.tools.timeseries import legs, median_of_three, runs

TIMES = [i * 0.2 for i in range(20)]


def test_runs_bridge_gaps_and_drop_single_moments() -> None:
    holds = [i in (1, 2, 4, 5, 12) for i in range(20)]
    found = runs(TIMES, holds, max_gap=0.5, min_length=0.2)
    assert [(run.start, run.end, run.indices) for run in found] == [
        (pytest.approx(0.2), pytest.approx(1.0), (1, 2, 4, 5))
    ]


def test_runs_must_last() -> None:
    assert runs(TIMES, [i in (3, 4) for i in range(20)], 0.5, 0.5) == []


@given(st.lists(st.booleans(), max_size=60))
def test_runs_hold_at_both_ends_and_do_not_overlap(holds: list[bool]) -> None:
    times = [i * 0.2 for i in range(len(holds))]
    found = runs(times, holds, 0.5, 0.0)
    assert all(holds[i] for run in found for i in run.indices)
    assert all(a.end < b.start for a, b in pairwise(found))


def test_a_step_up_and_down_gives_two_legs_where_they_happen() -> None:
    values = [0.0] * 6 + [0.1, 0.2, 0.3] + [0.3] * 5 + [0.15] + [0.0] * 5
    up, down = legs(TIMES, values, 0.2)
    assert (up.change, down.change) == pytest.approx((0.3, -0.3))
    assert 1.0 <= up.start < up.end <= 1.7
    assert 2.5 <= down.start < down.end <= 3.1


@given(st.lists(st.floats(-0.09, 0.09), min_size=1, max_size=40))
def test_small_wobbles_are_no_legs(values: list[float]) -> None:
    assert legs([i * 0.2 for i in range(len(values))], values, 0.2) == []


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=40))
def test_legs_are_large_alternate_and_follow_each_other(values: list[float]) -> None:
    found = legs([float(i) for i in range(len(values))], values, 0.5)
    assert all(abs(leg.change) >= 0.5 and leg.start <= leg.end for leg in found)
    assert all(a.change * b.change < 0 for a, b in pairwise(found))
    assert all(a.end <= b.start for a, b in pairwise(found))


def test_a_single_outlier_is_smoothed_away() -> None:
    assert median_of_three([1.0, 1.0, 9.0, 1.0, 1.0]) == [1.0] * 5
    assert median_of_three([2.0]) == [2.0]
    assert median_of_three([]) == []
