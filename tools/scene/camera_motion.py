"""Motion of the camera in each shot, and of the people against the background."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from emer.tools.scene.features import Footage
from emer.tools.scene.people import Person
from emer.tools.scene.samples import Finding, Sample
from emer.tools.text import when
from emer.tools.timeseries import change_interval

PAN: Final = 0.10
"""Least shift of the background, in picture heights, that counts as a camera move."""
ZOOM: Final = math.log(1.10)
UNKNOWN: Final = 0.5
"""Least share of samples with a measured background for a camera move."""
STILL_CAMERA: Final = 0.04
"""Picture heights the background may drift from the first to the furthest place."""
SPACING: Final = 0.18
"""Least seconds that speed is measured over, so that noise is not speed."""
STILL: Final = 0.12
LIVELY: Final = 0.7
"""Head speeds in face heights per second: below STILL the body stays still, above
LIVELY it moves a lot; chosen by us."""
LEAST_SEEN: Final = 1.0
"""Seconds a person must be seen for a statement about motion."""


class Path(NamedTuple):
    """The way of the camera's view in one shot, in picture heights (x right, y down)."""

    times: tuple[float, ...]
    x: tuple[float, ...]
    y: tuple[float, ...]
    zoom: tuple[float, ...]
    """Log of the zoom since the shot began."""
    known: float
    """Share of the steps that could be measured."""


def camera_path(samples: Sequence[Sample], shot: int) -> Path:
    """The camera's path through a shot, from how the background moved."""
    inside = [sample for sample in samples if sample.shot == shot]
    steps = [sample.step for sample in inside[1:]]
    x, y, zoom = [0.0], [0.0], [0.0]
    for step in steps:
        x.append(x[-1] - (step.dx if step else 0.0))
        y.append(y[-1] - (step.dy if step else 0.0))
        zoom.append(zoom[-1] + (math.log(step.zoom) if step else 0.0))
    known = sum(step is not None for step in steps) / len(steps) if steps else 0.0
    return Path(tuple(sample.time for sample in inside), tuple(x), tuple(y), tuple(zoom), known)


def is_still(footage: Footage) -> bool:
    """Whether the camera is known to stand still all the time."""
    paths = [camera_path(footage.samples, shot) for shot in range(len(footage.shots))]
    return all(path.known >= UNKNOWN and _drift(path) <= STILL_CAMERA for path in paths)


def _drift(path: Path) -> float:
    return float(max(np.ptp(path.x), np.ptp(path.y), np.ptp(path.zoom)))


def describe_camera(footage: Footage) -> list[Finding]:
    """The camera's moves, at most one of each shot and two in all."""
    moves: list[tuple[float, Finding]] = []
    for shot in range(len(footage.shots)):
        path = camera_path(footage.samples, shot)
        if len(path.times) < 3 or path.known < UNKNOWN:
            continue
        move = _largest(path)
        if move is not None:
            moves.append(move)
    strongest = sorted(moves, key=lambda f: (-f[0], f[1].start))[:2]
    return sorted((finding for _, finding in strongest), key=lambda f: f.start)


def _largest(path: Path) -> tuple[float, Finding] | None:
    ways = (
        (path.x, PAN, "moves to the right", "moves to the left"),
        (path.y, PAN, "moves down", "moves up"),
        (path.zoom, ZOOM, "moves or zooms in", "moves or zooms out"),
    )
    moves = [(abs(s[-1] - s[0]) / least, s, pos, neg) for s, least, pos, neg in ways]
    strength, series, positive, negative = max(moves, key=lambda m: m[0])
    if strength < 1:
        return None
    net = series[-1] - series[0]
    start, end = change_interval(path.times, series)
    size = (
        f"{abs(math.expm1(net)):.0%}" if series is path.zoom else f"{abs(net):.2f} picture heights"
    )
    verb = positive if net > 0 else negative
    text = f"The camera {verb} at {when(start, end)} (by {size})."
    factors = {"background_known": path.known}
    return strength, Finding(
        text, start, end, path.known, None, factors, {"camera": verb, "net": round(net, 3)}
    )


def head_speed(
    samples: Sequence[Sample], person: Person, least: float = LEAST_SEEN
) -> float | None:
    """The head's mean speed against the background, in face heights per second.

    None when the person is seen for less than `least` seconds. Where the background
    cannot be followed the camera is taken as still.
    """
    path = camera_path(samples, person.shot)
    view = dict(zip(path.times, zip(path.x, path.y, strict=True), strict=True))
    places: list[tuple[float, float, float]] = []
    for time, box in zip(person.times, person.boxes, strict=True):
        if time in view and (not places or time - places[-1][0] >= SPACING):
            middle = box.points[:4].mean(axis=0)
            shift = view[time]
            places.append((time, float(middle[0]) + shift[0], float(middle[1]) + shift[1]))
    pairs = [(a, b) for a, b in pairwise(places) if b[0] - a[0] < 0.6]
    seconds = sum(b[0] - a[0] for a, b in pairs)
    if seconds < max(least, SPACING):
        return None
    return sum(math.dist(a[1:], b[1:]) for a, b in pairs) / seconds / person.height


def describe_body(footage: Footage, person: Person) -> list[Finding]:
    """Whether the body moves a lot or stays still."""
    speed = head_speed(footage.samples, person)
    if speed is None or STILL <= speed < LIVELY:
        return []
    shares = [s.stir for s in footage.samples if s.shot == person.shot and s.stir is not None]
    stir = float(np.median(shares)) if shares else None
    if speed < STILL and stir is not None and stir > 0.15:
        return []
    what = "stays still" if speed < STILL else "moves a lot"
    text = (
        f"The body of {person.object} {what} at "
        f"{when(person.times[0], person.times[-1])} (the head moves {speed:.2f} face heights "
        "per second)."
    )
    known = camera_path(footage.samples, person.shot).known
    factors = {"face_score": person.score, "background_known": known}
    data = {"head_speed": round(speed, 3), "stir": None if stir is None else round(stir, 3)}
    quality = person.score * (0.6 + 0.4 * known)
    span = person.times[0], person.times[-1]
    return [Finding(text, *span, quality, person.name, factors, data)]
