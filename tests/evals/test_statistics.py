"""Statistics on draws of clips, and the intervals they give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emer.evals.metrics import bootstrap
from emer.evals.metrics.bootstrap import (
    Average,
    Difference,
    Draws,
    Estimate,
    Harmonic,
    estimate,
    mean,
    ratio,
    value,
)

SHARES = st.floats(0, 1, allow_nan=False)


def test_a_clip_that_takes_no_part_changes_nothing() -> None:
    assert value(mean([1.0, np.nan, 0.0]), 3) == 0.5
    assert np.isnan(value(mean([np.nan]), 1))


def test_a_ratio_sums_before_it_divides() -> None:
    assert value(ratio([1, 0], [1, 3]), 2) == 0.25


def test_f_is_of_the_means_and_zero_where_both_are() -> None:
    assert value(Harmonic(mean([1.0, 0.0]), mean([1.0, 1.0])), 2) == pytest.approx(2 / 3)
    assert value(Harmonic(mean([0.0]), mean([0.0])), 1) == 0


def test_an_undefined_part_is_left_out_of_an_average() -> None:
    assert value(Average([mean([np.nan]), mean([0.5])]), 1) == 0.5


def test_drawing_a_clip_twice_counts_it_twice() -> None:
    draws = Draws(np.array([[2.0, 0.0, 1.0]]))
    assert mean([1.0, 5.0, 4.0]).at(draws)[0] == pytest.approx(2.0)


@given(st.lists(SHARES, min_size=2, max_size=30))
def test_the_interval_holds_the_mean_and_stays_in_range(values: list[float]) -> None:
    found = estimate({"m": mean(values)}, len(values), times=200)["m"]
    assert found.value == pytest.approx(np.mean(values))
    assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9


def test_the_interval_has_the_width_that_theory_gives() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(0, 1, 400)
    found = estimate({"m": mean(values)}, 400)["m"]
    assert found.high - found.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)


def test_the_same_seed_gives_the_same_interval_whatever_the_blocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = {"m": mean(np.linspace(0, 1, 50) ** 2)}
    once = estimate(values, 50, times=500)
    assert estimate(values, 50, times=500) == once
    assert estimate(values, 50, times=500, seed=1) != once
    monkeypatch.setattr(bootstrap, "CELLS", 50 * 500)
    assert estimate(values, 50, times=500) == once


def test_differences_are_paired() -> None:
    left = np.tile([0.0, 1.0], 50)
    near = left - 0.01
    alone = estimate({"a": mean(left)}, 100, times=1000)["a"]
    paired = estimate({"d": Difference(mean(left), mean(near))}, 100, times=1000)["d"]
    assert alone.high - alone.low > 0.1
    assert paired.low == pytest.approx(0.01) == pytest.approx(paired.high)
    assert paired.resolved
    assert not Estimate(0.1, -0.1, 0.3).resolved


def test_no_clips_give_no_interval() -> None:
    found = estimate({"m": mean([])}, 0)["m"]
    assert np.isnan(found.value)
