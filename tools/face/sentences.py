"""Clues about the people of a clip: sentences on states, selection, quality."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from pydantic import JsonValue

from emer.tools.cues import stated
from emer.tools.errors import Unobservable
from emer.tools.face.action_unit_sentences import Finding, overlaps, unit_findings
from emer.tools.face.action_units import seen_well
from emer.tools.face.analysis import ClipAnalysis, FaceAnalysis, face_box, why_none
from emer.tools.face.behaviours import WIDE, is_silent
from emer.tools.face.tracker import DARK, SMALLEST_PX
from emer.tools.text import listed, when
from emer.tools.timeseries import Floats, Mask, Stretch, frame_time, length, stretches
from emer.tools.types import Clue, Quality, Source, Span

CLUES_FIRST, CLUES_OTHERS, CLUES_CLOSER = 10, 5, 14
"""Most clues about the first person, each other, and in a closer look."""
SHARP_PX: Final = 120
"""Face size from which the 192-pixel landmark network gets all it can use."""
LEAST_SURE: Final = 0.2
"""Share of the quality that is left where the face is covered (chosen by us)."""
LEAST_QUALITY: Final = 0.1
"""Measurements below this quality give no clue (chosen by us)."""
MOST_OF_THE_TIME: Final = 0.7
BLINKS_NEED_FPS: Final = 18.0
"""A blink lasts 0.1-0.4 s: with fewer frames per second some fall between two."""
STILL_FOR_S: Final = 3.0
STILL_PX: Final = 110
"""Least time and size from which a face is described as resting."""
TURNED: Final = 30.0
CUES: Final = {
    "mouth moves as in speech": "mouth_talking",
    "mouth open": "mouth_open",
    "mouth wide open": "jaw_drop",
    "blinks": "blink_count",
    "eyes closed": "eyes_closed",
    "one eye shut": "eye_closed_one",
    "eyes narrowed": "eyes_narrow",
    "looks towards the camera": "gaze_camera",
    "looks down": "gaze_down",
    "looks up": "gaze_up",
    "looks to the left": "gaze_averted",
    "looks to the right": "gaze_averted",
    "turned": "head_turned",
    "lowers the head": "head_down",
    "raises the head": "head_up",
    "tilts the head to the left": "head_tilt",
    "tilts the head to the right": "head_tilt",
    "turns the head away to the left": "head_away",
    "turns the head away to the right": "head_away",
    "nods": "nod",
    "shakes the head": "head_shake",
    "brows and mouth corners level": "face_at_rest",
}
"""Cue of each state."""


def face_clues(
    source: Source, analysis: ClipAnalysis, people: int, span: Span | None
) -> Sequence[Clue]:
    """Clues about at most `people` faces, in `span` only if given.

    `Unobservable` when no face could be measured.
    """
    if not analysis.faces:
        raise Unobservable(why_none(analysis.footage))
    clues = []
    for face in analysis.faces[:people]:
        most = CLUES_CLOSER if span else CLUES_FIRST if face.person.number == 1 else CLUES_OTHERS
        chosen = sorted(findings_of(face, span)[:most], key=lambda f: (f.start, f.end, f.text))
        of_person = [_clue(source, face, analysis, finding, span) for finding in chosen]
        clues += [clue for clue in of_person if clue.quality.score >= LEAST_QUALITY]
    if not clues and span is not None:
        raise Unobservable(f"no face was measured between {span.start} and {span.end} s")
    if not clues:
        raise Unobservable("faces were seen, but turned too far or too briefly to be read")
    return clues


def _clue(
    source: Source,
    face: FaceAnalysis,
    analysis: ClipAnalysis,
    finding: Finding,
    look: Span | None,
) -> Clue:
    """The finding as a clue.

    Args:
        source: Of the tool.
        face: The person's.
        analysis: Of the clip; of several people each is named by number and place.
        finding: The words after the name.
        look: Span of a closer look.
    """
    person, several = face.person, len(analysis.faces) > 1
    name = f"Person {person.number} ({person.where})" if several else "The person"
    hedged = finding.data.get("state") == "mouth moves as in speech"
    return Clue(
        modality="face",
        span=Span(start=round(finding.start, 2), end=round(finding.end, 2)),
        person=f"person {person.number}",
        text=name + finding.text,
        quality=_quality(face, analysis, finding),
        source=source,
        data=finding.data,
        cues=finding.cues,
        certainty="doubtful" if hedged else "stated",
        place=person.where if several else None,
        look=look,
    )


def findings_of(face: FaceAnalysis, span: Span | None) -> list[Finding]:
    """All findings about one person, the weightiest first; in `span` only, if given."""
    times = face.measures.times
    inside = np.ones(len(times), dtype=bool)
    if span is not None:
        inside = (times >= span.start - 1e-6) & (times <= span.end + 1e-6)
    if not inside.any():
        return []
    kinds = (unit_findings, _speech, _open_mouth, _lids, _gaze, _swings, _head, _resting_face)
    findings = (finding for find in kinds for finding in find(face, inside))
    return sorted(findings, key=lambda f: (-f.weight, f.start, f.text))


def _quality(face: FaceAnalysis, analysis: ClipAnalysis, finding: Finding) -> Quality:
    """The product of scores for face size, pose, light, cover, rest and method."""
    m, part = face.measures, finding.frames.part
    facts = {
        "face_px": round(float(np.median(m.size[part])), 0),
        "yaw_deg": round(float(np.abs(m.yaw[part]).mean()), 1),
        "pitch_deg": round(float(np.abs(m.pitch[part]).mean()), 1),
    }
    size = np.clip((facts["face_px"] - SMALLEST_PX) / (SHARP_PX - SMALLEST_PX), 0.1, 1.0)
    pose = np.clip(1.2 - facts["yaw_deg"] / 60 - facts["pitch_deg"] / 90, 0.2, 1.0)
    light = np.clip(analysis.footage.brightness / DARK, 0.4, 1.0)
    half = finding.half
    sure = np.clip(1.0 if half is None else float(m.sure[part, half].mean()), LEAST_SURE, 1.0)
    own_rest = finding.data.get("baseline", "own") == "own"
    rest = (1.0 if face.rest.seconds >= 2.0 else 0.5) if own_rest else 0.5
    return Quality(
        score=round(float(size * pose * light * rest * sure * finding.trust), 2),
        factors={
            **facts,
            "landmarks_sure": round(float(sure), 2),
            "tracked_share": round(len(m) / max(analysis.footage.frames, 1), 2),
            "brightness": round(analysis.footage.brightness, 0),
            **({"unit_quality": finding.trust} if finding.trust < 1.0 else {}),
            "baseline_s": round(face.rest.seconds if own_rest else 0.0, 1),
            **face_box(face.person, part, analysis.footage),
        },
    )


def _finding(
    face: FaceAnalysis, text: str, run: Stretch, weight: float, half: int | None = 0,
    **data: JsonValue,
) -> Finding:  # fmt: skip
    times = face.measures.times
    start, end, cues = (
        float(times[run.first]),
        float(times[run.last]),
        stated([CUES[str(data["state"])]]),
    )
    return Finding(text, start, end, weight, data, run, half, cues=cues)


def _whole(inside: Mask) -> Stretch:
    frames = np.flatnonzero(inside)
    return Stretch(int(frames[0]), int(frames[-1]))


def _when(face: FaceAnalysis, run: Stretch) -> str:
    return f"at {when(*face.measures.times[[*run]])}"


def _when_each(parts: Sequence[Stretch], times: Floats) -> str:
    """The three longest stretches in words: "at 0.0-3.4 s and 5.1-7.8 s"."""
    longest = sorted(_longest(parts, times)[:3])
    return "at " + listed([f"{times[s.first]:.1f}-{times[s.last]:.1f} s" for s in longest])


def _speech(face: FaceAnalysis, inside: Mask) -> Iterator[Finding]:
    runs = stretches(face.speech & inside)
    if not runs:
        yield from _still_mouth(face, inside)
        return
    times, gap = face.measures.times, face.measures.mouth_gap
    share = float(face.speech[inside].mean())
    moves = float(np.abs(np.diff(gap, prepend=gap[0]))[face.speech & inside].mean())
    yield _finding(
        face,
        f" may be talking: the mouth moves as in speech {_when_each(runs, times)} "
        f"({share:.0%} of the time seen).",
        Stretch(runs[0].first, runs[-1].last),
        1.5 + share,
        half=1,
        state="mouth moves as in speech",
        intervals=[[round(float(times[r.first]), 2), round(float(times[r.last]), 2)] for r in runs],
        share=round(share, 2),
        lip_speed_iod_per_s=round(moves / frame_time(times), 2),
    )


def _still_mouth(face: FaceAnalysis, inside: Mask) -> Iterator[Finding]:
    """That the mouth does not speak: whose voice is heard is then another's."""
    if not (inside.all() and is_silent(face.measures)):
        return
    run = _whole(inside)
    found = _finding(
        face,
        f" does not move the mouth as in speech {_when(face, run)}.",
        run,
        1.2,
        half=1,
        state="mouth moves as in speech",
    )
    denied = tuple(mention.model_copy(update={"negated": True}) for mention in found.cues)
    yield replace(found, data={"state": "mouth still"}, cues=denied)


