"""The people of each shot: faces linked from sample to sample."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from pydantic import JsonValue

from emer.tools.scene.detectors import FaceBox
from emer.tools.scene.features import Sample
from emer.tools.types import FACE_BOX, CueMention

MISSED: Final = 1.5
"""Seconds a face may be lost and still be the same face at the same place."""
SURE: Final = 0.75
"""Mean score above which two detections make a person; below it three."""

_PLACE = re.compile(r"\bin the middle|on the (?:left|right)|\w+ from the left")
Interval = tuple[float, float]
Data = Mapping[str, JsonValue]
Track = list[tuple[float, FaceBox]]
"""Times and places of one face that is followed through one shot."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One true sentence about the scene, with what it rests on."""

    text: str
    start: float
    end: float
    quality: float
    person: str | None = None
    factors: Mapping[str, float] = field(default_factory=dict)
    data: Data = field(default_factory=dict)
    cues: tuple[CueMention, ...] = ()
    place: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """A person in a shot, known by the face."""

    shot: int
    times: tuple[float, ...]
    boxes: tuple[FaceBox, ...]
    subject: str = "The person"
    """How sentences begin: "The person", "Person 2 (on the right)"."""
    name: str | None = None
    """Such as "person 1"; None in clips with cuts, where a face is not known again."""

    @property
    def object(self) -> str:
        """The word inside a sentence: "the person"."""
        return self.subject[0].lower() + self.subject[1:]

    @property
    def place(self) -> str | None:
        """Where the person is among several, as sentences say it: "on the left"."""
        found = _PLACE.search(self.subject)
        return found.group() if found else None

    @property
    def seen(self) -> Interval:
        return self.times[0], self.times[-1]

    @property
    def height(self) -> float:
        """Median height of the face in picture heights."""
        return float(np.median([box.height for box in self.boxes]))

    @property
    def middle(self) -> float:
        """Median place of the face from the left, in picture heights."""
        return float(np.median([box.centre[0] for box in self.boxes]))

    @property
    def score(self) -> float:
        return float(np.mean([box.score for box in self.boxes]))

    def box_at(self, time: float, reach: float = MISSED) -> FaceBox | None:
        """The face nearest in time, if one was seen within `reach` seconds."""
        after = bisect_left(self.times, time)
        near = [i for i in (after - 1, after) if 0 <= i < len(self.times)]
        best = min(near, key=lambda i: abs(self.times[i] - time))
        return self.boxes[best] if abs(self.times[best] - time) <= reach else None

    def finding(
        self,
        text: str,
        cues: tuple[CueMention, ...],
        span: Interval,
        data: Data,
        share: float = 1.0,
        **factors: float,
    ) -> Finding:
        """A finding on this person, its quality this share of the face's score."""
        factors = {"face_score": self.score, **factors}
        return self.about(Finding(text, *span, share * self.score, None, factors, data, cues))

    def about(self, finding: Finding) -> Finding:
        """The finding with the person's name, place, and the face's place meanwhile."""
        start, end = finding.start - MISSED, finding.end + MISSED
        seen = zip(self.times, self.boxes, strict=True)
        boxes = [box for time, box in seen if start <= time <= end] or self.boxes
        middle = np.median([(*box.centre, box.height) for box in boxes], axis=0).tolist()
        factors = {**finding.factors, **dict(zip(FACE_BOX, middle, strict=True))}
        return replace(finding, person=self.name, place=self.place, factors=factors)


def find_people(samples: Sequence[Sample]) -> tuple[Person, ...]:
    """The people of all shots, numbered; the most prominent of a shot come first."""
    people: list[Person] = []
    shots = sorted({sample.shot for sample in samples})
    for shot in shots:
        here = [sample for sample in samples if sample.shot == shot]
        tracks = _rejoin([track for track in _tracks(here) if _is_real(track, here)])
        seen = [zip(*track, strict=True) for track in tracks]
        found = [Person(shot, times, boxes) for times, boxes in seen]
        people += _numbered(found, len(shots) > 1)
    return tuple(people)


def _tracks(samples: Sequence[Sample]) -> list[Track]:
    """The faces followed through one shot, the nearest first."""
    tracks: list[Track] = []
    for sample in samples:
        live = [track for track in tracks if sample.time - track[-1][0] <= MISSED]
        pairs = sorted(
            (_apart(track[-1][1], box), t, b)
            for t, track in enumerate(live)
            for b, box in enumerate(sample.faces)
        )
        rest = dict(enumerate(sample.faces))
        for apart, t, b in pairs:
            if apart < 1.0 and live[t][-1][0] < sample.time and b in rest:
                live[t].append((sample.time, rest.pop(b)))
        tracks += [[(sample.time, box)] for box in rest.values()]
    return tracks


def _apart(one: FaceBox, other: FaceBox) -> float:
    """Distance of two boxes in place and size: below 1 they may be one face."""
    size = max(one.height, other.height)
    gap = math.dist(one.centre, other.centre) / size
    return gap + abs(math.log(one.height / other.height))


def _is_real(track: Track, shot: Sequence[Sample]) -> bool:
    score = float(np.mean([box.score for _, box in track]))
    needed = 2 if score >= SURE else 3
    if len(shot) < needed:
        return score >= SURE
    least = min(0.3, 0.5 * (shot[-1].time - shot[0].time))
    return len(track) >= needed and track[-1][0] - track[0][0] >= least


def _rejoin(tracks: Sequence[Track]) -> list[Track]:
    """The tracks of one shot, each joined to the nearest earlier one at its place."""
    joined: list[Track] = []
    for track in sorted(tracks, key=lambda track: track[0][0]):
        time, box = track[0]
        near = [(_apart(one[-1][1], box), n) for n, one in enumerate(joined) if one[-1][0] < time]
        apart, best = min(near, default=(math.inf, 0))
        if apart < 2.0:
            joined[best] += track
        else:
            joined.append(track)
    return joined


def _numbered(people: Sequence[Person], cut: bool) -> list[Person]:
    ranked = sorted(people, key=lambda p: (-round(p.height * len(p.times), 3), p.middle))
    if len(people) == 1 or simultaneous(people)[0] < 2:
        return [replace(person, name=None if cut else "person 1") for person in ranked]
    across = sorted(people, key=lambda p: p.middle)
    numbered = []
    for number, person in enumerate(ranked, start=1):
        place = _place(across.index(person) + 1, len(people))
        subject = f"The person {place}" if cut else f"Person {number} ({place})"
        numbered.append(replace(person, subject=subject, name=None if cut else f"person {number}"))
    return numbered


def simultaneous(people: Sequence[Person]) -> tuple[int, Interval | None]:
    """The most people seen in at least two samples at once, and from when to when."""
    counts = Counter(time for person in people for time in person.times)
    for most in sorted(set(counts.values()), reverse=True):
        when = sorted(time for time, count in counts.items() if count >= most)
        if len(when) > 1 or len(counts) < 4:
            return most, (when[0], when[-1])
    return 0, None


def _place(number: int, count: int) -> str:
    if number in (1, count):
        return "on the left" if number == 1 else "on the right"
    if count == 3:
        return "in the middle"
    nth = ("second", "third", "fourth")[number - 2] if number < 5 else f"{number}th"
    return f"{nth} from the left"
