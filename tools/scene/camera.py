"""The scene specialist: what the camera shows around and below the face."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from emer.tools.clip import Clip
from emer.tools.errors import Unobservable
from emer.tools.registry import register
from emer.tools.scene.closeup import describe_closeup
from emer.tools.scene.findings import Finding
from emer.tools.scene.footage import Footage, watch
from emer.tools.scene.framing import describe_setting
from emer.tools.scene.gestures import describe_hands
from emer.tools.scene.movement import describe_body, describe_camera, is_still
from emer.tools.scene.networks import Networks
from emer.tools.scene.people import Person, find_people
from emer.tools.scene.posture import describe_posture
from emer.tools.types import Clue, Modality, Quality, Source, Span

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
