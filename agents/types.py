"""The records of reasoning: hypotheses, asks, decisions and explanations."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from emer.tools.types import Modality, Record, Span

Band = Literal["low", "medium", "high"]
Block = Literal["video", "audio", "text", "answer", "therefore"]
"""The parts of an EMER explanation, in the order they are read."""

StopReason = Literal["sure", "nothing_to_ask", "no_new_clues", "budget", "no_evidence"]


class Hypothesis(Record):
    """An emotion the clip may display, with the clues for and against it."""

    label: str
    probability: float = Field(ge=0, le=1)
    supports: tuple[str, ...] = ()
    contradicts: tuple[str, ...] = ()


class Conflict(Record):
    """Two modalities that point different ways; both readings stay in play."""

    left: Modality
    right: Modality
    text: str
    clue_ids: tuple[str, ...] = Field(min_length=2)


class Ask(Record):
    """A request to a tool to look again at a span, and what that could decide."""

    tool: str
    span: Span
    why: str


class Decision(Record):
    """Where the reasoner stands after a round: go on asking, or stop and say why."""

    hypotheses: tuple[Hypothesis, ...]
    conflicts: tuple[Conflict, ...] = ()
    asks: tuple[Ask, ...] = ()
    stop_reason: StopReason | None = None


class Budget(Record):
    """What a run may still spend; counted down by the controller."""

    rounds: int = Field(default=3, ge=0)
    tool_calls: int = Field(default=24, ge=0)
    seconds: float = Field(default=600.0, ge=0)


class Sentence(Record):
    """One sentence of an explanation and the clues it rests on (at least one)."""

    block: Block
    text: str = Field(min_length=1)
    clue_ids: tuple[str, ...] = Field(min_length=1)


class Label(Record):
    """An open-vocabulary emotion label with its confidence band and its clues."""

    name: str
    band: Band
    clue_ids: tuple[str, ...] = Field(min_length=1)


class Alternative(Record):
    """Another reading of the clip, and what would change our mind."""

    label: str
    would_change: str
    clue_ids: tuple[str, ...] = ()


class Missing(Record):
    """A modality, or a part of one, that could not be observed, and why."""

    modality: Modality
    why: str


class Explanation(Record):
    """An EMER explanation: sentences and labels that cite clues, and what is missing.

    An explanation without labels abstains: what was observed does not carry a reading.
    """

    sentences: tuple[Sentence, ...] = ()
    labels: tuple[Label, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    missing: tuple[Missing, ...] = ()

    @property
    def by_modality(self) -> dict[Block, tuple[Sentence, ...]]:
        """Sentences grouped by the block they belong to, in reading order."""
        blocks: tuple[Block, ...] = ("video", "audio", "text", "answer", "therefore")
        grouped = {b: tuple(s for s in self.sentences if s.block == b) for b in blocks}
        return {block: found for block, found in grouped.items() if found}
