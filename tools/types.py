"""The records that perception hands on: spans, clues and where they come from.

Every record is frozen and refuses unknown fields, so what is on disk, in the graph's
state and in a prompt is exactly what is written here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    model_validator,
)

Modality = Literal["text", "audio", "face", "scene"]
MODALITIES: tuple[Modality, ...] = ("face", "scene", "audio", "text")
Param = str | int | float | bool | None
CLOSER = "closer"
"""Where a clue keeps, as [start, end], the stretch that was looked closer at, if its tool says."""
Question = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        min_length=1,
        max_length=120,
        pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$",
    ),
]
"""What a tool is asked in words about a span: one short line."""


class Record(BaseModel):
    """A frozen value with no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def digest(value: Record | JsonValue) -> str:
    """Return the sha256 (hex) of a record's or JSON value's canonical form."""
    plain = value.model_dump(mode="json") if isinstance(value, Record) else value
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


class Span(Record):
    """A stretch of the clip, in seconds from its first frame or sample."""

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
        """Tell whether the two spans share a moment, give or take `slack` seconds."""
        return self.start <= other.end + slack and other.start <= self.end + slack


class Source(Record):
    """What made a clue: a tool, its version, its model, and what changes its result.

    `params` holds only what changes the result; device, batch size and threads do not.
    """

    tool: str
    version: str
    model: str | None = None
    params: Mapping[str, Param] = Field(default_factory=dict)


class Quality(Record):
    """How well something could be measured, from 0 (not at all) to 1 (cleanly).

    `factors` are the measurements behind the score, named with their unit
    ("face_px", "yaw_deg", "snr_db", "asr_logprob").
    """

    score: float = Field(ge=0, le=1)
    factors: Mapping[str, float] = Field(default_factory=dict)


class Clue(Record):
    """One sentence a person could check by watching, with the numbers behind it.

    The id is the modality's first letter and a hash of all the rest: the same clue has
    the same id, and merging clues is set union. It is filled in when left out and
    checked when given.

    Args:
        modality: "face", "scene", "audio" or "text".
        span: When, in seconds of the clip; None: the whole clip.
        person: A name local to the clip ("person 1"), never an identity.
        text: The sentence.
        confidence: A measured probability, 0 to 1, or None; never invented.
        quality: How well it could be measured.
        source: The tool, its version and model.
        data: The numbers behind the sentence, as JSON.

    """

    id: str = ""
    modality: Modality
    span: Span | None
    person: str | None = None
    text: str = Field(min_length=1)
    confidence: float | None = Field(default=None, ge=0, le=1)
    quality: Quality
    source: Source
    data: Mapping[str, JsonValue] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _identified(self) -> Self:
        rest = self.model_dump(mode="json", exclude={"id"})
        expected = self.modality[0] + digest(rest)[:8]
        if self.id and self.id != expected:
            raise ValueError(f"clue id {self.id} does not fit its content ({expected})")
        object.__setattr__(self, "id", expected)
        return self


class Observation(Record):
    """What one tool gave for one clip and span: clues, or the reason there are none."""

    tool: str
    modality: Modality
    span: Span | None = None
    clues: tuple[Clue, ...] = ()
    missing: str | None = None
    """Why nothing could be observed; shown to the user as missing evidence."""
