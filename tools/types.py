"""Records of perception: spans, clues, their source and quality, observations.

Every record is frozen and refuses unknown fields, so what is on disk, in the graph's
state and in a prompt is exactly what is declared here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, model_validator

Modality = Literal["text", "audio", "face", "scene"]
MODALITIES: tuple[Modality, ...] = ("face", "scene", "audio", "text")
Param = str | int | float | bool | None
_ONE_LINE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"
Question = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=_ONE_LINE),
]
"""A question to a tool about a span: one short line."""


class Record(BaseModel):
    """A frozen value with no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def digest(value: Record | JsonValue) -> str:
    """Sha256 (hex) of the canonical JSON of a record or value."""
    plain = value.model_dump(mode="json") if isinstance(value, Record) else value
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


class Span(Record):
    """An interval of the clip, in seconds from its first frame or sample."""

    start: float = Field(ge=0)
    end: float = Field(ge=0)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.end < self.start:
            raise ValueError(f"span ends before it starts: {self.start} > {self.end}")
        return self

    @property
    def length(self) -> float:
        """Length in seconds."""
        return self.end - self.start

    def overlaps(self, other: Span, slack: float = 0.0) -> bool:
        """True if the two spans share a moment, with a tolerance of `slack` seconds."""
        return self.start <= other.end + slack and other.start <= self.end + slack


class Source(Record):
    """Origin of a clue: tool, version, model and parameters.

    `params` holds only what changes the result; device, batch size and threads do not.
    """

    tool: str
    version: str
    model: str | None = None
    params: Mapping[str, Param] = Field(default_factory=dict)


class Quality(Record):
    """Measurability, from 0 (not at all) to 1 (cleanly).

    `factors` are the measurements behind the score, named with their unit
    ("face_px", "yaw_deg", "snr_db", "asr_logprob").
    """

    score: float = Field(ge=0, le=1)
    factors: Mapping[str, float] = Field(default_factory=dict)


FACE_BOX = ("face_x", "face_y", "face_height")
"""Quality factors of a clue about a person: the middle of the face, from the left and the
top, and its height, in picture heights. By them people of different tools are the same."""
LONGEST_CLUE = 25_000
"""Characters of a clue: a transcript of half an hour (chosen by us)."""
LONGEST_PLACE = 80
MOST_CUES = 50
"""Cues of one clue (chosen by us)."""
CueId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Kind = Literal["measured", "classified", "transcribed", "described", "reviewed"]


class CueMention(Record):
    """A cue that a clue states, or denies.

    `strength` is 1 for a clear cue; FACS intensities A to E are 0.4 to 1.35
    (`tools.cues.FACS_LETTERS`).
    """

    cue: CueId
    strength: float = Field(default=1.0, ge=0, le=2)
    negated: bool = False


_CLOSER = "closer"
"""Key of `data` for the span of a closer look in clues before `Clue.look`, [start, end]."""
_TYPED = ("cues", "kind", "certainty", "place", "look")
"""Fields that an id covers only where they are set, so that older ids hold."""


class Clue(Record):
    """One sentence that can be checked by watching the clip, with its measurements.

    The id is the modality's first letter and a hash of all other fields that are set, so that
    equal clues have equal ids and merging is set union. It is computed when omitted, checked
    when given.

    Args:
        modality: "face", "scene", "audio" or "text".
        span: When, in seconds of the clip; None: the whole clip.
        person: A name local to the clip ("person 1"), never an identity.
        text: The sentence.
        confidence: A measured probability, 0 to 1, or None; never invented.
        quality: Measurability.
        source: The tool, its version and model.
        data: The measurements behind the sentence, as JSON.
        cues: What the sentence states, by cue id (`tools/cues.csv`); empty: the reasoner
            reads the sentence.
        kind: How it was made: measured, classified by a model, transcribed words, described
            by a model, or written by a reviewer.
        certainty: "doubtful" for words that the recogniser does not trust, and hedged readings.
        place: Where the person is in the picture ("on the left").
        look: The span of the closer look that made it; None for a look at the whole clip.
    """

    id: str = ""
    modality: Modality
    span: Span | None
    person: str | None = None
    text: str = Field(min_length=1, max_length=LONGEST_CLUE)
    confidence: float | None = Field(default=None, ge=0, le=1)
    quality: Quality
    source: Source
    data: Mapping[str, JsonValue] = Field(default_factory=dict)
    cues: tuple[CueMention, ...] = Field(default=(), max_length=MOST_CUES)
    kind: Kind = "measured"
    certainty: Literal["stated", "doubtful"] = "stated"
    place: str | None = Field(default=None, min_length=1, max_length=LONGEST_PLACE)
    look: Span | None = None

    @property
    def closer_look(self) -> Span | None:
        """The span of its closer look, also of a clue of an older trace."""
        match self.data.get(_CLOSER):
            case [int() | float() as start, int() | float() as end] if self.look is None:
                return Span(start=start, end=end) if 0 <= start <= end else None
        return self.look

    @model_validator(mode="after")
    def _identified(self) -> Self:
        rest = self.model_dump(mode="json", exclude={"id"})
        for name in _TYPED:
            if getattr(self, name) == type(self).model_fields[name].default:
                del rest[name]
        expected = self.modality[0] + digest(rest)[:8]
        if self.id and self.id != expected:
            raise ValueError(f"clue id {self.id} does not fit its content ({expected})")
        object.__setattr__(self, "id", expected)
        return self


class Observation(Record):
    """Result of one tool for one clip and span: clues, or the reason there are none."""

    tool: str
    modality: Modality
    span: Span | None = None
    clues: tuple[Clue, ...] = ()
    missing: str | None = None
    """Reason why nothing could be observed, shown as missing evidence."""
