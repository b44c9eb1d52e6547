"""The setting: shots, their sizes, number of people, light, motion of the camera."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from typing import Final, NamedTuple

import numpy as np
from pydantic import JsonValue

from emer.tools.cues import stated
from emer.tools.scene.features import Footage, Light, Sample, light_kind, median_light
from emer.tools.scene.people import Data, Finding, Interval, Person, simultaneous
from emer.tools.text import listed, when
from emer.tools.timeseries import change_interval

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


def describe_setting(footage: Footage, people: Sequence[Person]) -> list[Finding]:
    """The findings on shots, framing, number of people and light."""
    shots = _shots(footage) + _framing(footage, people)
    return shots + _people(footage, people) + _light(footage)


def frame_person(person: Person, where: str, span: Interval, **data: JsonValue) -> Finding:
    """How large a person is shown; `where` is as "in one continuous shot"."""
    share = person.height
    text = (
        f"{person.subject} is shown in {shot_size(share)} {where} (the face fills {share:.0%} of "
        "the picture height)."
    )
    data["face_share"] = round(share, 3)
    return person.finding(text, stated(["shot_size"]), span, data, face_share=share)


def no_face(footage: Footage, where: str, start: float, end: float) -> Finding:
    """That no face is seen: "in the picture", "at 0.0-1.0 s"."""
    text = f"No person's face is clearly visible {where}."
    factors = {"looks": float(len(footage.samples))}
    cues = stated(["face_unseen"])
    return Finding(text, start, end, 0.7, None, factors, {"people": 0}, cues)


def _shots(footage: Footage) -> list[Finding]:
    cuts = footage.cuts
    if not cuts:
        return []
    times = "time" if len(cuts) == 1 else "times"
    at = listed([f"{cut:.1f}" for cut in cuts[:6]])
    more = " and later" if len(cuts) > 6 else ""
    text = f"The shot changes {len(cuts)} {times} (at {at}{more} s)."
    factors = {"pictures": float(len(footage.times))}
    data: Data = {"cuts_s": [round(cut, 2) for cut in cuts]}
    cues = stated(["shot_change"])
    return [Finding(text, footage.times[0], footage.times[-1], 0.9, None, factors, data, cues)]


def _framing(footage: Footage, people: Sequence[Person]) -> list[Finding]:
    shots = footage.shots
    camera = " with a still camera" if _is_still(footage) else ""
    shown = sorted({p.shot for p in people}, key=lambda s: (shots[s][0] - shots[s][1], s))
    findings = []
    for shot in sorted(shown[:MOST_SHOTS]):
        person = next(p for p in people if p.shot == shot)
        where = f"at {when(*shots[shot])}"
        if len(shots) == 1:
            where = f"in one continuous shot{camera}"
        size = shot_size(person.height).split(" ", 1)[1]
        findings.append(frame_person(person, where, shots[shot], size=size))
    return findings


def _people(footage: Footage, people: Sequence[Person]) -> list[Finding]:
    """The most people seen at once, or that one person, or no face, is seen."""
    if not people:
        return [no_face(footage, "in the picture", footage.times[0], footage.times[-1])]
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
    factors, cues = {"face_score": score}, stated(["people_count"])
    return [Finding(text, start, end, score, None, factors, {"people": count}, cues)]


def _alone(footage: Footage, people: Sequence[Person]) -> list[Finding]:
    times = sorted({time for person in people for time in person.times})
    share = len(times) / len(footage.samples)
    during = "throughout" if share > 0.95 else f"at {when(times[0], times[-1])}"
    score = float(np.mean([p.score for p in people]))
    text = f"One person is visible {during} (counted by the face)."
    factors = {"face_score": score, "seen_share": share}
    cues = stated(["people_count"])
    found = Finding(text, times[0], times[-1], score, None, factors, {"people": 1}, cues)
    return [people[0].about(found)]


def _light(footage: Footage) -> list[Finding]:
    """The light of each stretch of shots lit alike; of more than three, of all."""
    parts: list[tuple[float, float, list[Light]]] = []
    pairs = zip(footage.samples, footage.lights, strict=True)
    for shot, group in groupby(pairs, key=lambda pair: pair[0].shot):
        lights = [light for _, light in group]
        start, end = footage.shots[shot]
        if parts:
            one, other = median_light(parts[-1][2]), median_light(lights)
            if light_kind(one) == light_kind(other) or abs(one.mean - other.mean) < 30:
                start, _, before = parts.pop()
                lights = before + lights
        parts.append((start, end, lights))
    if len(parts) > 3:
        parts = [(footage.times[0], footage.times[-1], list(footage.lights))]
    findings = []
    for start, end, lights in parts:
        light = median_light(lights)
        during = f" at {when(start, end)}" if len(parts) > 1 else ""
        mean, spread = light.mean / 2.55, (light.high - light.low) / 2.55
        text = f"The picture is {light_kind(light)}{during} (mean brightness {mean:.0f} %)."
        data = {"mean": round(mean, 1), "range": round(spread, 1)}
        factors = {"looks": float(len(lights))}
        findings.append(Finding(text, start, end, 0.9, None, factors, data, stated(["light"])))
    return findings


PAN: Final = 0.10
"""Least shift of the background, in picture heights, that counts as a camera move."""
ZOOM: Final = math.log(1.10)
UNKNOWN: Final = 0.5
"""Least share of samples with a measured background for a camera move."""
STILL_CAMERA: Final = 0.04
"""Picture heights the background may drift from the first to the furthest place."""


class Path(NamedTuple):
    """The way of the camera's view in one shot, in picture heights (x right, y down)."""

    times: list[float]
    x: list[float]
    y: list[float]
    zoom: list[float]
    """Log of the zoom since the shot began."""
    known: float
    """Share of the steps that could be measured."""


