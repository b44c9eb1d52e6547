"""What a model must reply with for each task, and nothing beside it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from emer.agents.types import Block, DeclineReason
from emer.tools.types import Modality, Question

Ids = Annotated[list[str], Field(max_length=24)]
Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
Said = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=600)]


class Reply(BaseModel):
    """A model's answer to one task."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Candidate(Reply):
    """A reading with the clues for and against it."""

    label: Word
    supports: Ids = Field(min_length=1)
    contradicts: Ids = []


class Disagreement(Reply):
    """Two modalities that point different ways."""

    left: Modality
    left_label: Word
    right: Modality
    right_label: Word
    clue_ids: Ids = Field(min_length=2)


class Deciding(Reply):
    """The decider's answer: candidates, conflicts, and whether more could change anything."""

    candidates: list[Candidate] = Field(max_length=5)
    conflicts: list[Disagreement] = Field(default=[], max_length=4)
    settled: bool = False
    declined: DeclineReason | None = None


class Look(Reply):
    """A closer look that the planner asks for; times in seconds."""

    tool: Word
    start: float = Field(ge=0)
    end: float = Field(ge=0)
    why: Said = "it could decide"
    question: Question | Literal[""] | None = None


class Planning(Reply):
    """The planner's answer."""

    asks: list[Look] = Field(max_length=6)


class Line(Reply):
    """A sentence of the explanation with the clues that carry it."""

    block: Block
    text: Said
    clue_ids: Ids = Field(min_length=1)


class Named(Reply):
    """A label with the clues that carry it."""

    name: Word
    clue_ids: Ids = Field(min_length=1)


class Open(Reply):
    """A reading that stays open."""

    label: Word
    clue_ids: Ids = Field(min_length=1)


class Writing(Reply):
    """The writer's answer."""

    sentences: list[Line] = Field(min_length=1, max_length=14)
    labels: list[Named] = Field(max_length=6)
    alternatives: list[Open] = Field(default=[], max_length=4)


class Verdict(Reply):
    """What the critic holds of one sentence, numbered from 1."""

    sentence: int = Field(ge=1)
    verdict: Literal["confirmed", "rejected", "unverified"]
    why: Annotated[str, StringConstraints(max_length=400)] = ""


class Criticising(Reply):
    """The critic's answer."""

    verdicts: list[Verdict] = Field(max_length=24)
