"""The state of a run: ids and small records, never clues, frames, sound or embeddings.

All of it is plain JSON, so that a checkpoint can be read by any version of anything.
Parallel branches write through reducers that give the same result in any order. At the
start of a run None empties a channel, since a thread carries its state to the next run.
"""

from __future__ import annotations

from typing import Annotated, Any

from typing_extensions import TypedDict

from emer.agents.types import Missing
from emer.tools.types import Question, Record, Span, digest

Json = dict[str, Any]

MAX_TURNS = 10
MAX_TURN_TEXT = 2_000
"""How much of a thread is remembered: turns, and characters of each answer."""


def union(left: list[str] | None, right: list[str] | None) -> list[str]:
    """Return both lists' values, each once, sorted; None on the right empties."""
    return [] if right is None else sorted({*(left or []), *right})


def union_records(left: list[Json] | None, right: list[Json] | None) -> list[Json]:
    """Return both lists' records, each once, in an order of their own; None empties."""
    if right is None:
        return []
    found = {digest(record): record for record in [*(left or []), *right]}
    return [found[key] for key in sorted(found)]


def total(left: int | None, right: int | None) -> int:
    """Return the sum; None on the right starts again from zero."""
    return 0 if right is None else (left or 0) + right


class State(TypedDict, total=False):
    """What the nodes of the graph share."""

    run_id: str
    question: str
    review: bool
    """Whether a person looks at the first clues before the reasoner does."""
    history: list[Json]
    """Earlier turns of the thread."""
    edited: dict[str, list[Json]]
    """The `Edits` that people made in the thread, by the sha256 of the clip."""
    clue_ids: Annotated[list[str], union]
    known_ids: list[str]
    """The clues there were at the last decision, in the order in which they came in."""
    struck: list[str]
    """Clues that a person struck out."""
    gaps: Annotated[list[Json], union_records]
    """`Gap` records: first looks that brought nothing and calls that failed."""
    calls: Annotated[int, total]
    """Tool calls carried out, cached ones included, so that a second run stops alike."""
    round: int
    barren: int
    """Rounds in a row that brought no new clue."""
    jobs: list[Json]
    asked: list[Json]
    refused: list[Json]
    tokens: int
    """What language models have read and written in this run."""
    money: float
    decision: Json | None
    explanation: Json | None
    rejected: list[Json]
    attempt: int


class Job(Record):
    """One tool call to be made."""

    slot: str
    span: Span | None = None
    round: int = 0
    why: str = "first look"
    question: Question | None = None


class Order(TypedDict):
    """What a branch of the graph is sent: one `Job` of a run."""

    run_id: str
    job: Json


class Gap(Record):
    """A first look that brought nothing, or any call that failed: the slot is not asked again."""

    slot: str
    missing: Missing | None
    """None when nobody knows which modality an absent tool would have served."""


def fresh(run_id: str, question: str, review: bool = False) -> Json:
    """Return the update that begins a run in a thread of any age."""
    return {
        "run_id": run_id,
        "question": question,
        "review": review,
        "clue_ids": None,
        "known_ids": [],
        "struck": [],
        "gaps": None,
        "calls": None,
        "round": 0,
        "barren": 0,
        "jobs": [],
        "asked": [],
        "refused": [],
        "tokens": 0,
        "money": 0.0,
        "decision": None,
        "explanation": None,
        "rejected": [],
        "attempt": 0,
    }