def _open_mouth(face: FaceAnalysis, inside: Mask) -> Iterator[Finding]:
    times, gap = face.measures.times, face.measures.mouth_gap
    runs = [r for r in face.mouth_open if overlaps(r, inside)]
    runs.sort(key=lambda r: (-float(gap[r.part].max()), r.first))
    for rank, run in enumerate(runs[:2]):
        peak = float(np.quantile(gap[run.part], 0.9))
        wide, high = peak > WIDE, times[run.first + int(gap[run.part].argmax())]
        yield _finding(
            face,
            f" opens the mouth{' wide' if wide else ''} {_when(face, run)}, most at {high:.1f} s "
            f"(AU{'25+27' if wide else '25/26'}, no speech-like movement).",
            run,
            (6.0 if wide else 2.5) * 0.6**rank * min(1.0, 0.5 + length(run, times) / 2),
            half=1,
            state="mouth wide open" if wide else "mouth open",
            action_units=["AU25", "AU27" if wide else "AU26"],
            gap_iod=round(peak, 2),
        )


def _longest(runs: Sequence[Stretch], times: Floats) -> list[Stretch]:
    return sorted(runs, key=lambda run: (-length(run, times), run.first))


def _lids(face: FaceAnalysis, inside: Mask) -> Iterator[Finding]:
    times, lids = face.measures.times, face.lids
    blinks = [b for b in lids.blinks if overlaps(b, inside)]
    if blinks and frame_time(times) <= 1 / BLINKS_NEED_FPS:
        yield _blinks(face, blinks, inside)
    closures = [c for c in lids.closures if overlaps(c, inside)]
    for rank, run in enumerate(_longest(closures, times)[:2]):
        seconds = length(run, times)
        text = f" closes the eyes {_when(face, run)} (for {seconds:.1f} s, AU43)."
        yield _finding(face, text, run, 6.0 * 0.7**rank, state="eyes closed", s=seconds)
    for side, run in [w for w in lids.winks if overlaps(w[1], inside)][:2]:
        text = f" shuts the {side} eye alone {_when(face, run)} (AU46)."
        yield _finding(face, text, run, 3.0, state="one eye shut", side=side)
    narrowings = [n for n in lids.narrowings if overlaps(n, inside)]
    for run in _longest(narrowings, times)[:1]:
        opening = face.measures.openness[run.part].mean()
        share = float(opening / face.rest.levels["eye_opening"].mean())
        text = f" narrows the eyes {_when(face, run)} (to {share:.0%} of their usual opening)."
        weight = 1.5 + length(run, times)
        yield _finding(face, text, run, weight, state="eyes narrowed", share=round(share, 2))


