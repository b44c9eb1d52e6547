"""Perception: clues and labels of an answer against what a person saw in the clip.

A clue about a face, hands or posture is true if a sighting of its cue covers at least half of its
span, misleading if a smaller part of it, false if none. It is not judged where the table
has no row of the cue, where the observer was unsure, or where it denies a cue.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from emer.agents.lexicon.cue_parser import Reading, read
from emer.agents.lexicon.lexicon import lexicon
from emer.tools.types import Clue, Span

Presence = Literal["yes", "no", "unsure"]
Truth = Literal["true", "misleading", "false", "unjudged"]
TOLERANCE = 0.3
"""Seconds by which a person's times may be off (chosen by us)."""
COVERED = 0.5
"""Least share of a clue's span that its sightings cover (chosen by us)."""
KIN: Mapping[str, frozenset[str]] = {
    "brow_raise": frozenset({"inner_brow", "outer_brow"}),
    "inner_brow": frozenset({"brow_raise"}),
    "outer_brow": frozenset({"brow_raise"}),
    "smile": frozenset({"one_sided", "forced_smile"}),
    "jaw_drop": frozenset({"mouth_open"}),
    "mouth_open": frozenset({"jaw_drop", "smile"}),
}
"""Groups of cues that observers name one for the other, beside those of one group."""
EXCLUDED = {"smile_social": "smile_eyes", "smile_eyes": "smile_social"}
"""A cue that denies what the other states: seen with the other, it misleads."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A cue that a person saw, did not see, or was unsure of, from when to when."""

    cue: str
    span: Span
    presence: Presence
    person: str
    main: bool
    """Whether it is the expression that carries the impression of the clip."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a person saw in one clip.

    Args:
        clip: Path of the clip, relative to the folder of clips.
        sightings: Cues, by time.
        labels: Emotion labels that an observer accepts.
        people: Number of people, those seen from behind included; None: not stated.
    """

    clip: str
    sightings: tuple[Sighting, ...]
    labels: tuple[str, ...]
    people: int | None

    @property
    def main(self) -> tuple[Sighting, ...]:
        """Sightings of the main expression."""
        return tuple(s for s in self.sightings if s.main and s.presence == "yes")


@dataclass(frozen=True, slots=True)
class JudgedClue:
    """A clue, and whether a person saw what it states."""

    clue: Clue
    truth: Truth


@dataclass(frozen=True, slots=True)
class ClipScore:
    """What was right in the answer on one clip.

    Args:
        clip: The clip's path in the table.
        clues: The clues with visual cues, judged.
        found: Whether a true clue states the main expression; None: the table names none.
        labels: The labels of the answer, the likeliest first.
        first: Whether the first label is of an accepted family; None: no label is accepted.
        any: Whether one of the labels is.
        people: Number of people that the clues tell of at the most; None: they count none.
        counted: Whether that is the number in the table; None: it states none.
    """

    clip: str
    clues: tuple[JudgedClue, ...]
    found: bool | None
    labels: tuple[str, ...]
    first: bool | None
    any: bool | None
    people: int | None
    counted: bool | None

    @property
    def abstained(self) -> bool:
        return not self.labels

    def truths(self, tool: str | None = None) -> Counter[Truth]:
        """Number of clues by truth, of one tool or of all."""
        return Counter(each.truth for each in self.clues if tool in (None, each.clue.source.tool))


def score_clip(seen: Seen, clues: Sequence[Clue], labels: Sequence[str]) -> ClipScore:
    """Scores of an answer's clues and labels against what was seen in the clip."""
    readings = [reading for reading in read(clues) if _is_visual(reading.clue)]
    judged = tuple(
        JudgedClue(reading.clue, truth(reading, seen.sightings))
        for reading in readings
        if any(not mention.negated for mention in reading.mentions)
    )
    right = [each.clue for each in judged if each.truth == "true"]
    found = any(_shows(clue, seen.main) for clue in right) if seen.main else None
    accepted = {lexicon().family_of(label) for label in seen.labels}
    hits = [lexicon().family_of(label) in accepted for label in labels]
    people = _people(clues)
    return ClipScore(
        clip=seen.clip,
        clues=judged,
        found=found,
        labels=tuple(labels),
        first=hits[:1] == [True] if accepted else None,
        any=any(hits) if accepted else None,
        people=people,
        counted=None if seen.people is None else (people or 0) == seen.people,
    )


def truth(reading: Reading, sightings: Sequence[Sighting]) -> Truth:
    """Whether a person saw what a clue states; the worst of its cues counts."""
    cues = [mention.cue for mention in reading.mentions if not mention.negated]
    found = {_truth_of(cue, reading.clue.span, sightings) for cue in cues} - {"unjudged"}
    worst: tuple[Truth, ...] = ("false", "misleading", "true")
    return next((each for each in worst if each in found), "unjudged")


def same_sign(cue: str, other: str) -> bool:
    """Whether two cues are one sign to an observer: one group, or kin."""
    one, two = (_group(each) for each in (cue, other))
    return one == two or two in KIN.get(one, ())


def _truth_of(cue: str, span: Span | None, sightings: Sequence[Sighting]) -> Truth:
    own = [sighting for sighting in sightings if same_sign(cue, sighting.cue)]
    if not own:
        return "unjudged"
    spans = {
        presence: [
            s.span for s in own if s.presence == presence and (span is None or _meets(span, s))
        ]
        for presence in ("yes", "unsure")
    }
    if span is None:
        return "true" if spans["yes"] else "unjudged" if spans["unsure"] else "false"
    if _covered(span, spans["yes"]) >= COVERED:
        against = [s for s in own if s.cue == EXCLUDED.get(cue) and s.presence == "yes"]
        return "misleading" if any(_meets(span, s) for s in against) else "true"
    if _covered(span, [*spans["yes"], *spans["unsure"]]) >= COVERED:
        return "unjudged"
    return "misleading" if spans["yes"] else "false"


def _meets(span: Span, sighting: Sighting) -> bool:
    return span.overlaps(sighting.span, TOLERANCE)


def _covered(span: Span, others: Iterable[Span]) -> float:
    """Share of a span that others cover, each widened by the tolerance."""
    if span.length == 0:
        return float(any(span.overlaps(other, TOLERANCE) for other in others))
    covered, reached = 0.0, span.start
    for start, end in sorted((o.start - TOLERANCE, o.end + TOLERANCE) for o in others):
        first, last = max(start, reached), min(end, span.end)
        if last > first:
            covered, reached = covered + last - first, last
    return covered / span.length


def _shows(clue: Clue, main: Sequence[Sighting]) -> bool:
    (reading,) = read([clue])
    return any(
        same_sign(mention.cue, sighting.cue) and (clue.span is None or _meets(clue.span, sighting))
        for mention in reading.mentions
        for sighting in main
        if not mention.negated
    )


def _group(cue: str) -> str:
    row = lexicon().cues.get(cue)
    return row.group if row else cue


def _is_visual(clue: Clue) -> bool:
    return clue.modality in ("face", "scene")


def _people(clues: Iterable[Clue]) -> int | None:
    """The most people that a clue counts, or that the clues number."""
    clues = list(clues)
    counts = [n for clue in clues if isinstance(n := clue.data.get("people"), int)]
    names = {clue.person for clue in clues if clue.person and _is_visual(clue)}
    return max([*counts, len(names)], default=0) or (0 if counts else None)
