"""Stretches bridge short gaps; legs are the rises and falls that matter."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emer.tools.timeseries import legs, median_of_three, sparse_stretches, turning_points

TIMES = [i * 0.2 for i in range(20)]


def test_gaps_are_bridged_and_single_samples_dropped() -> None:
    holds = [i in (1, 2, 4, 5, 12) for i in range(20)]
    assert sparse_stretches(TIMES, holds, gap=0.5, least=0.2) == [(1, 5)]


def test_stretches_must_last() -> None:
    assert sparse_stretches(TIMES, [i in (3, 4) for i in range(20)], 0.5, 0.5) == []


def test_samples_far_apart_are_not_one_stretch() -> None:
    assert sparse_stretches([0.0, 1.0, 2.0, 2.3], [True] * 4, 0.65, 0.18) == [(2, 3)]


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.1, 0.2, 0.7])), max_size=60))
def test_stretches_hold_at_both_ends_and_their_gaps_are_short(
    rows: list[tuple[bool, float]],
) -> None:
    holds, times = [h for h, _ in rows], np.cumsum([step for _, step in rows]).tolist()
    found = sparse_stretches(times, holds, 0.5, 0.0)
    assert all(holds[s.first] and holds[s.last] and s.first < s.last for s in found)
    assert all(times[b.first] - times[a.last] > 0.5 for a, b in pairwise(found))
    for one in found:
        inside = [times[i] for i in range(one.first, one.last + 1) if holds[i]]
        assert max(b - a for a, b in pairwise(inside)) <= 0.5 + 1e-6


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


def test_turning_points_of_a_wave() -> None:
    t = np.arange(100) / 25
    wave = np.cos(2 * np.pi * t)
    assert turning_points(wave, 1.0) == pytest.approx([0, 12, 25, 37, 50, 62, 75, 87, 99], abs=1)
    assert turning_points(wave, 2.5) == []