def _blinks(face: FaceAnalysis, blinks: list[Stretch], inside: Mask) -> Finding:
    times, count = face.measures.times, len(blinks)
    middles = [round(float(times[(b.first + b.last) // 2]), 1) for b in blinks]
    often = "once" if count == 1 else f"{count} times"
    seconds = float(inside.sum()) * frame_time(times)
    moments = ", ".join(str(m) for m in middles[:6]) + (", ..." if count > 6 else "")
    text = f" blinks {often} in {seconds:.1f} s (at {moments} s)."
    run = Stretch(blinks[0].first, blinks[-1].last)
    return _finding(face, text, run, 0.8, state="blinks", count=count, at=[*middles])


def _gaze(face: FaceAnalysis, inside: Mask) -> Iterator[Finding]:
    times = face.measures.times
    share, count = float(face.gaze.camera[inside].mean()), int(inside.sum())
    if share >= MOST_OF_THE_TIME:
        text = f" looks towards the camera most of the time ({share:.0%} of {count} frames)."
        state = "looks towards the camera"
        yield _finding(face, text, _whole(inside), 2.0, state=state, share=round(share, 2))
    for way, looks in face.gaze.away.items():
        runs = [r for r in looks if overlaps(r, inside)]
        if not runs:
            continue
        state, side = f"looks {way}", ""
        if way in ("left", "right"):
            state, side = f"looks to the {way}", f" (the person's own {way})"
        seconds = sum(length(r, times) for r in runs)
        text = f" {state} {_when_each(runs, times)}{side}."
        run, weight = Stretch(runs[0].first, runs[-1].last), 1.6 if way == "down" else 0.9
        yield _finding(face, text, run, weight + seconds, state=state, seconds=round(seconds, 2))


def _head(face: FaceAnalysis, inside: Mask) -> Iterator[Finding]:
    times, yaw = face.measures.times, float(np.median(face.measures.yaw[inside]))
    moves = [m for m in face.moves if overlaps(m.frames, inside)]
    if abs(yaw) > TURNED:
        side = "left" if yaw > 0 else "right"
        text = (
            f" has the head turned to the {side} most of the time (about {abs(yaw):.0f} degrees "
            f"from the camera, the person's own {side})."
        )
        run = _whole(inside)
        yield _finding(face, text, run, 2.0, half=None, state="turned", yaw=round(yaw))
        moves = [m for m in moves if not m.name.startswith("turns")]
    moves.sort(key=lambda m: (-m.degrees * min(length(m.frames, times), 2.0), m.frames))
    for rank, move in enumerate(moves[:3]):
        state, degrees = move.name, round(move.degrees)
        text = f" {state} {_when(face, move.frames)} (by up to {move.degrees:.0f} degrees)."
        weight = (2.4 if state == "lowers the head" else 1.5) * 0.7**rank
        yield _finding(face, text, move.frames, weight, half=None, state=state, degrees=degrees)


def _swings(face: FaceAnalysis, inside: Mask) -> Iterator[Finding]:
    for swing in [s for s in face.swings if overlaps(s.frames, inside)][:2]:
        state, count, degrees = swing.name, swing.half_swings, swing.degrees
        text = f" {state} {_when(face, swing.frames)} "
        text += f"({count} half swings, {degrees:.0f} degrees peak to peak)."
        numbers = {"swings": count, "degrees": round(degrees, 1)}
        yield _finding(face, text, swing.frames, 4.0, half=None, state=state, **numbers)


def _resting_face(face: FaceAnalysis, inside: Mask) -> Iterator[Finding]:
    m = face.measures
    well = inside & (np.minimum(seen_well(m, 0), seen_well(m, 1)) > 0.5)
    moving = any(overlaps(e.frames, inside) for e in face.events)
    seconds = float(well.sum()) * frame_time(m.times)
    if moving or face.rest.smiling_throughout or seconds < STILL_FOR_S:
        return
    if well.sum() < 0.9 * inside.sum() or np.median(m.size) < STILL_PX:
        return
    text = "'s brows and mouth corners stay where they rest throughout."
    state = "brows and mouth corners level"
    yield _finding(face, text, _whole(inside), 1.0, half=None, state=state)
