"""Clues about the people of a clip: which findings are told, in which words, how well measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emer.tools.errors import Unobservable
from emer.tools.face.finding import Finding
from emer.tools.face.pictures import DARK
from emer.tools.face.portrait import Portrait
from emer.tools.face.reading import Reading, why_none
from emer.tools.face.state_sentences import head_facts, of_states
from emer.tools.face.tracks import SMALLEST_PX
from emer.tools.face.unit_sentences import of_units
from emer.tools.types import Clue, Quality, Source, Span

CLUES_FIRST, CLUES_OTHERS, CLUES_CLOSER = 10, 5, 14
SHARP_PX = 120
"""Face size from which the 192-pixel landmark network sees all it can use."""
LEAST_SURE = 0.2
"""Share of the quality that is left where something covers the face (chosen by us)."""
WORTH_SAYING = 0.1
"""Measurements below this quality are left unsaid (chosen by us)."""


def tell(source: Source, reading: Reading, people: int, span: Span | None) -> Sequence[Clue]:
    """Return clues about at most `people` faces, in `span` only if given.

    `Unobservable` when no face could be measured.
    """
    if not reading.portraits:
        raise Unobservable(why_none(reading))
    clues = [
        clue
        for portrait in reading.portraits[:people]
        for clue in _tell(source, portrait, reading, span)
    ]
    if not clues and span is not None:
        raise Unobservable(f"no face was measured between {span.start} and {span.end} s")
    if not clues:
        raise Unobservable("faces were seen, but turned too far or too briefly to be read")
    return clues


def _tell(source: Source, portrait: Portrait, reading: Reading, span: Span | None) -> list[Clue]:
    """Return the weightiest clues about one person, in order of time."""
    found = find_all(portrait, span)
    first = portrait.person.number == 1
    most = CLUES_CLOSER if span else CLUES_FIRST if first else CLUES_OTHERS
    told = sorted(found[:most], key=lambda f: (f.start, f.end, f.says))
    clues = [_clue(source, portrait, reading, finding) for finding in told]
    return [clue for clue in clues if clue.quality.score >= WORTH_SAYING]


def _clue(source: Source, portrait: Portrait, reading: Reading, finding: Finding) -> Clue:
    alone = len(reading.portraits) == 1
    return Clue(
        modality="face",
        span=Span(start=round(finding.start, 2), end=round(finding.end, 2)),
        person=f"person {portrait.person.number}",
        text=(_name(portrait, alone) + finding.says),
        quality=_quality(portrait, reading, finding),
        source=source,
        data=finding.data,
    )


def find_all(portrait: Portrait, span: Span | None) -> list[Finding]:
    """Return all findings about one person, the weightiest first; in `span` only, if given."""
    times = portrait.measures.times
    inside = np.ones(len(times), dtype=bool)
    if span is not None:
        inside = (times >= span.start - 1e-6) & (times <= span.end + 1e-6)
    if not inside.any():
        return []
    found = [*of_units(portrait, inside), *of_states(portrait, inside)]
    return sorted(found, key=lambda f: (-f.weight, f.start, f.says))


def _name(portrait: Portrait, alone: bool) -> str:
    """Return "The person", or "Person 2 (on the left)" where there are several."""
    if alone:
        return "The person"
    return f"Person {portrait.person.number} ({portrait.person.where})"


def _quality(portrait: Portrait, reading: Reading, finding: Finding) -> Quality:
    """Score the measurement: face size, pose, light, how much is covered or unsure, and rest."""
    facts = head_facts(portrait, finding.frames)
    size = np.clip((facts["face_px"] - SMALLEST_PX) / (SHARP_PX - SMALLEST_PX), 0.1, 1.0)
    pose = np.clip(1.2 - facts["yaw_deg"] / 60 - facts["pitch_deg"] / 90, 0.2, 1.0)
    light = np.clip(reading.brightness / DARK, 0.4, 1.0)
    sure = np.clip(_sure(portrait, finding), LEAST_SURE, 1.0)
    own = finding.data.get("baseline", "own") == "own"
    rest = (1.0 if portrait.rest.seconds >= 2.0 else 0.5) if own else 0.5
    tracked = len(portrait.measures) / max(reading.frames, 1)
    return Quality(
        score=round(float(size * pose * light * rest * sure * finding.trust), 2),
        factors={
            **facts,
            "landmarks_sure": round(float(sure), 2),
            "tracked_share": round(tracked, 2),
            "brightness": round(reading.brightness, 0),
            **({"unit_quality": finding.trust} if finding.trust < 1.0 else {}),
            "baseline_s": round(portrait.rest.seconds if own else 0.0, 1),
        },
    )


def _sure(portrait: Portrait, finding: Finding) -> float:
    """Return how far the landmarks this rests on can be believed, on average (see `spread`)."""
    if finding.half is None:
        return 1.0
    part = slice(finding.frames.first, finding.frames.last + 1)
    return float(portrait.measures.sure[part, finding.half].mean())
