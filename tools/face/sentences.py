"""Clue sentences of faces.

A finding: one sentence about a face, with its time, its weight and its numbers.

Sentences about states: speech, open mouth, blinks, gaze, head, and a still face.

Clues about the people of a clip: which findings are told, in which words, how well measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from pydantic import JsonValue

from emer.tools.errors import Unobservable
from emer.tools.face.action_unit_sentences import of_units
from emer.tools.face.action_units import seen_well
from emer.tools.face.analysis import Portrait, Reading, why_none
from emer.tools.face.behaviours import WIDE
from emer.tools.face.findings import Finding, touches, when_each
from emer.tools.face.tracker import DARK, SMALLEST_PX
from emer.tools.text import when
from emer.tools.timeseries import Mask, Stretch, frame_time, length, stretches
from emer.tools.types import Clue, Quality, Source, Span

MOST_OF_THE_TIME: Final = 0.7
BLINKS_NEED_FPS: Final = 18.0
"""A blink lasts 0.1-0.4 s: with fewer frames per second some fall between two."""
STILL_FOR_S: Final = 3.0
STILL_PX: Final = 110
"""That a face rests is said only where it was seen long and large enough to tell."""
TURNED: Final = 30.0
HEAD_WORDS: Final = {
    "lowers": "lowers the head",
    "raises": "raises the head",
    "tilts_right": "tilts the head to the right",
    "tilts_left": "tilts the head to the left",
    "turns_left": "turns the head away to the left",
    "turns_right": "turns the head away to the right",
}


def of_states(portrait: Portrait, inside: Mask) -> Iterator[Finding]:
    """Yield what can be said besides action units."""
    yield from _of_speech(portrait, inside)
    yield from _of_open_mouth(portrait, inside)
    yield from _of_lids(portrait, inside)
    yield from _of_gaze(portrait, inside)
    yield from _of_head(portrait, inside)
    yield from _of_stillness(portrait, inside)


def _finding(
    portrait: Portrait,
    says: str,
    run: Stretch,
    weight: float,
    data: dict[str, JsonValue],
    half: int | None = 0,
) -> Finding:
    times = portrait.measures.times
    start, end = float(times[run.first]), float(times[run.last])
    return Finding(says, start, end, weight, data, run, half)


def _around(inside: Mask) -> Stretch:
    frames = np.flatnonzero(inside)
    return Stretch(int(frames[0]), int(frames[-1]))


def _of_speech(portrait: Portrait, inside: Mask) -> Iterator[Finding]:
    runs = stretches(portrait.speech & inside)
    if not runs:
        return
    times, gap = portrait.measures.times, portrait.measures.mouth_gap
    share = float(portrait.speech[inside].mean())
    spoken: list[JsonValue] = [
        [round(float(times[r.first]), 2), round(float(times[r.last]), 2)] for r in runs
    ]
    moves = float(np.abs(np.diff(gap, prepend=gap[0]))[portrait.speech & inside].mean())
    data: dict[str, JsonValue] = {
        "state": "mouth moves as in speech",
        "intervals": spoken,
        "share": round(share, 2),
        "lip_speed_iod_per_s": round(moves / frame_time(times), 2),
    }
    says = (
        f" may be talking: the mouth moves as in speech {when_each(runs, times)} "
        f"({share:.0%} of the time seen)."
    )
    run = Stretch(runs[0].first, runs[-1].last)
    yield _finding(portrait, says, run, 1.5 + share, data, half=1)


def _of_open_mouth(portrait: Portrait, inside: Mask) -> Iterator[Finding]:
    runs = [r for r in portrait.mouth_open if touches(r, inside)]
    times, gap = portrait.measures.times, portrait.measures.mouth_gap
    runs.sort(key=lambda r: (-float(gap[r.first : r.last + 1].max()), r.first))
    for rank, run in enumerate(runs[:2]):
        part = gap[run.first : run.last + 1]
        peak = float(np.quantile(part, 0.9))
        wide, high = peak > WIDE, times[run.first + int(part.argmax())]
        units: list[JsonValue] = ["AU25", "AU27" if wide else "AU26"]
        says = (
            f" opens the mouth{' wide' if wide else ''} "
            f"at {when(float(times[run.first]), float(times[run.last]))}, most at {high:.1f} s "
            f"(AU{'25+27' if wide else '25/26'}, no speech-like movement)."
        )
        data: dict[str, JsonValue] = {
            "state": "mouth open", "action_units": units, "gap_iod": round(peak, 2),
        }  # fmt: skip
        weight = (6.0 if wide else 2.5) * 0.6**rank * min(1.0, 0.5 + length(run, times) / 2)
        yield _finding(portrait, says, run, weight, data, half=1)


def _of_lids(portrait: Portrait, inside: Mask) -> Iterator[Finding]:
    times, lids = portrait.measures.times, portrait.lids
    blinks = [b for b in lids.blinks if touches(b, inside)]
    if blinks and frame_time(times) <= 1 / BLINKS_NEED_FPS:
        yield _of_blinks(portrait, blinks, inside)
    closed = sorted(lids.closures, key=lambda r: (-length(r, times), r.first))
    for rank, run in enumerate([r for r in closed if touches(r, inside)][:2]):
        lasts = length(run, times)
        says = f" closes the eyes {_when(portrait, run)} (for {lasts:.1f} s, AU43)."
        yield _finding(portrait, says, run, 6.0 * 0.7**rank, {"state": "eyes closed", "s": lasts})
    for side, run in [w for w in lids.winks if touches(w[1], inside)][:2]:
        says = f" shuts the {side} eye alone {_when(portrait, run)} (AU46)."
        yield _finding(portrait, says, run, 3.0, {"state": "one eye shut", "side": side})
    narrowed = sorted(lids.narrowings, key=lambda r: (-length(r, times), r.first))
    for run in [r for r in narrowed if touches(r, inside)][:1]:
        opened = portrait.measures.openness[run.first : run.last + 1].mean()
        share = float(opened / portrait.rest.levels["eye_opening"].mean())
        says = f" narrows the eyes {_when(portrait, run)} (to {share:.0%} of their usual opening)."
        data: dict[str, JsonValue] = {"state": "eyes narrowed", "share": round(share, 2)}
        yield _finding(portrait, says, run, 1.5 + length(run, times), data)


def _of_blinks(portrait: Portrait, blinks: list[Stretch], inside: Mask) -> Finding:
    times = portrait.measures.times
    middles = [round(float(times[(b[0] + b[1]) // 2]), 1) for b in blinks]
    count = len(blinks)
    often = "once" if count == 1 else f"{count} times"
    seen = float(inside.sum()) * frame_time(times)
    data: dict[str, JsonValue] = {"state": "blinks", "count": count, "at": list(middles)}
    listed = ", ".join(str(m) for m in middles[:6]) + (", ..." if count > 6 else "")
    says = f" blinks {often} in {seen:.1f} s (at {listed} s)."
    return _finding(portrait, says, Stretch(blinks[0][0], blinks[-1][1]), 0.8, data)


def _when(portrait: Portrait, run: Stretch) -> str:
    times = portrait.measures.times
    return f"at {when(float(times[run.first]), float(times[run.last]))}"


def _of_gaze(portrait: Portrait, inside: Mask) -> Iterator[Finding]:
    times, looks = portrait.measures.times, portrait.looks
    share = float(looks.camera[inside].mean())
    count = int(inside.sum())
    run = _around(inside)
    data: dict[str, JsonValue] = {"state": "looks towards the camera", "share": round(share, 2)}
    if share >= MOST_OF_THE_TIME:
        says = f" looks towards the camera most of the time ({share:.0%} of {count} frames)."
        yield _finding(portrait, says, run, 2.0, data)
    for way in ("down", "up", "left", "right"):
        runs = [r for r in getattr(looks, way) if touches(r, inside)]
        if not runs:
            continue
        words = way if way in ("down", "up") else f"to the {way}"
        lasts = sum(length(r, times) for r in runs)
        says = f" looks {words} {when_each(runs, times)}."
        if way in ("left", "right"):
            says = f" looks {words} {when_each(runs, times)} (the person's own {way})."
        extra: dict[str, JsonValue] = {"state": f"looks {words}", "seconds": round(lasts, 2)}
        span = Stretch(runs[0].first, runs[-1].last)
        yield _finding(portrait, says, span, (1.6 if way == "down" else 0.9) + lasts, extra)


def _of_head(portrait: Portrait, inside: Mask) -> Iterator[Finding]:
    for swing in [s for s in portrait.swings if touches(s.frames, inside)][:2]:
        does = "nods" if swing.name == "nod" else "shakes the head"
        says = (
            f" {does} {_when(portrait, swing.frames)} "
            f"({swing.half_swings} half swings, {swing.degrees:.0f} degrees peak to peak)."
        )
        data: dict[str, JsonValue] = {
            "state": does, "swings": swing.half_swings, "degrees": round(swing.degrees, 1),
        }  # fmt: skip
        yield _finding(portrait, says, swing.frames, 4.0, data, half=None)
    yaw = float(np.median(portrait.measures.yaw[inside]))
    if abs(yaw) > TURNED:
        side = "left" if yaw > 0 else "right"
        says = (
            f" has the head turned to the {side} most of the time (about {abs(yaw):.0f} degrees "
            f"from the camera, the person's own {side})."
        )
        data = {"state": "turned", "yaw": round(yaw)}
        yield _finding(portrait, says, _around(inside), 2.0, data, half=None)
    moves = [m for m in portrait.moves if touches(m.frames, inside)]
    if abs(yaw) > TURNED:
        moves = [m for m in moves if not m.name.startswith("turns")]
    times = portrait.measures.times
    moves.sort(key=lambda m: (-m.degrees * min(length(m.frames, times), 2.0), m.frames))
    for rank, move in enumerate(moves[:3]):
        says = (
            f" {HEAD_WORDS[move.name]} {_when(portrait, move.frames)} "
            f"(by up to {move.degrees:.0f} degrees)."
        )
        data = {"state": HEAD_WORDS[move.name], "degrees": round(move.degrees)}
        weight = (2.4 if move.name == "lowers" else 1.5) * 0.7**rank
        yield _finding(portrait, says, move.frames, weight, data, half=None)


def _of_stillness(portrait: Portrait, inside: Mask) -> Iterator[Finding]:
    """Say that brows and mouth corners rest, where they were seen well and do."""
    m = portrait.measures
    well = inside & (np.minimum(seen_well(m, 0), seen_well(m, 1)) > 0.5)
    seen = float(well.sum()) * frame_time(portrait.measures.times)
    moving = any(touches(e.frames, inside) for e in portrait.events)
    if moving or portrait.rest.smiling_throughout or seen < STILL_FOR_S:
        return
    if well.sum() < 0.9 * inside.sum() or np.median(portrait.measures.size) < STILL_PX:
        return
    says = "'s brows and mouth corners stay where they rest throughout."
    data: dict[str, JsonValue] = {"state": "brows and mouth corners level"}
    yield _finding(portrait, says, _around(inside), 1.0, data, half=None)


def head_facts(portrait: Portrait, run: Stretch) -> dict[str, float]:
    """Return the head's mean angles and the face's size during a stretch."""
    part = slice(run.first, run.last + 1)
    m = portrait.measures
    return {
        "face_px": round(float(np.median(m.size[part])), 0),
        "yaw_deg": round(float(np.abs(m.yaw[part]).mean()), 1),
        "pitch_deg": round(float(np.abs(m.pitch[part]).mean()), 1),
    }


CLUES_FIRST, CLUES_OTHERS, CLUES_CLOSER = 10, 5, 14
SHARP_PX = 120
"""Face size from which the 192-pixel landmark network sees all it can use."""
LEAST_SURE = 0.2
"""Share of the quality that is left where something covers the face (chosen by us)."""
WORTH_SAYING = 0.1
"""Measurements below this quality are left unsaid (chosen by us)."""


def tell(source: Source, reading: Reading, people: int, span: Span | None) -> Sequence[Clue]:
    """Return clues about at most `people` faces, in `span` only if given.

    `Unobservable` when no face could be measured.
    """
    if not reading.portraits:
        raise Unobservable(why_none(reading))
    clues = [
        clue
        for portrait in reading.portraits[:people]
        for clue in _tell(source, portrait, reading, span)
    ]
    if not clues and span is not None:
        raise Unobservable(f"no face was measured between {span.start} and {span.end} s")
    if not clues:
        raise Unobservable("faces were seen, but turned too far or too briefly to be read")
    return clues


def _tell(source: Source, portrait: Portrait, reading: Reading, span: Span | None) -> list[Clue]:
    """Return the weightiest clues about one person, in order of time."""
    found = find_all(portrait, span)
    first = portrait.person.number == 1
    most = CLUES_CLOSER if span else CLUES_FIRST if first else CLUES_OTHERS
    told = sorted(found[:most], key=lambda f: (f.start, f.end, f.says))
    clues = [_clue(source, portrait, reading, finding) for finding in told]
    return [clue for clue in clues if clue.quality.score >= WORTH_SAYING]


def _clue(source: Source, portrait: Portrait, reading: Reading, finding: Finding) -> Clue:
    alone = len(reading.portraits) == 1
    return Clue(
        modality="face",
        span=Span(start=round(finding.start, 2), end=round(finding.end, 2)),
        person=f"person {portrait.person.number}",
        text=(_name(portrait, alone) + finding.says),
        quality=_quality(portrait, reading, finding),
        source=source,
        data=finding.data,
    )


def find_all(portrait: Portrait, span: Span | None) -> list[Finding]:
    """Return all findings about one person, the weightiest first; in `span` only, if given."""
    times = portrait.measures.times
    inside = np.ones(len(times), dtype=bool)
    if span is not None:
        inside = (times >= span.start - 1e-6) & (times <= span.end + 1e-6)
    if not inside.any():
        return []
    found = [*of_units(portrait, inside), *of_states(portrait, inside)]
    return sorted(found, key=lambda f: (-f.weight, f.start, f.says))


def _name(portrait: Portrait, alone: bool) -> str:
    """Return "The person", or "Person 2 (on the left)" where there are several."""
    if alone:
        return "The person"
    return f"Person {portrait.person.number} ({portrait.person.where})"


def _quality(portrait: Portrait, reading: Reading, finding: Finding) -> Quality:
    """Score the measurement: face size, pose, light, how much is covered or unsure, and rest."""
    facts = head_facts(portrait, finding.frames)
    size = np.clip((facts["face_px"] - SMALLEST_PX) / (SHARP_PX - SMALLEST_PX), 0.1, 1.0)
    pose = np.clip(1.2 - facts["yaw_deg"] / 60 - facts["pitch_deg"] / 90, 0.2, 1.0)
    light = np.clip(reading.brightness / DARK, 0.4, 1.0)
    sure = np.clip(_sure(portrait, finding), LEAST_SURE, 1.0)
    own = finding.data.get("baseline", "own") == "own"
    rest = (1.0 if portrait.rest.seconds >= 2.0 else 0.5) if own else 0.5
    tracked = len(portrait.measures) / max(reading.frames, 1)
    return Quality(
        score=round(float(size * pose * light * rest * sure * finding.trust), 2),
        factors={
            **facts,
            "landmarks_sure": round(float(sure), 2),
            "tracked_share": round(tracked, 2),
            "brightness": round(reading.brightness, 0),
            **({"unit_quality": finding.trust} if finding.trust < 1.0 else {}),
            "baseline_s": round(portrait.rest.seconds if own else 0.0, 1),
        },
    )


def _sure(portrait: Portrait, finding: Finding) -> float:
    """Return how far the landmarks this rests on can be believed, on average (see `spread`)."""
    if finding.half is None:
        return 1.0
    part = slice(finding.frames.first, finding.frames.last + 1)
    return float(portrait.measures.sure[part, finding.half].mean())
