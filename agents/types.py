"""Records of reasoning: inquiries, hypotheses, asks, decisions, explanations."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from emer.prompts.prompt import Language, language_in
from emer.tools.tool import ToolCard
from emer.tools.types import Clue, Modality, Question, Record, Span

Band = Literal["low", "medium", "high"]
Block = Literal["video", "audio", "text", "answer", "therefore"]
"""The parts of an EMER explanation."""
BLOCKS: tuple[Block, ...] = ("answer", "video", "audio", "text", "therefore")
"""In reading order."""

DeclineReason = Literal["identity", "private", "truth", "health", "future", "outside"]
"""What a question asks for that no clip can show."""

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
"""Why no more is asked; "paused" for a review, "budget" in traces of version 0.1."""

LONGEST_QUESTION = 4_000
"""Characters of a question (chosen by us)."""
LONGEST_SENTENCE = 4_000
"""Characters of a sentence of an explanation (chosen by us)."""

Role = Literal["planner", "decider", "writer", "critic", "probe"]
"""A probe asks nothing of a clip: it finds the form of reply that a server keeps to."""
ReplyForm = Literal["schema", "tool", "required_tool", "json", "text"]
"""How a model is held to a form, the strictest first: a JSON schema that its server enforces, a
tool that it must call (named in an object, or by the word "required"), any JSON object, nothing.
"""
Outcome = Literal["ok", "faulty", "failed"]
"""The reply was used; it was not usable; there was none."""


class Hypothesis(Record):
    """An emotion the clip may display, with the clues for and against it."""

    label: str
    probability: float | None = Field(default=None, ge=0, le=1)
    """Measured on the cited clues; None for a word that the lexicon does not know."""
    supports: tuple[str, ...] = ()
    contradicts: tuple[str, ...] = ()


class Conflict(Record):
    """Two modalities that point to opposite readings; both stay open."""

    left: Modality
    right: Modality
    text: str
    clue_ids: tuple[str, ...] = Field(min_length=2)


class Ask(Record):
    """A request to a tool to observe a span again, and what that could decide."""

    tool: str
    span: Span
    why: str
    question: Question | None = None
    """What the tool is asked in words, if its card says that it answers."""


class Refusal(Record):
    """An ask that was not carried out, and why not."""

    ask: Ask
    why: str


class Decision(Record):
    """State of the reasoning after a round: further asks, or the reason to stop."""

    hypotheses: tuple[Hypothesis, ...]
    conflicts: tuple[Conflict, ...] = ()
    asks: tuple[Ask, ...] = ()
    refused: tuple[Refusal, ...] = ()
    stop_reason: StopReason | None = None
    declined: DeclineReason | None = None


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
    text: str = Field(min_length=1, max_length=LONGEST_SENTENCE)
    clue_ids: tuple[str, ...] = Field(min_length=1)


class Label(Record):
    """An open-vocabulary emotion label with its confidence band and its clues."""

    name: str
    band: Band
    clue_ids: tuple[str, ...] = Field(min_length=1)


class Alternative(Record):
    """Another possible reading of the clip, and what would support it."""

    label: str
    would_change: str
    clue_ids: tuple[str, ...] = ()


class Missing(Record):
    """A modality, or a part of one, that could not be observed, and why.

    "question" where the question asks for nothing that can be observed.
    """

    modality: Modality | Literal["question"]
    why: str


class Explanation(Record):
    """An EMER explanation: sentences and labels that cite clues, and what is missing.

    An explanation without labels abstains: the evidence does not carry a reading.
    """

    sentences: tuple[Sentence, ...] = ()
    labels: tuple[Label, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    missing: tuple[Missing, ...] = ()
    declined: DeclineReason | None = None
    """If set, everything else is empty."""
    language: Language = "en"

    @property
    def by_modality(self) -> dict[Block, tuple[Sentence, ...]]:
        """Sentences by block in reading order; empty blocks are left out."""
        grouped = {b: tuple(s for s in self.sentences if s.block == b) for b in BLOCKS}
        return {block: sentences for block, sentences in grouped.items() if sentences}


class ModelCall(Record):
    """One request to a language model, as the trace records it."""

    role: Role
    model: str
    prompt: str
    """sha256 (hex) of the role's prompt file."""
    tokens_in: int = Field(ge=0)
    tokens_out: int = Field(ge=0)
    counted: bool
    """Whether the model counted the tokens; else they are estimated from the text."""
    money: float | None = Field(default=None, ge=0)
    """In the currency of the configured prices; None where none are configured."""
    seconds: float = Field(ge=0)
    outcome: Outcome
    why: str = ""
    """What was wrong with the reply, if anything was."""
    reply: str = ""
    form: ReplyForm | None = None
    """What the reply was held to; None in traces of version 0.1."""


class Fallback(Record):
    """A step done by the rules because the model's reply was not usable."""

    role: Role
    why: str


class Analogy(Record):
    """A card or exemplar of the memory that resembles the clip; never evidence."""

    key: str
    kind: Literal["card", "exemplar"]
    score: float
    """Inner product of embeddings, at most 1; not a probability."""
    source: str


class Recollection(Record):
    """What the memory returned for a decision, the nearest first."""

    embedder: str
    analogies: tuple[Analogy, ...] = ()
    trouble: str = ""
    """Why nothing could be looked up, or what had to be rebuilt."""


class Turn(Record):
    """An earlier question of the same thread with a summary of its answer."""

    run_id: str
    clip: str
    """The file's name; never shown to a model."""
    content: str = ""
    """sha256 of the clip's content."""
    question: str = Field(max_length=LONGEST_QUESTION)
    labels: tuple[str, ...] = ()
    text: str = ""

    def is_about(self, name: str, content: str) -> bool:
        """True for a turn about this clip; what another clip showed is no evidence."""
        return self.content == content if self.content else self.clip == name


class Rejection(Record):
    """A sentence that the verifier struck from a draft, and why."""

    text: str
    why: str


class Inquiry(Record):
    """The input of a reasoner, for a decision or an explanation."""

    question: str
    clues: tuple[Clue, ...]
    """In the order of arrival, those of the first look first."""
    missing: tuple[Missing, ...] = ()
    asked: tuple[Ask, ...] = ()
    """Asks carried out in this run."""
    refused: tuple[Refusal, ...] = ()
    tools: tuple[ToolCard, ...] = ()
    """The tools that can be asked."""
    budget: Budget = Budget()
    duration: float = Field(ge=0)
    """Length of the clip in seconds."""
    history: tuple[Turn, ...] = ()
    """Earlier turns of the thread, the oldest first."""
    rejected: tuple[Rejection, ...] = ()
    """Sentences struck from an earlier draft."""
    struck: tuple[Clue, ...] = ()
    """Clues that a reviewer rejected or rewrote; they are no evidence."""
    language: Literal["auto", "en", "zh"] = "auto"
    """Of the answer; "auto": that of the question."""

    @property
    def answer_language(self) -> Language:
        """As wished, else that of the question.

        A question without words ("2.4 s?") is in the language of the one before.
        """
        if self.language != "auto":
            return self.language
        earlier = (turn.question for turn in reversed(self.history))
        return next(filter(None, map(language_in, (self.question, *earlier))), "en")
