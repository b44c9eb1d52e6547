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
CLOSER = "closer"
"""Key of `Clue.data` for the span of a closer observation, [start, end] in s."""
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


LONGEST_CLUE = 25_000
"""Characters of a clue: a transcript of half an hour (chosen by us)."""


class Clue(Record):
    """One sentence that can be checked by watching the clip, with its measurements.

    The id is the modality's first letter and a hash of all other fields, so that equal clues
    have equal ids and merging is set union. It is computed when omitted, checked when given.

    Args:
        modality: "face", "scene", "audio" or "text".
        span: When, in seconds of the clip; None: the whole clip.
        person: A name local to the clip ("person 1"), never an identity.
        text: The sentence.
        confidence: A measured probability, 0 to 1, or None; never invented.
        quality: Measurability.
        source: The tool, its version and model.
        data: The measurements behind the sentence, as JSON.
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

    @model_validator(mode="after")
    def _identified(self) -> Self:
        rest = self.model_dump(mode="json", exclude={"id"})
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
