"""Events of made-up signals: thresholds, edges, gaps and gates, worked out by hand."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from emer.tools.face.action_units import (
    UNITS,
    Event,
    Unit,
    find_events,
    half_of,
    letter,
    seen_well,
)
from emer.tools.face.baseline import Changes
from emer.tools.face.geometry import Measures
from tests.fixtures.puppet import Array

T = np.arange(100) / 25.0
"""Four seconds of 25 frames each."""
BROW = Unit("brow", (1,), lambda c: c["signal"], trace=0.1, full=0.5)
LIPS = replace(BROW, name="lips", units=(12,))


def measures(times: Array = T, **columns: Any) -> Measures:
    """Frames of a face that looks straight ahead and is seen well."""
    zeros = {f.name: np.zeros(len(times)) for f in fields(Measures)}
    known = {"times": times, "sure": np.ones((len(times), 2)), **columns}
    return Measures(**zeros | known)


def changed(signal: Array, **columns: Array) -> Changes:
    """A signal over time; `columns`: turned (degrees), shut (0-1, both eyes), speaking (0 or 1)."""
    still = {name: np.zeros(len(signal)) for name in ("turned", "shut", "speaking")}
    fields = {**still, **columns}
    others = {name: column for name, column in columns.items() if name not in still}
    return Changes(
        values={"signal": signal, **others},
        gap=still["turned"],
        shape=still["turned"],
        turned=fields["turned"],
        skin=still["turned"] > 0,
        shut=np.stack([fields["shut"]] * 2, axis=1),
        speaking=fields["speaking"] > 0.5,
    )


FACS = {
    "smile": (12,), "one_corner": (12,), "corners_down": (15,), "brow_raise": (1, 2),
    "inner_brow_raise": (1,), "outer_brow_raise": (2,), "frown": (4,), "drawn_up": (1, 4),
    "wide_eyes": (5,), "pressed_lips": (23, 24, 28), "pucker": (18, 22), "stretched_lips": (20,),
    "chin_raise": (17,), "jaw_drop": (26,), "jaw_aside": (30,),
}  # fmt: skip
"""Ekman, Friesen and Hager (2002); what geometry cannot part has several numbers."""


def test_every_unit_has_its_number_in_the_facial_action_coding_system() -> None:
    assert {unit.name: unit.units for unit in UNITS} == FACS


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: f"{unit.name}-{unit.side}")
def test_every_unit_has_a_range_and_lasts_a_fifth_of_a_second_at_least(unit: Unit) -> None:
    assert 0.02 < unit.trace < unit.full / 2 and unit.full < 0.4
    assert 0.2 <= unit.shortest <= 0.4 and 0.0 < unit.pose < 0.003 and unit.trust == 1.0
    assert 0.0 <= unit.lids <= 0.03


def test_units_that_share_a_signal_share_its_threshold() -> None:
    """One movement gets one name: a brow is raised whole, or its inner or outer half."""
    for names in (("brow_raise", "inner_brow_raise", "outer_brow_raise"),):
        units = [unit for unit in UNITS if unit.name in names]
        assert len(units) == 3
        assert len({(u.signal, u.trace, u.pose, u.lids, u.shortest) for u in units}) == 1


def pulse(height: float, first: int = 40, last: int = 60, length: int = 100) -> Array:
    signal = np.zeros(length)
    signal[first : last + 1] = height
    return signal


def found(signal: Array, unit: Unit = BROW, where: Measures | None = None, **columns: Array):
    return find_events([unit], where or measures(), changed(signal, **columns))


def the_event(*args: Any, **columns: Any) -> Event:
    (event,) = found(*args, **columns)
    return event


@pytest.mark.parametrize(("height", "count"), [(0.1, 1), (0.099, 0), (0.5, 1)])
def test_a_movement_counts_from_the_units_trace_on(height: float, count: int) -> None:
    assert len(found(pulse(height))) == count


def test_a_plateau_is_told_with_its_edges_height_and_letter() -> None:
    event = the_event(pulse(0.3))
    assert (event.onset, event.apex, event.offset) == (1.6, 2.0, 2.4)
    assert (event.frames.first, event.frames.last) == (40, 60)
    assert (event.name, event.units, event.side) == ("brow", (1,), None)
    assert (event.peak, event.z, event.margin) == pytest.approx((0.3, 7.5, 3.0))
    assert (event.letter, event.by, event.trust) == ("D", "geometry", 1.0)
    other = replace(BROW, side="left", trust=0.5, shapes=("browInnerUp",))
    event = the_event(pulse(0.3), other)
    assert (event.side, event.trust, event.by) == ("left", 0.5, "blendshapes")


def triangle(height: float) -> Array:
    """From 0 at frame 29 to the height at frame 50, and back to 0 at frame 71."""
    return np.interp(np.arange(100), [29, 50, 71], [0.0, height, 0.0])


@pytest.mark.parametrize(
    ("height", "trace", "frames", "onset", "offset"),
    [
        (0.4, 0.02, (30, 70), 32, 68),  # a tenth: 0.04
        (0.4, 0.2, (35, 65), 34, 66),  # above the noise of 0.08
        (1.2, 0.2, (31, 69), 32, 68),  # a tenth: 0.12
        (0.1, 0.1, (40, 60), 35, 65),  # noise of 0.04 hides a quarter at most: 0.025
    ],
)
def test_a_movement_begins_and_ends_at_a_tenth_of_its_height_above_the_noise(
    height: float, trace: float, frames: tuple[int, int], onset: int, offset: int
) -> None:
    event = the_event(triangle(height), replace(BROW, trace=trace))
    assert event.frames == frames
    assert (event.onset, event.offset) == pytest.approx((onset / 25, offset / 25))
    assert event.apex == pytest.approx(2.0)


def test_an_opposite_movement_before_is_no_part_of_the_height() -> None:
    signal = np.interp(np.arange(100), [20, 25, 29, 50, 71], [0.0, -0.3, 0.0, 0.4, 0.0])
    event = the_event(signal, replace(BROW, trace=0.02))
    assert event.onset == pytest.approx(32 / 25), "a tenth: 0.04"


def test_the_foot_of_a_movement_is_sought_for_six_tenths_of_a_second() -> None:
    """A slow rise and fall: the foot is 0.25 above the value 15 frames before 0.5."""
    slow = np.interp(np.arange(121), [0, 60, 120], [0.0, 1.21, 0.0])
    event = the_event(slow, replace(BROW, trace=1.0), measures(np.arange(121) / 25))
    assert event.frames == (25, 95)
    assert (event.onset, event.offset) == pytest.approx((23 / 25, 97 / 25))


def test_a_movement_that_the_clip_cuts_begins_and_ends_with_the_clip() -> None:
    event = the_event(np.full(100, 0.3))
    assert (event.onset, event.apex, event.offset) == (0.0, 2.0, 3.96)


def test_two_movements_share_no_frame() -> None:
    """The signal rests at 0.04 between them, above a tenth of their height."""
    signal = np.maximum(pulse(0.3, 20, 30), pulse(0.3, 42, 52))
    signal[31:42] = 0.045
    one, two = found(signal)
    assert (one.frames, two.frames) == ((20, 30), (42, 52))
    assert one.offset < two.frames.first / 25 and two.onset > one.frames.last / 25


@pytest.mark.parametrize(("gap", "count"), [(6, 1), (7, 1), (8, 2)])
def test_movements_less_than_three_tenths_apart_are_one(gap: int, count: int) -> None:
    signal = np.maximum(pulse(0.3, 20, 30), pulse(0.3, 30 + gap, 60))
    assert len(found(signal)) == count


def test_a_hole_in_the_footage_parts_a_movement() -> None:
    times = np.where(np.arange(100) < 50, T, T + 0.46)
    assert [e.frames for e in found(pulse(0.3), where=measures(times))] == [(40, 49), (50, 60)]
    near = np.where(np.arange(100) < 50, T, T + 0.4)
    assert [e.frames for e in found(pulse(0.3), where=measures(near))] == [(40, 60)]


@pytest.mark.parametrize(("frames", "count"), [(5, 1), (4, 0)])
def test_a_movement_lasts_a_fifth_of_a_second(frames: int, count: int) -> None:
    assert len(found(pulse(0.3, 40, 39 + frames))) == count


def test_half_of_the_threshold_keeps_a_movement_going() -> None:
    falling = pulse(0.3, 40, 50) + pulse(0.05, 51, 70)
    assert the_event(falling).frames == (40, 70)
    assert the_event(pulse(0.3, 40, 50) + pulse(0.049, 51, 70)).frames == (40, 50)


def test_the_noise_of_the_measurement_raises_the_threshold_by_sixty_percent_at_most() -> None:
    noise = np.where(np.arange(100) % 2, -1.0, 1.0)
    noisy = {n: n * noise * (pulse(1.0) == 0) for n in (0.01, 1.0)}
    assert found(pulse(0.1) + np.minimum(noisy[0.01], 0)) != [], "0.015 is below the trace's 0.04"
    loud = np.minimum(noisy[1.0], 0.0)
    assert found(pulse(0.159) + loud) == []
    assert the_event(pulse(0.161) + loud).z == pytest.approx(0.161 / 0.064)


@pytest.mark.parametrize(
    ("turned", "height", "count"),
    [(5.0, 0.1, 1), (15.0, 0.199, 0), (15.0, 0.201, 1), (0.0, 0.1, 1)],
)
def test_a_turn_of_the_head_beyond_five_degrees_feigns_movement(
    turned: float, height: float, count: int
) -> None:
    unit = replace(BROW, pose=0.01)
    assert len(found(pulse(height), unit, turned=np.full(100, turned))) == count


@pytest.mark.parametrize(("height", "count"), [(0.129, 0), (0.131, 1)])
def test_shut_lids_feign_movement(height: float, count: int) -> None:
    assert len(found(pulse(height), replace(BROW, lids=0.03), shut=np.ones(100))) == count


@pytest.mark.parametrize(
    ("unit", "speaking", "height", "count"),
    [
        (LIPS, 1.0, 0.179, 0),
        (LIPS, 1.0, 0.181, 1),
        (LIPS, 0.0, 0.1, 1),
        (BROW, 1.0, 0.1, 1),
        (replace(LIPS, units=(34,)), 1.0, 0.179, 0),
        (replace(LIPS, units=(5,)), 1.0, 0.1, 1),
    ],
)
def test_a_mouth_that_speaks_must_move_more(
    unit: Unit, speaking: float, height: float, count: int
) -> None:
    assert len(found(pulse(height), unit, speaking=np.full(100, speaking))) == count


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: f"{unit.name}-{unit.side}")
def test_every_unit_of_the_lower_face_must_move_more_in_speech(unit: Unit) -> None:
    plain = replace(unit, signal=BROW.signal, test=None)
    signal = pulse(1.5 * unit.trace, 30, 60)
    assert len(found(signal, plain)) == 1
    speaks = found(signal, plain, speaking=np.ones(100))
    assert len(speaks) == 1 - half_of(unit.units)


def test_the_test_of_a_unit_is_on_the_upper_half_of_the_movement() -> None:
    """The condition holds in frames 45 to 55 alone, where the signal is high."""
    signal = np.interp(np.arange(100), [35, 45, 55, 65], [0.0, 0.4, 0.4, 0.0])
    unit = replace(BROW, test=lambda c: c["holds"] > 0.5)
    assert len(found(signal, unit, holds=pulse(1.0, 45, 55))) == 1
    assert found(signal, unit, holds=np.zeros(100)) == []
    outside = np.ones(100) - pulse(1.0, 38, 62)
    assert found(signal, unit, holds=outside) == []


def test_the_apex_is_the_middle_of_the_top_tenth() -> None:
    signal = pulse(0.2, 40, 60)
    signal[42:47] = 0.4
    signal[47] = 0.37
    signal[48:] = np.minimum(signal[48:], 0.35)
    event = the_event(signal)
    assert (event.apex, event.peak) == pytest.approx((44 / 25 + 1 / 25, 0.4))


def test_events_are_in_order_of_their_onsets_then_names() -> None:
    units = [replace(BROW, name=name) for name in ("b", "a")]
    late = replace(BROW, name="late", signal=lambda c: np.roll(c["signal"], 20))
    events = find_events([late, *units], measures(), changed(pulse(0.3)))
    assert [e.name for e in events] == ["a", "b", "late"]


@pytest.mark.parametrize(
    ("degrees", "share"), [(0, 1.0), (32, 1.0), (34, 0.75), (38, 0.25), (40, 0.0), (60, 0.0)]
)
def test_a_turned_face_is_seen_less_and_from_forty_degrees_not_at_all(degrees, share) -> None:
    for axis in ("yaw", "pitch"):
        for sign in (-1, 1):
            turned = measures(**{axis: np.full(100, sign * float(degrees))})
            assert seen_well(turned, 0) == pytest.approx(np.full(100, share))
    both = measures(yaw=np.full(100, 34.0), pitch=np.full(100, -20.0))
    assert seen_well(both, 0) == pytest.approx(np.full(100, 0.75)), "the larger of the two"


def test_a_covered_half_of_the_face_is_not_seen() -> None:
    sure = np.column_stack((np.full(100, 0.8), np.full(100, 0.3)))
    half_seen = measures(sure=sure, yaw=np.full(100, 36.0))
    assert seen_well(half_seen, 0) == pytest.approx(np.full(100, 0.4))
    assert seen_well(half_seen, 1) == pytest.approx(np.full(100, 0.15))
    assert [half_of((number,)) for number in (1, 2, 4, 5, 6, 7, 12, 17)] == [0] * 6 + [1] * 2


@pytest.mark.parametrize(("degrees", "count"), [(32.0, 1), (45.0, 0), (-45.0, 0)])
def test_a_head_turned_away_shows_no_movement(degrees: float, count: int) -> None:
    for axis in ("yaw", "pitch"):
        turned = measures(**{axis: np.full(100, degrees)})
        assert len(found(pulse(0.4), where=turned)) == count


def test_a_movement_of_a_covered_half_is_not_told() -> None:
    covered = measures(sure=np.column_stack((np.zeros(100), np.ones(100))))
    assert found(pulse(0.4), BROW, covered) == []
    assert the_event(pulse(0.4), LIPS, covered).peak == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("peak", "expected"),
    [(0.0, "A"), (0.099, "A"), (0.101, "B"), (0.201, "C"), (0.301, "D"), (0.401, "E"), (9, "E"),
     (-0.1, "A")],
)  # fmt: skip
def test_letters_divide_the_range_into_fifths(peak: float, expected: str) -> None:
    assert letter(peak, BROW) == expected
