"""Behaviours of eyes, head and mouth: blinks, gaze, nods, held poses, speech."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from emer.tools.face.baseline import Rest
from emer.tools.face.geometry import Measures
from emer.tools.timeseries import (
    Floats,
    Mask,
    Stretch,
    at_least,
    frame_time,
    hysteresis,
    join_close,
    length,
    mask_of,
    smooth,
    split_at_holes,
    stretches,
    turning_points,
)

BLINK: Final = 0.55
"""Share of the eyes' usual opening below which they count as shutting (0.6-0.75
and below are in use; ours is strict)."""
SHUT: Final = 0.34
LONGEST_BLINK_S: Final = 0.4
CLOSURE_S: Final = 0.5
DOWN: Final = 0.06
"""Iris below its usual height, in eye widths, from which the gaze is down."""
ASIDE_DEG: Final = 20.0
CAMERA_DEG: Final = 15.0
"""Coarse: gaze from landmarks errs by 10-20 degrees."""


class Lids(NamedTuple):
    """Blinks, closures, winks of a named side, and narrowed eyes."""

    blinks: list[Stretch]
    closures: list[Stretch]
    winks: list[tuple[str, Stretch]]
    narrowings: list[Stretch]


def find_lids(measures: Measures, rest: Rest, smiling: Mask) -> Lids:
    """Blinks, closures of 0.5 s or more, winks and narrowed eyes."""
    times, winks = measures.times, []
    share = measures.eye_opening / np.maximum(rest.levels["eye_opening"], 0.2)
    share = np.where(measures.sure[:, :1] > 0.5, share, 1.0)
    both = share.max(axis=1)
    shut = split_at_holes(join_close(stretches(both < BLINK), times, 0.06), times)
    blinks = [s for s in shut if _is_blink(s, both, times)]
    closures = at_least(join_close(stretches(both < SHUT), times, 0.15), times, CLOSURE_S)
    narrow, down = smooth(both, times, 0.5), _gaze_change(measures, rest)[:, 1] < -DOWN / 2
    squint = (narrow < 0.8) & (narrow > 0.5) & ~down & ~smiling
    narrowings = at_least(join_close(stretches(squint), times, 0.2), times, CLOSURE_S)
    for side, name in enumerate(("right", "left")):
        alone = (share[:, side] < 0.45) & (share[:, 1 - side] > 0.6)
        runs = at_least(join_close(stretches(alone), times, 0.1), times, 0.3)
        winks += [(name, run) for run in runs]
    return Lids(blinks, closures, sorted(winks, key=lambda w: w[1].first), narrowings)


def _is_blink(one: Stretch, share: Floats, times: Floats) -> bool:
    if length(one, times) > LONGEST_BLINK_S or share[one.part].min() > 0.5:
        return False
    before = share[max(0, one.first - 4) : one.first]
    after = share[one.last + 1 : one.last + 5]
    sides = [part.max() for part in (before, after) if len(part)]
    return len(sides) == 2 and min(sides) > 0.6


def _gaze_change(measures: Measures, rest: Rest) -> Floats:
    """Place of the irises against their usual one, (n, 2): left, up; in eye widths."""
    up = measures.gaze_up - rest.levels["gaze_up"]
    return smooth(np.stack([measures.gaze_across, up], axis=1), measures.times, 0.2)


class Gaze(NamedTuple):
    """Coarse directions of the gaze."""

    camera: Mask
    """The frames in which the eyes point roughly at the camera."""
    away: dict[str, list[Stretch]]
    """Looks "down", "up", and to the subject's own "left" and "right"."""


def find_gaze(measures: Measures, rest: Rest, shut: list[Stretch]) -> Gaze:
    """The directions of the gaze while the eyes are not `shut`."""
    times, eyes = measures.times, _gaze_change(measures, rest)
    # an eyeball has a radius of 0.4 eye widths
    left, up = np.degrees(np.arcsin(np.clip(eyes / 0.4, -1, 1))).T
    across, upward = measures.yaw + left, measures.pitch - rest.pitch + up
    seen = ~mask_of(shut, len(times)) & (np.abs(measures.yaw) < 40) & (measures.sure[:, 0] > 0.5)
    lids = measures.openness / np.maximum(rest.levels["eye_opening"].mean(), 0.2)
    masks = {
        "down": seen & (eyes[:, 1] < -DOWN) & (smooth(lids, times, 0.2) < 0.75),
        "up": seen & (eyes[:, 1] > DOWN) & (upward > 12),
        "left": seen & (across > ASIDE_DEG) & (eyes[:, 0] > 0.04),
        "right": seen & (across < -ASIDE_DEG) & (eyes[:, 0] < -0.04),
    }
    away = {k: at_least(join_close(stretches(m), times, 0.2), times, 0.5) for k, m in masks.items()}
    camera = (np.abs(across) < CAMERA_DEG) & (np.abs(upward) < CAMERA_DEG) & seen
    return Gaze(np.asarray(camera), away)


NOD_DEG: Final = 4.0
SHAKE_DEG: Final = 5.0
DOMINANCE: Final = 1.8
"""How much more the one axis must swing than the other."""
LEAST_SWINGS: Final = 3
SLOWEST_SWING_S: Final = 0.7
EVEN: Final = 0.4
"""Least ratio of the smallest to the largest swing: a turn of the head to
somewhere else is one large swing, and no shake. Chosen by us."""


class HeadMove(NamedTuple):
    """A rhythmic movement of the head, or a held position away from where it rests."""

    name: str
    """In words: "nods", "lowers the head"."""
    frames: Stretch
    degrees: float
    """Of a rhythmic movement peak to peak."""
    half_swings: int = 0


