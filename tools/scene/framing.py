"""The setting: shot changes, shot sizes, number of people, and light."""

from __future__ import annotations

from collections.abc import Sequence
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


def _shots(footage: Footage) -> list[Finding]:
    cuts = footage.cuts
    if not cuts:
        return []
    times = "time" if len(cuts) == 1 else "times"
    at = listed([f"{cut:.1f}" for cut in cuts[:6]])
    more = " and later" if len(cuts) > 6 else ""
    text = f"The shot changes {len(cuts)} {times} (at {at}{more} s)."
    data: dict[str, JsonValue] = {"cuts_s": [round(cut, 2) for cut in cuts]}
    factors = {"pictures": float(len(footage.times))}
    return [Finding(text, footage.times[0], footage.times[-1], 0.9, None, factors, data)]


def _framing(footage: Footage, people: Sequence[Person], still: bool) -> list[Finding]:
    shots = footage.shots
    shown = sorted({p.shot for p in people}, key=lambda s: (shots[s][0] - shots[s][1], s))
    single = len(shots) == 1
    return [
        _framed(next(p for p in people if p.shot == shot), single, still, shots[shot])
        for shot in sorted(shown[:MOST_SHOTS])
    ]


def _framed(person: Person, single: bool, still: bool, shot: tuple[float, float]) -> Finding:
    share = person.height
    size, (start, end) = shot_size(share), shot
    camera = " with a still camera" if still and single else ""
    where = f"in one continuous shot{camera}" if single else f"at {when(start, end)}"
    text = (
        f"{person.subject} is shown in {size} {where} (the face fills {share:.0%} of the "
        "picture height)."
    )
    factors = {"face_score": person.score, "face_share": share}
    data: dict[str, JsonValue] = {
        "size": size.split(" ", 1)[1], "face_share": round(share, 3),
    }  # fmt: skip
    return Finding(text, start, end, person.score, person.name, factors, data)


def _people(footage: Footage, people: Sequence[Person]) -> list[Finding]:
    first, last = footage.times[0], footage.times[-1]
    if not people:
        text = "No person's face is clearly visible in the picture."
        factors = {"looks": float(len(footage.samples))}
        return [Finding(text, first, last, 0.7, None, factors, {"people": 0})]
    findings = []
    for shot in sorted({p.shot for p in people}):
        here = [p for p in people if p.shot == shot]
        count, stretch = simultaneous(here)
        if count > 1 and stretch:
            more = count > 2 or len(here) > count
            text = (
                f"{'At least ' if more else ''}{count} people are visible at the same time at "
                f"{when(*stretch)} (counted by their faces)."
            )
            score = float(np.mean([p.score for p in here]))
            factors = {"face_score": score}
            findings.append(Finding(text, *stretch, score, None, factors, {"people": count}))
    if findings:
        return sorted(findings, key=lambda f: (-int(str(f.data["people"])), f.start))[:1]
    return _alone(footage, people) if len(footage.shots) == 1 else []


def _alone(footage: Footage, people: Sequence[Person]) -> list[Finding]:
    times = sorted({time for person in people for time in person.times})
    share = len(times) / len(footage.samples)
    during = "throughout" if share > 0.95 else f"at {when(times[0], times[-1])}"
    score = float(np.mean([p.score for p in people]))
    text = f"One person is visible {during} (counted by the face)."
    factors = {"face_score": score, "seen_share": share}
    return [Finding(text, times[0], times[-1], score, people[0].name, factors, {"people": 1})]


def _light(footage: Footage) -> list[Finding]:
    if not footage.lights:
        return []
    by_shot: dict[int, list[Light]] = {}
    for sample, light in zip(footage.samples, footage.lights, strict=True):
        by_shot.setdefault(sample.shot, []).append(light)
    parts: list[tuple[float, float, list[Light]]] = []
    for shot, lights in by_shot.items():
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
    numbers = {"mean": light.mean / 2.55, "range": (light.high - light.low) / 2.55}
    text = f"The picture is {light_kind(light)}{during} (mean brightness {numbers['mean']:.0f} %)."
    factors = {"looks": float(len(lights))}
    data: dict[str, JsonValue] = {name: round(value, 1) for name, value in numbers.items()}
    return Finding(text, start, end, 0.9, None, factors, data)