class Move(NamedTuple):
    """What a camera may do in a shot: a series, the least change, a verb for each way."""

    series: list[float]
    least: float
    rising: str
    falling: str

    @property
    def net(self) -> float:
        """Change from the first to the last sample."""
        return self.series[-1] - self.series[0]

    @property
    def strength(self) -> float:
        """Size of the change; 1 is the least that counts."""
        return abs(self.net) / self.least

    @property
    def verb(self) -> str:
        """The verb for the way of the change."""
        return self.falling if self.net < 0 else self.rising


def camera_path(samples: Sequence[Sample], shot: int) -> Path:
    """The camera's path through a shot, from how the background moved."""
    inside = [sample for sample in samples if sample.shot == shot]
    steps = [sample.step for sample in inside]
    moves = [(-s.dx, -s.dy, math.log(s.zoom)) if s else (0.0, 0.0, 0.0) for s in steps]
    x, y, zoom = np.cumsum(np.reshape(moves, (-1, 3)), axis=0).T.tolist()
    known = sum(step is not None for step in steps[1:]) / max(1, len(steps) - 1)
    return Path([sample.time for sample in inside], x, y, zoom, known)


def _is_still(footage: Footage) -> bool:
    """Whether the camera is known to stand still all the time."""
    paths = [camera_path(footage.samples, shot) for shot in range(len(footage.shots))]
    return all(
        path.known >= UNKNOWN and np.ptp([path.x, path.y, path.zoom], axis=1).max() <= STILL_CAMERA
        for path in paths
    )


def describe_camera(footage: Footage) -> list[Finding]:
    """The camera's moves, at most one of each shot and two in all."""
    paths = [camera_path(footage.samples, shot) for shot in range(len(footage.shots))]
    moves = [move for path in paths if (move := _largest(path))]
    strongest = sorted(moves, key=lambda f: (-f[0], f[1].start))[:2]
    return sorted((finding for _, finding in strongest), key=lambda f: f.start)


def _largest(path: Path) -> tuple[float, Finding] | None:
    """The largest of the camera's moves through a shot, and how large for its kind."""
    if len(path.times) < 3 or path.known < UNKNOWN:
        return None
    moves = (
        Move(path.x, PAN, "moves to the right", "moves to the left"),
        Move(path.y, PAN, "moves down", "moves up"),
        Move(path.zoom, ZOOM, "moves or zooms in", "moves or zooms out"),
    )
    largest = max(moves, key=lambda move: move.strength)
    if largest.strength < 1:
        return None
    net, verb = largest.net, largest.verb
    start, end = change_interval(path.times, largest.series)
    if largest.series is path.zoom:
        size = f"{abs(math.expm1(net)):.0%}"
    else:
        size = f"{abs(net):.2f} picture heights"
    text = f"The camera {verb} at {when(start, end)} (by {size})."
    factors = {"background_known": path.known}
    data: Data = {"camera": verb, "net": round(net, 3)}
    cues = stated(["camera_move"])
    return largest.strength, Finding(text, start, end, path.known, None, factors, data, cues)
