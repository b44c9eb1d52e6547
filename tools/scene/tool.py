"""The scene tool: what the camera shows around and below the face.

Without a span the whole clip is described. In a span the clip is sampled more often, and what
happens there is measured against the rest of the clip.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from operator import attrgetter
from typing import Final

import numpy as np

from emer.tools.cues import stated
from emer.tools.errors import Unobservable
from emer.tools.media.clip import Clip
from emer.tools.registry import register
from emer.tools.runtime.memo import Memo
from emer.tools.scene.detectors import Networks
from emer.tools.scene.features import Footage, Sample, measure_clip
from emer.tools.scene.framing import describe_camera, describe_setting, frame_person, no_face
from emer.tools.scene.gestures import describe_hands
from emer.tools.scene.people import Finding, Person, find_people
from emer.tools.scene.posture import (
    CLEAR_FACE,
    LEAN,
    LEAST_SEEN,
    SMALLEST_FACE,
    describe_body,
    describe_posture,
    head_speed,
)
from emer.tools.text import when
from emer.tools.types import Clue, Modality, Quality, Source, Span

VERSION: Final = "1"
MOST_SAMPLES: Final = 240
"""Pictures sampled in a whole clip: longer clips are sampled at a lower rate."""
MOST_SPAN_SAMPLES: Final = 100
REMEMBERED: Final = 2
"""Clips whose measurements stay in memory for closer looks."""
MOST_PEOPLE: Final = 2
"""People whose posture and motion are described: the most prominent of each shot."""
FASTER: Final = 1.6
"""Least ratio of the head's speeds in span and rest of the clip, either way."""
BARELY: Final = 0.15
"""Speed in face heights per second that is hardly a motion."""


@register("camera", slot="scene", rank=10)
class Camera:
    """Cuts, framing, people, posture, hands, light and motion; needs no weights."""

    modality: Modality = "scene"
    description = (
        "Shot changes, framing, number of people, posture, hands (near the face, raised, "
        "pointing, gesturing), light, and motion of the camera and the body."
    )

    def __init__(self, fps: float = 5.0, max_side: int = 640) -> None:
        """Sample `fps` pictures per second, their longer side at most `max_side` pixels."""
        self._fps, self._max_side = fps, max_side
        self._lock = threading.Lock()
        self._networks: Networks | None = None
        self._whole_clips: Memo[Footage] = Memo(REMEMBERED)

    @property
    def source(self) -> Source:
        """Name, version, models and the parameters that change the result."""
        return Source(
            tool="camera",
            version=VERSION,
            model="mediapipe 0.10.21 (BlazeFace, hands lite, BlazePose full)",
            params={"fps": self._fps, "max_side": self._max_side},
        )

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """Clues about the scene of the clip, or of `span`.

        `Unobservable` when the clip has no picture, or none in the span.
        """
        rate = min(self._fps, max(1.0, MOST_SAMPLES / max(clip.duration, 1e-3)))
        whole = self._whole_clips.get(
            clip.sha256, partial(self._measure, clip, None, rate), clip.is_complete
        )
        if span is None:
            return [self._clue(finding, None) for finding in describe_clip(whole)]
        rate = min(60.0, max(self._fps, MOST_SPAN_SAMPLES / max(span.length, 1e-3)))
        close = self._measure(clip, span, rate)
        return [self._clue(finding, span) for finding in describe_span(close, whole, span)]

    def _measure(self, clip: Clip, span: Span | None, rate: float) -> Footage:
        frames = clip.frames(span=span)
        with self._lock:  # the networks are for one pass at a time
            if self._networks is None:
                self._networks = Networks()
            footage = measure_clip(frames, self._networks, rate, self._max_side)
        if not footage.times:
            where = f" at {span.start:.1f}-{span.end:.1f} s" if span else ""
            raise Unobservable(f"no picture is shown{where}")
        return footage

    def _clue(self, finding: Finding, look: Span | None) -> Clue:
        factors = {name: round(value, 3) for name, value in finding.factors.items()}
        return Clue(
            modality=self.modality,
            span=Span(start=round(finding.start, 2), end=round(finding.end, 2)),
            person=finding.person,
            text=finding.text,
            quality=Quality(score=round(min(1.0, finding.quality), 2), factors=factors),
            source=self.source,
            data=finding.data,
            cues=finding.cues,
            place=finding.place,
            look=look,
        )


def describe_clip(footage: Footage) -> list[Finding]:
    """The findings of a whole clip, the setting first, then by time."""
    people = find_people(footage.samples)
    acts = describe_camera(footage)
    for shot in range(len(footage.shots)):
        here = [person for person in people if person.shot == shot]
        acts += describe_hands(footage.samples, here)
        for person in here[:MOST_PEOPLE]:
            acts += describe_posture(footage.samples, person) + describe_body(
                footage.samples, person
            )
    acts.sort(key=attrgetter("start", "end", "text"))
    return describe_setting(footage, people) + acts


