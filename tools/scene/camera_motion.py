"""Motion of the camera in each shot, and of the people against the background."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from pydantic import JsonValue

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

    times: list[float]
    x: list[float]
    y: list[float]
    zoom: list[float]
    """Log of the zoom since the shot began."""
    known: float
    """Share of the steps that could be measured."""


def camera_path(samples: Sequence[Sample], shot: int) -> Path:
    """The camera's path through a shot, from how the background moved."""
    inside = [sample for sample in samples if sample.shot == shot]
    steps = [sample.step for sample in inside]
    moves = [(-s.dx, -s.dy, math.log(s.zoom)) if s else (0.0, 0.0, 0.0) for s in steps]
    x, y, zoom = np.cumsum(np.reshape(moves, (-1, 3)), axis=0).T.tolist()
    known = sum(step is not None for step in steps[1:]) / max(1, len(steps) - 1)
    return Path([sample.time for sample in inside], x, y, zoom, known)


def is_still(footage: Footage) -> bool:
    """Whether the camera is known to stand still all the time."""
    paths = [camera_path(footage.samples, shot) for shot in range(len(footage.shots))]
    return all(
        path.known >= UNKNOWN and np.ptp([path.x, path.y, path.zoom], axis=1).max() <= STILL_CAMERA
        for path in paths
    )


def describe_camera(footage: Footage) -> list[Finding]:
    """The camera's moves, at most one of each shot and two in all."""
    paths = [camera_path(footage.samples, shot) for shot in range(len(footage.shots))]
    known = [path for path in paths if len(path.times) > 2 and path.known >= UNKNOWN]
    moves = [move for path in known if (move := _largest(path)) is not None]
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
    zoomed = series is path.zoom
    size = f"{abs(math.expm1(net)):.0%}" if zoomed else f"{abs(net):.2f} picture heights"
    verb = positive if net > 0 else negative
    text = f"The camera {verb} at {when(start, end)} (by {size})."
    factors = {"background_known": path.known}
    data: dict[str, JsonValue] = {"camera": verb, "net": round(net, 3)}
    return strength, Finding(text, start, end, path.known, None, factors, data)


def head_speed(
    samples: Sequence[Sample], person: Person, least: float = LEAST_SEEN
) -> float | None:
    """The head's mean speed against the background, in face heights per second.

    None when the person is seen for less than `least` seconds. Where the background
    cannot be followed the camera is taken as still.
    """
    path = camera_path(samples, person.shot)
    view = {time: (x, y) for time, x, y in zip(path.times, path.x, path.y, strict=True)}
    places: list[tuple[float, float, float]] = []
    for time, box in zip(person.times, person.boxes, strict=True):
        if not places or time - places[-1][0] >= SPACING:
            x, y = box.points[:4].mean(axis=0).tolist()
            places.append((time, x + view[time][0], y + view[time][1]))
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
    text = (
        f"The body of {person.object} {'stays still' if speed < STILL else 'moves a lot'} at "
        f"{when(*person.seen)} (the head moves {speed:.2f} face heights per second)."
    )
    known = camera_path(footage.samples, person.shot).known
    data = {"head_speed": round(speed, 3), "stir": None if stir is None else round(stir, 3)}
    return [person.finding(text, person.seen, data, 0.6 + 0.4 * known, background_known=known)]
