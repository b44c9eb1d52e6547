"""The records of reasoning: inquiries, hypotheses, asks, decisions and explanations."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from emer.agents.questions.declined import Beyond
from emer.tools.tool import ToolCard
from emer.tools.types import Clue, Modality, Question, Record, Span

Band = Literal["low", "medium", "high"]
Block = Literal["video", "audio", "text", "answer", "therefore"]
"""The parts of an EMER explanation, in the order they are read."""

StopReason = Literal[
    "sure",
    "nothing_to_ask",
    "no_new_clues",
    "no_evidence",
    "agreed",
    "declined",
    "not_shown",
    "paused",
    "rounds_spent",
    "tool_calls_spent",
    "seconds_spent",
    "tokens_spent",
    "money_spent",
    "budget",
]
"""Why no more is asked; "paused" for a person's review, "budget" in traces of version 0.1."""


Role = Literal["planner", "decider", "writer", "critic"]
Outcome = Literal["ok", "faulty", "failed"]
"""The reply was used; it could not be; there was none."""


class Hypothesis(Record):
    """An emotion the clip may display, with the clues for and against it."""

    label: str
    probability: float | None = Field(default=None, ge=0, le=1)
    """Measured on the clues cited for it; None for a word that nothing is known to measure."""
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
    question: Question | None = None
    """What the tool is asked in words; only one whose card says that it answers."""


class Refusal(Record):
    """An ask that was not carried out, and why not; told to whoever asked."""

    ask: Ask
    why: str


class Decision(Record):
    """Where the reasoner stands after a round: go on asking, or stop and say why."""

    hypotheses: tuple[Hypothesis, ...]
    conflicts: tuple[Conflict, ...] = ()
    asks: tuple[Ask, ...] = ()
    refused: tuple[Refusal, ...] = ()
    stop_reason: StopReason | None = None
    declined: Beyond | None = None
    """What the question asks for, when no clip could show it."""


class Budget(Record):
    """What a run may still spend; counted down by the controller."""

    rounds: int = Field(default=3, ge=0)
    tool_calls: int = Field(default=24, ge=0)
    seconds: float = Field(default=600.0, ge=0)
    tokens: int = Field(default=200_000, ge=0)
    """Of a language model, prompt and reply together."""
    money: float | None = Field(default=None, ge=0)
    """In the currency of the configured prices; None: no limit."""


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
    """A modality, or a part of one, that could not be observed, and why.

    "question" where nothing that can be observed is asked for.
    """

    modality: Modality | Literal["question"]
    why: str


class Explanation(Record):
    """An EMER explanation: sentences and labels that cite clues, and what is missing.

    An explanation without labels abstains: what was observed does not carry a reading.
    """

    sentences: tuple[Sentence, ...] = ()
    labels: tuple[Label, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    missing: tuple[Missing, ...] = ()
    declined: Beyond | None = None
    """What the question asks for, when no clip could show it; then nothing else is said."""

    @property
    def by_modality(self) -> dict[Block, tuple[Sentence, ...]]:
        """Sentences grouped by the block they belong to, in reading order: the answer first."""
        blocks: tuple[Block, ...] = ("answer", "video", "audio", "text", "therefore")
        grouped = {b: tuple(s for s in self.sentences if s.block == b) for b in blocks}
        return {block: found for block, found in grouped.items() if found}


class ModelCall(Record):
    """One request to a language model, as it is kept in the trace."""

    role: Role
    model: str
    prompt: str
    """sha256 (hex) of the role's prompt file."""
    tokens_in: int = Field(ge=0)
    tokens_out: int = Field(ge=0)
    counted: bool
    """Whether the model counted the tokens; otherwise they are estimated from the text."""
    money: float | None = Field(default=None, ge=0)
    """In the currency of the configured prices; None where none are configured."""
    seconds: float = Field(ge=0)
    outcome: Outcome
    why: str = ""
    """What was wrong with the reply, if anything was."""
    reply: str = ""


class Fallback(Record):
    """A step that the rules took, because the model's reply could not be used."""

    role: Role
    why: str


class Analogy(Record):
    """Something remembered that is like the clip; never evidence about it."""

    key: str
    kind: Literal["card", "exemplar"]
    score: float
    """An inner product of embeddings, at most 1; no probability."""
    source: str


class Recollection(Record):
    """What was remembered for a decision, the nearest first, and by which embedder."""

    embedder: str
    analogies: tuple[Analogy, ...] = ()
    trouble: str = ""
    """Why nothing could be looked up, or what had to be mended."""


class Turn(Record):
    """An earlier question of the same thread and what was answered, in short."""

    run_id: str
    clip: str
    """The file's name; never told to a model."""
    content: str = ""
    """sha256 of the clip's content."""
    question: str
    labels: tuple[str, ...] = ()
    text: str = ""

    def is_about(self, name: str, content: str) -> bool:
        """Tell whether the turn was about this clip: what another one showed is no evidence."""
        return self.content == content if self.content else self.clip == name


class Rejection(Record):
    """A sentence that was struck out of a draft, and why."""

    text: str
    why: str


class Inquiry(Record):
    """Everything a reasoner is told when it is to decide or to explain."""

    question: str
    clues: tuple[Clue, ...]
    """In the order in which they came in, those of the first look first."""
    missing: tuple[Missing, ...] = ()
    asked: tuple[Ask, ...] = ()
    """Asks carried out in this run."""
    refused: tuple[Refusal, ...] = ()
    tools: tuple[ToolCard, ...] = ()
    """What may be asked."""
    budget: Budget = Budget()
    duration: float = Field(ge=0)
    """Length of the clip in seconds."""
    history: tuple[Turn, ...] = ()
    """Earlier turns of the thread, the oldest first."""
    rejected: tuple[Rejection, ...] = ()
    """Sentences of an earlier draft that were struck out."""
