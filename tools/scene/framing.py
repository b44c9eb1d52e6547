"""The setting: shot changes, shot sizes, number of people, and light."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

import numpy as np
from pydantic import JsonValue

from emer.tools.scene.features import Footage, Light, light_kind, median_light
from emer.tools.scene.people import Person, simultaneous
from emer.tools.scene.samples import Finding
from emer.tools.text import listed, when

SIZES: Final = (
    (0.78, "an extreme close-up"),
    (0.33, "a close-up"),
    (0.14, "a medium shot"),
    (0.0, "a wide shot"),
)
"""Least share of the picture's height that the face (brows to chin) takes; chosen
by us after the film grammar: head, head and shoulders, to the waist, whole body."""
MOST_SHOTS: Final = 3
"""Shots described one by one; the longest are chosen."""


def shot_size(face_height: float) -> str:
    """The shot size for a face's height in picture heights."""
    return next(name for least, name in SIZES if face_height >= least)


def describe_setting(footage: Footage, people: Sequence[Person], still: bool) -> list[Finding]:
    """The findings on shots, framing, number of people and light."""
    shots = _shots(footage) + _framing(footage, people, still)
    return shots + _people(footage, people) + _light(footage)


def framed(person: Person, where: str, span: tuple[float, float], **data: JsonValue) -> Finding:
    """How large a person is shown, and where: "in one continuous shot", "at 0.0-1.0 s"."""
    share = person.height
    text = (
        f"{person.subject} is shown in {shot_size(share)} {where} (the face fills {share:.0%} of "
        "the picture height)."
    )
    return person.finding(text, span, {**data, "face_share": round(share, 3)}, face_share=share)


def nobody(footage: Footage, where: str, start: float, end: float) -> Finding:
    """That no face is seen: "in the picture", "at 0.0-1.0 s"."""
    text = f"No person's face is clearly visible {where}."
    factors = {"looks": float(len(footage.samples))}
    return Finding(text, start, end, 0.7, None, factors, {"people": 0})


def _shots(footage: Footage) -> list[Finding]:
    cuts = footage.cuts
    if not cuts:
        return []
    times = "time" if len(cuts) == 1 else "times"
    at = listed([f"{cut:.1f}" for cut in cuts[:6]])
    more = " and later" if len(cuts) > 6 else ""
    text = f"The shot changes {len(cuts)} {times} (at {at}{more} s)."
    factors = {"pictures": float(len(footage.times))}
    data: dict[str, JsonValue] = {"cuts_s": [round(cut, 2) for cut in cuts]}
    return [Finding(text, footage.times[0], footage.times[-1], 0.9, None, factors, data)]


def _framing(footage: Footage, people: Sequence[Person], still: bool) -> list[Finding]:
    shots = footage.shots
    shown = sorted({p.shot for p in people}, key=lambda s: (shots[s][0] - shots[s][1], s))
    findings = []
    for shot in sorted(shown[:MOST_SHOTS]):
        person = next(p for p in people if p.shot == shot)
        camera = " with a still camera" if still else ""
        single = len(shots) == 1
        where = f"in one continuous shot{camera}" if single else f"at {when(*shots[shot])}"
        size = shot_size(person.height).split(" ", 1)[1]
        findings.append(framed(person, where, shots[shot], size=size))
    return findings


def _people(footage: Footage, people: Sequence[Person]) -> list[Finding]:
    """The most people seen at once, or that one person, or nobody, is seen."""
    if not people:
        return [nobody(footage, "in the picture", footage.times[0], footage.times[-1])]
    crowds = []
    for shot in {p.shot for p in people}:
        here = [p for p in people if p.shot == shot]
        count, stretch = simultaneous(here)
        if count > 1 and stretch:
            crowds.append((count, stretch, here))
    if not crowds:
        return _alone(footage, people) if len(footage.shots) == 1 else []
    count, (start, end), here = max(crowds, key=lambda crowd: (crowd[0], -crowd[1][0]))
    more = "At least " if count > 2 or len(here) > count else ""
    text = (
        f"{more}{count} people are visible at the same time at {when(start, end)} (counted by "
        "their faces)."
    )
    score = float(np.mean([p.score for p in here]))
    return [Finding(text, start, end, score, None, {"face_score": score}, {"people": count})]


def _alone(footage: Footage, people: Sequence[Person]) -> list[Finding]:
    times = sorted({time for person in people for time in person.times})
    share = len(times) / len(footage.samples)
    during = "throughout" if share > 0.95 else f"at {when(times[0], times[-1])}"
    score = float(np.mean([p.score for p in people]))
    text = f"One person is visible {during} (counted by the face)."
    factors = {"face_score": score, "seen_share": share}
    return [Finding(text, times[0], times[-1], score, people[0].name, factors, {"people": 1})]


def _light(footage: Footage) -> list[Finding]:
    """The light of each stretch of shots that are lit alike; of more than three, of all."""
    parts: list[tuple[float, float, list[Light]]] = []
    pairs = zip(footage.samples, footage.lights, strict=True)
    for shot, group in groupby(pairs, key=lambda pair: pair[0].shot):
        lights = [light for _, light in group]
        start, end = footage.shots[shot]
        if parts and _alike(median_light(parts[-1][2]), median_light(lights)):
            parts[-1] = (parts[-1][0], end, parts[-1][2] + lights)
        else:
            parts.append((start, end, lights))
    if len(parts) > 3:
        parts = [(footage.times[0], footage.times[-1], list(footage.lights))]
    return [_lit(start, end, lights, len(parts) > 1) for start, end, lights in parts]


def _alike(one: Light, other: Light) -> bool:
    return light_kind(one) == light_kind(other) or abs(one.mean - other.mean) < 30


def _lit(start: float, end: float, lights: Sequence[Light], partly: bool) -> Finding:
    light = median_light(lights)
    during = f" at {when(start, end)}" if partly else ""
    mean, spread = light.mean / 2.55, (light.high - light.low) / 2.55
    text = f"The picture is {light_kind(light)}{during} (mean brightness {mean:.0f} %)."
    data = {"mean": round(mean, 1), "range": round(spread, 1)}
    return Finding(text, start, end, 0.9, None, {"looks": float(len(lights))}, data)