def describe_span(close: Footage, whole: Footage, span: Span) -> list[Finding]:
    """The findings inside the span, which `close` samples more often than `whole`."""
    known = find_people(whole.samples)
    people: list[Person] = []
    rests: list[Person | None] = []
    for person in find_people(close.samples):
        same = _match(person, whole, known)
        subject, name = (same.subject, same.name) if same else (person.subject, None)
        people.append(replace(person, subject=subject, name=name))
        rests.append(same and _outside(same, span))
    findings = _cuts(close, span)
    for shot in range(len(close.shots)):
        here = [n for n, person in enumerate(people) if person.shot == shot]
        findings += describe_hands(close.samples, [people[n] for n in here])
        for n in here[:MOST_PEOPLE]:
            person, rest = people[n], rests[n]
            findings += describe_posture(close.samples, person)
            if rest is not None:
                findings += _size(person, rest, span)
                findings += _speed(close.samples, person, whole.samples, rest, span)
    findings += describe_camera(close) + _no_hands(close.samples, people, span)
    findings = findings or _shown(close, people, span)
    return sorted(findings, key=attrgetter("start", "end", "text"))


def _match(person: Person, whole: Footage, known: Sequence[Person]) -> Person | None:
    """The same face in the whole clip: same shot, same place at the same time."""
    middle = sum(person.seen) / 2
    face = person.box_at(middle)
    same = []
    for n, other in enumerate(known):
        start, end = whole.shots[other.shot]
        box = other.box_at(middle)
        if start <= middle <= end and box and face:
            same.append((math.dist(box.centre, face.centre) / face.height, n))
    apart, nearest = min(same, default=(math.inf, 0))
    return known[nearest] if apart <= 1.0 else None


def _outside(person: Person, span: Span) -> Person | None:
    seen = zip(person.times, person.boxes, strict=True)
    rest = [(time, box) for time, box in seen if not span.start <= time <= span.end]
    if len(rest) < 3:
        return None
    times, boxes = zip(*rest, strict=True)
    return replace(person, times=times, boxes=boxes)


def _cuts(close: Footage, span: Span) -> list[Finding]:
    factors = {"pictures": float(len(close.times))}
    return [
        Finding(
            f"The shot changes at {cut:.2f} s.",
            cut,
            cut,
            0.9,
            factors=factors,
            data={"cut_s": cut},
            cues=stated(["shot_change"]),
        )
        for cut in close.cuts
        if span.start <= cut <= span.end
    ]


def _size(person: Person, rest: Person, span: Span) -> list[Finding]:
    change = math.log(person.height / rest.height)
    if person.height < SMALLEST_FACE or person.score < CLEAR_FACE or abs(change) < LEAN:
        return []
    size = "larger" if change > 0 else "smaller"
    text = (
        f"The face of {person.object} is {abs(math.expm1(change)):.0%} {size} in the picture "
        f"at {when(span.start, span.end)} than in the rest of the shot."
    )
    data = {"size_change": round(math.expm1(change), 3)}
    return [person.finding(text, stated([f"face_{size}"]), (span.start, span.end), data)]


def _speed(
    close: Sequence[Sample], person: Person, whole: Sequence[Sample], rest: Person, span: Span
) -> list[Finding]:
    speed = head_speed(close, person, least=min(LEAST_SEEN, 0.6 * span.length))
    usual = head_speed(whole, rest)
    if speed is None or usual is None or max(speed, usual) < BARELY:
        return []
    ratio = speed / max(usual, 1e-6)
    if 1 / FASTER < ratio < FASTER:
        return []
    how = "more" if ratio > 1 else "less"
    text = (
        f"The body of {person.object} moves {how} at "
        f"{when(span.start, span.end)} than in the rest of the shot ({speed:.2f} against "
        f"{usual:.2f} face heights per second)."
    )
    data = {"head_speed": round(speed, 3), "usual_speed": round(usual, 3)}
    cues = stated([f"moves_{how}"])
    return [person.finding(text, cues, (span.start, span.end), data, 0.8)]


def _no_hands(samples: Sequence[Sample], people: Sequence[Person], span: Span) -> list[Finding]:
    if not people or any(sample.hands for sample in samples):
        return []
    text = f"No hand is in view at {when(span.start, span.end)}."
    score = float(np.mean([person.score for person in people]))
    factors = {"face_score": score, "looks": float(len(samples))}
    return [
        Finding(
            text,
            span.start,
            span.end,
            0.8 * score,
            factors=factors,
            data={"hands": 0},
            cues=stated(["hands_unseen"]),
        )
    ]


def _shown(close: Footage, people: Sequence[Person], span: Span) -> list[Finding]:
    if not people:
        return [no_face(close, f"at {when(span.start, span.end)}", span.start, span.end)]
    return [
        frame_person(person, f"at {when(*person.seen)}", person.seen)
        for person in people[:MOST_PEOPLE]
    ]
