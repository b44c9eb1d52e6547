"""Which pictures are chosen: few, one a shot at least, spread, sharp, with a face."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emer.tools.caption.keyframes import Keyframe, choose

PICTURE = np.zeros((1, 1, 3), np.uint8)


def moment(time: float, sharp: float = 100.0, face: float = 0.0, grey: float | None = None):
    level = (time * 40) % 251 if grey is None else grey
    return Keyframe(PICTURE, time, sharp, face, np.full((16, 16), level, np.float32))


def even(seconds: float, rate: float = 4.0, **rest: float) -> list[Keyframe]:
    return [moment(n / rate, **rest) for n in range(round(seconds * rate))]


def times(chosen: list[Keyframe]) -> list[float]:
    return [each.time for each in chosen]


def test_a_long_shot_gets_one_for_each_stretch_near_its_middle():
    moments = even(8.0)
    assert times(choose(moments, (), 8, 2.0)) == [0.75, 2.75, 4.75, 6.75]
    assert len(choose(moments, (), 3, 2.0)) == 3 and len(choose(moments, (), 8, 20.0)) == 1


def test_each_shot_gets_one_however_short():
    moments = even(10.0)
    found = times(choose(moments, (0.75, 1.5, 9.0), 4, 2.0))
    assert found[0] < 0.75 <= found[1] < 1.5 <= found[2] < 9.0 <= found[3]


def test_of_more_shots_than_pictures_the_longest_get_theirs():
    moments = even(10.0)
    found = times(choose(moments, (1.0, 4.0, 5.0, 9.0), 2, 2.0))
    assert len(found) == 2 and 1.0 <= found[0] < 4.0 and 5.0 <= found[1] < 9.0


def test_a_face_goes_before_sharpness_and_sharpness_before_the_middle():
    blurred = [moment(n / 4, 10.0) for n in range(8)]
    blurred[6] = moment(1.5, 100.0)
    assert choose(blurred, (), 1, 5.0) == [blurred[6]]
    blurred[1] = moment(0.25, 60.0, face=0.2)
    assert choose(blurred, (), 1, 5.0) == [blurred[1]]


def test_what_shows_the_same_as_the_one_before_is_left_out():
    still = even(8.0, grey=90.0)
    assert len(choose(still, (), 8, 2.0)) == 1
    changed = [*still[:20], *(moment(m.time, grey=95.0) for m in still[20:])]
    assert len(choose(changed, (), 8, 2.0)) == 2
    smiled = even(8.0, grey=90.0)
    for each in smiled[16:]:
        each.layout[8, 8] += 6  # a mouth in the middle
    assert len(choose(smiled, (), 8, 2.0)) == 2


def test_nothing_gives_nothing():
    assert choose([], (), 8, 2.0) == choose([], (1.0, 2.0), 8, 2.0) == []


@given(
    count=st.integers(1, 60),
    cuts=st.lists(st.floats(0.1, 14.0), max_size=12, unique=True),
    most=st.integers(1, 12),
    seed=st.integers(0, 9),
)
def test_never_more_than_asked_in_time_order_and_one_a_shot_where_there_is_room(
    count, cuts, most, seed
):
    made = np.random.default_rng(seed)
    moments = [
        Keyframe(
            PICTURE,
            n / 4,
            made.uniform(1, 300),
            made.choice([0.0, 0.3]),
            made.uniform(0, 255, (16, 16)),
        )
        for n in range(count)
    ]
    found = times(choose(moments, sorted(cuts), most, 2.0))
    assert 1 <= len(found) <= most and found == sorted({*found})
    shots = {int(np.searchsorted(sorted(cuts), m.time + 1e-3)) for m in moments}
    taken = {int(np.searchsorted(sorted(cuts), time + 1e-3)) for time in found}
    assert taken == shots or len(taken) == most


@pytest.mark.parametrize("most", [1, 4, 8])
def test_the_choice_does_not_hang_on_a_thousandth(most):
    made = np.random.default_rng(1)
    sharp = made.uniform(50, 300, 40)
    one = [moment(n / 4, float(sharp[n])) for n in range(40)]
    other = [moment(n / 4, float(sharp[n]) * (1 + 1e-9)) for n in range(40)]
    assert times(choose(one, (3.0,), most, 2.0)) == times(choose(other, (3.0,), most, 2.0))