def find_swings(measures: Measures) -> list[HeadMove]:
    """Nods (pitch) and shakes (yaw): three or more even swings, 0.7-5 Hz apart."""
    times, swings = measures.times, []
    pitch, yaw = smooth(measures.pitch, times, 0.12), smooth(measures.yaw, times, 0.12)
    for name, angle, other, least in (
        ("nods", pitch, yaw, NOD_DEG), ("shakes the head", yaw, pitch, SHAKE_DEG)
    ):  # fmt: skip
        turns = turning_points(angle, least)
        for run in _even_runs(turns, angle, times):
            if angle[run.part].std() > DOMINANCE * other[run.part].std():
                count = sum(run.first <= t <= run.last for t in turns) - 1
                swings.append(HeadMove(name, run, float(np.ptp(angle[run.part])), count))
    return sorted(swings, key=lambda s: (s.frames, s.name))


def _even_runs(turns: list[int], angle: Floats, times: Floats) -> list[Stretch]:
    """Runs of at least three swings alike in size, each of 0.1-0.7 s."""
    runs: list[Stretch] = []
    start = 0
    for end in range(1, len(turns) + 1):
        if end < len(turns):
            swings = turns[start : end + 1]
            sizes, seconds = np.abs(np.diff(angle[swings])), np.diff(times[swings])
            quick = ((seconds >= 0.08) & (seconds <= SLOWEST_SWING_S)).all()
            if quick and sizes.min() >= EVEN * sizes.max():
                continue
        if end - 1 - start >= LEAST_SWINGS:
            runs.append(Stretch(turns[start], turns[end - 1]))
        start = max(start + 1, end - 1)
    return runs


def find_moves(measures: Measures) -> list[HeadMove]:
    """Poses of the head away from its rest, held for 0.5 s or more."""
    times, yaw = measures.times, measures.yaw
    pitch = measures.pitch - np.median(measures.pitch)
    roll = measures.roll - np.median(measures.roll)
    poses = []
    for name, angle, least in (
        ("lowers the head", -pitch, 10.0), ("raises the head", pitch, 10.0),
        ("tilts the head to the right", roll, 12.0), ("tilts the head to the left", -roll, 12.0),
        ("turns the head away to the left", np.maximum(yaw, 0.0), 25.0),
        ("turns the head away to the right", np.maximum(-yaw, 0.0), 25.0),
    ):  # fmt: skip
        level = np.full(len(times), least)
        mask = hysteresis(smooth(angle, times, 0.3), level, 0.6 * level)
        runs = split_at_holes(join_close(stretches(mask), times, 0.3), times)
        for run in at_least(runs, times, 0.5):
            poses.append(HeadMove(name, run, float(angle[run.part].max())))
    return sorted(poses, key=lambda m: (m.frames, m.name))


STROKE: Final = 0.022
"""Smallest opening or closing, in IOD, of one articulation (chosen by us)."""
RATE: Final = 3.0
"""Turns of the lips' movement per second from which it looks like speech:
syllables come at 3-8 per second, and each opens and closes the mouth."""
STILL: Final = 1.0
"""Articulations per second up to which a mouth is still: a third of `RATE` (chosen by us)."""
MOSTLY_SEEN, LEAST_SEEN = 0.8, 1.5
"""Share of the time and seconds that a mouth is seen which is described as still (ours)."""
OPEN: Final = 0.08
WIDE: Final = 0.28
"""Gap between the lips, in IOD, of an open and a widely open mouth (chosen by us)."""
LONG_OPEN_S: Final = 0.8
"""Least seconds of a mouth that is open but not wide: longer than a drawn-out vowel (by us)."""
SPEECH_REACH_S: Final = 0.5
UNCOVERED: Final = 0.25
"""Confidence above which the mouth is seen."""


def _articulations(measures: Measures) -> Mask:
    """The frames in which lips that are seen turn between opening and closing."""
    turns = np.zeros(len(measures), dtype=bool)
    turns[turning_points(measures.mouth_gap, STROKE)] = True
    return turns & (measures.sure[:, 1] > UNCOVERED)


def is_silent(measures: Measures) -> bool:
    """Whether the mouth is seen nearly all the time, and hardly ever moves.

    Speech, even of a word or two, has several articulations in a second.
    """
    seconds = float(measures.times[-1] - measures.times[0])
    seen = float((measures.sure[:, 1] > UNCOVERED).mean()) >= MOSTLY_SEEN
    return seen and seconds >= LEAST_SEEN and _articulations(measures).sum() <= STILL * seconds


def speaking(measures: Measures) -> Mask:
    """The frames in which the mouth opens and closes as it does in speech."""
    times, turns = measures.times, _articulations(measures)
    window = max(1.0, frame_time(times))
    rate = np.array([turns[np.abs(times - time) <= 0.5].sum() / window for time in times])
    runs = split_at_holes(join_close(stretches(rate >= RATE), times, 1.0), times)
    return mask_of(at_least(runs, times, 1.0), len(times))


def open_mouth(measures: Measures, speech: Mask) -> list[Stretch]:
    """Stretches in which the mouth stays open without speaking: wide, or for long.

    Vowels open the mouth, too: what begins or ends within half a second of speech is speech.
    """
    times, gap = measures.times, smooth(measures.mouth_gap, measures.times, 0.2)
    level = np.full(len(gap), OPEN)
    mask = hysteresis(gap, level, 0.7 * level) & ~speech & (measures.sure[:, 1] > UNCOVERED)
    runs = at_least(split_at_holes(join_close(stretches(mask), times, 0.3), times), times, 0.4)
    reach = round(SPEECH_REACH_S / frame_time(times))
    return [
        run
        for run in runs
        if gap[run.part].max() > WIDE
        or (
            length(run, times) >= LONG_OPEN_S
            and not speech[max(0, run.first - reach) : run.last + reach + 1].any()
        )
    ]
