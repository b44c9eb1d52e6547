"""The scene tool and its closer look.

A closer look at a span: what happens inside it, measured against the rest of the clip.

The scene specialist: what the camera shows around and below the face.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from emer.tools.errors import Unobservable
from emer.tools.media.clip import Clip
from emer.tools.registry import register
from emer.tools.scene.camera_motion import (
    LEAST_SEEN,
    describe_body,
    describe_camera,
    head_speed,
    is_still,
)
from emer.tools.scene.detectors import Networks
from emer.tools.scene.features import Footage, watch
from emer.tools.scene.framing import describe_setting, shot_size
from emer.tools.scene.gestures import describe_hands
from emer.tools.scene.people import Person, find_people
from emer.tools.scene.posture import CLEAR_FACE, LEAN, SMALLEST_FACE, describe_posture
from emer.tools.scene.samples import Finding, Look
from emer.tools.text import when
from emer.tools.types import Clue, Modality, Quality, Source, Span

MORE: Final = 1.6
"""How many times faster the head moves than in the rest of the clip to be told."""
BARELY: Final = 0.15
"""Speed in face heights per second that is hardly a motion, however still the rest is."""


def describe_closeup(close: Footage, whole: Footage, span: Span) -> list[Finding]:
    """Return the findings inside the span; `close` is the span looked at more often.

    What the rest of the clip is like comes from `whole`, the full pass.
    """
    people = _recognised(find_people(close.looks), whole)
    found = _cuts(close, span)
    for shot in range(len(close.shots)):
        here = [person for person in people if person.shot == shot]
        found += describe_hands(close.looks, here)
        for person in here[:2]:
            found += describe_posture(close.looks, person)
            found += _nearness(person, whole, span) + _liveliness(close.looks, person, whole, span)
    found += describe_camera(close) + _handless(close.looks, people, span)
    return sorted(found or _shown(close, people, span), key=lambda f: (f.start, f.end, f.text))


def _cuts(close: Footage, span: Span) -> list[Finding]:
    return [
        Finding(
            f"The shot changes at {cut:.2f} s.",
            cut,
            cut,
            0.9,
            None,
            {"pictures": float(len(close.times))},
            {"cut_s": round(cut, 3)},
        )
        for cut in close.cuts
        if span.start <= cut <= span.end
    ]


def _shown(close: Footage, people: Sequence[Person], span: Span) -> list[Finding]:
    """Say who is shown how closely, or that no face is."""
    if not people:
        text = f"No person's face is clearly visible at {when(span.start, span.end)}."
        factors = {"looks": float(len(close.looks))}
        return [Finding(text, span.start, span.end, 0.7, None, factors, {"people": 0})]
    return [
        Finding(
            f"{person.word} is shown in {shot_size(person.height)} at "
            f"{when(person.times[0], person.times[-1])} (the face fills "
            f"{person.height:.0%} of the picture height).",
            person.times[0],
            person.times[-1],
            person.score,
            person.name,
            {"face_score": person.score, "face_share": person.height},
            {"face_share": round(person.height, 3)},
        )
        for person in people[:2]
    ]


def _recognised(people: Sequence[Person], whole: Footage) -> list[Person]:
    """Return the people under the names the full pass gives them; nameless where it has none."""
    known = [(person, _match(person, whole)) for person in people]
    return [
        replace(person, word=same.word, name=same.name) if same else replace(person, name=None)
        for person, same in known
    ]


def _match(person: Person, whole: Footage) -> Person | None:
    """Return the same face in the full pass: same shot, same place at the same time."""
    middle = (person.times[0] + person.times[-1]) / 2
    own = person.box_at(middle)
    same = []
    for n, other in enumerate(find_people(whole.looks)):
        start, end = whole.shots[other.shot]
        box = other.box_at(middle)
        if start <= middle <= end and box is not None and own is not None:
            same.append((math.dist(box.centre, own.centre) / own.height, n, other))
    nearest = min(same, default=None, key=lambda s: s[:2])
    return nearest[2] if nearest and nearest[0] <= 1.0 else None


def _counterpart(person: Person, whole: Footage, span: Span) -> Person | None:
    """Return the same face in the full pass, away from the span."""
    same = _match(person, whole)
    return _outside(same, span) if same else None


def _outside(person: Person, span: Span) -> Person | None:
    kept = [
        (time, box)
        for time, box in zip(person.times, person.boxes, strict=True)
        if not span.start <= time <= span.end
    ]
    if len(kept) < 3:
        return None
    times, boxes = zip(*kept, strict=True)
    return Person(person.shot, times, boxes, person.word, person.name)


def _nearness(person: Person, whole: Footage, span: Span) -> list[Finding]:
    """Say when the face is larger or smaller in the span than in the rest of the shot."""
    rest = _counterpart(person, whole, span)
    if rest is None or person.height < SMALLEST_FACE or person.score < CLEAR_FACE:
        return []
    change = math.log(person.height / rest.height)
    if abs(change) < LEAN:
        return []
    size = "larger" if change > 0 else "smaller"
    text = (
        f"The face of {person.object} is {abs(math.expm1(change)):.0%} {size} in the picture "
        f"at {when(span.start, span.end)} than in the rest of the shot."
    )
    data = {"size_change": round(math.expm1(change), 3)}
    factors = {"face_score": person.score}
    return [Finding(text, span.start, span.end, person.score, person.name, factors, data)]


def _liveliness(looks: Sequence[Look], person: Person, whole: Footage, span: Span) -> list[Finding]:
    """Say when the head moves much more or less in the span than in the rest of the shot."""
    rest = _counterpart(person, whole, span)
    speed = head_speed(looks, person, least=min(LEAST_SEEN, 0.6 * span.length))
    usual = head_speed(whole.looks, rest) if rest is not None else None
    if speed is None or usual is None or max(speed, usual) < BARELY:
        return []
    ratio = speed / max(usual, 1e-6)
    if 1 / MORE < ratio < MORE:
        return []
    text = (
        f"The body of {person.object} moves {'more' if ratio > 1 else 'less'} at "
        f"{when(span.start, span.end)} than in the rest of the shot ({speed:.2f} against "
        f"{usual:.2f} face heights per second)."
    )
    data = {"head_speed": round(speed, 3), "usual_speed": round(usual, 3)}
    factors = {"face_score": person.score}
    return [Finding(text, span.start, span.end, 0.8 * person.score, person.name, factors, data)]


def _handless(looks: Sequence[Look], people: Sequence[Person], span: Span) -> list[Finding]:
    """Say that no hand is in view, when that was looked for in every picture."""
    if not people or any(look.hands for look in looks):
        return []
    text = f"No hand is in view at {when(span.start, span.end)}."
    score = float(np.mean([person.score for person in people]))
    factors = {"face_score": score, "looks": float(len(looks))}
    return [Finding(text, span.start, span.end, 0.8 * score, None, factors, {"hands": 0})]


VERSION: Final = "1"
MOST_LOOKS: Final = 240
"""Looks in a full pass: longer clips are looked at more seldom."""
MOST_CLOSE_LOOKS: Final = 100
"""Looks in a closer look at a span."""
KEPT: Final = 2
"""Clips whose full pass is remembered for closer looks."""
MOST_PEOPLE: Final = 2
"""People whose hands, posture and motion are described: the most prominent of each shot."""


@register("camera", slot="scene", rank=10)
class Camera:
    """Watches cuts, framing, people, posture, hands, light and motion; needs no weights."""

    modality: Modality = "scene"
    description = (
        "Shot changes, framing, number of people, posture, hands (near the face, raised, "
        "pointing, gesturing), light, and motion of the camera and the body."
    )

    def __init__(self, fps: float = 5.0, max_side: int = 640) -> None:
        """Look at `fps` pictures per second, their longer side at most `max_side` pixels."""
        self._fps, self._max_side = fps, max_side
        self._lock = threading.Lock()
        self._networks: Networks | None = None
        self._passes: OrderedDict[str, Footage] = OrderedDict()

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
        """Return clues about the scene of the clip, or of `span` looked at more closely.

        `Unobservable` when the clip has no picture, or none in the span.
        """
        whole = self._whole(clip)
        if span is None:
            return self._clues(describe_whole(whole))
        close = self._close(clip, span)
        return self._clues(describe_closeup(close, whole, span))

    def _whole(self, clip: Clip) -> Footage:
        """Return the full pass over the clip, from memory where it was just made."""
        with self._lock:
            if clip.sha256 not in self._passes:
                self._passes[clip.sha256] = self._watch(clip, None, self._rate(clip.duration))
            self._passes.move_to_end(clip.sha256)
            while len(self._passes) > KEPT:
                self._passes.popitem(last=False)
            return self._passes[clip.sha256]

    def _rate(self, seconds: float) -> float:
        return min(self._fps, max(1.0, MOST_LOOKS / max(seconds, 1e-3)))

    def _close(self, clip: Clip, span: Span) -> Footage:
        """Look at a span at the full frame rate, or as often as the budget of looks allows."""
        rate = min(60.0, max(self._fps, MOST_CLOSE_LOOKS / max(span.length, 1e-3)))
        with self._lock:
            return self._watch(clip, span, rate)

    def _watch(self, clip: Clip, span: Span | None, rate: float) -> Footage:
        """Look through the clip or the span; the caller holds the lock."""
        frames = clip.frames(span=span)
        if self._networks is None:
            self._networks = Networks()
        self._networks.forget()
        footage = watch(frames, self._networks, rate, self._max_side)
        if not footage.times:
            where = f" at {span.start:.1f}-{span.end:.1f} s" if span else ""
            raise Unobservable(f"no picture is shown{where}")
        return footage

    def _clues(self, findings: Sequence[Finding]) -> list[Clue]:
        return [self._clue(finding) for finding in findings]

    def _clue(self, finding: Finding) -> Clue:
        factors = {name: round(value, 3) for name, value in finding.factors.items()}
        return Clue(
            modality=self.modality,
            span=Span(start=round(finding.start, 2), end=round(finding.end, 2)),
            person=finding.person,
            text=finding.text,
            quality=Quality(score=round(min(1.0, finding.quality), 2), factors=factors),
            source=self.source,
            data=finding.data,
        )


def describe_whole(footage: Footage) -> list[Finding]:
    """Return the findings of a full pass, the setting first, then by time."""
    people = find_people(footage.looks)
    setting = describe_setting(footage, people, is_still(footage))
    acts = describe_acts(footage, people) + describe_camera(footage)
    return setting + sorted(acts, key=lambda f: (f.start, f.end, f.text))


def describe_acts(footage: Footage, people: Sequence[Person]) -> list[Finding]:
    """Return what the most prominent people of each shot do."""
    acts: list[Finding] = []
    for shot in range(len(footage.shots)):
        here = [person for person in people if person.shot == shot]
        acts += describe_hands(footage.looks, here)
        for person in here[:MOST_PEOPLE]:
            acts += describe_posture(footage.looks, person) + describe_body(footage, person)
    return acts
