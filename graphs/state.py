"""State of a run: ids and small records, never clues, frames, sound or embeddings.

It is plain JSON, so that a checkpoint does not depend on the version of a class. Parallel
branches write through reducers that give the same result in any order. A thread carries its
state to the next run; None empties a channel at the start of it.
"""

from __future__ import annotations

from typing import Annotated, Any

from typing_extensions import TypedDict

from emer.agents.types import Missing
from emer.tools.types import Question, Record, Span, digest

Json = dict[str, Any]

MAX_TURNS = 10
MAX_TURN_TEXT = 2_000
"""Length of a thread's history: turns, and characters of each answer."""


def union(left: list[str] | None, right: list[str] | None) -> list[str]:
    """Union of both lists, sorted; None on the right empties."""
    return [] if right is None else sorted({*(left or []), *right})


def union_records(left: list[Json] | None, right: list[Json] | None) -> list[Json]:
    """Union of both lists of records, ordered by digest; None on the right empties."""
    if right is None:
        return []
    by_digest = {digest(record): record for record in [*(left or []), *right]}
    return [by_digest[key] for key in sorted(by_digest)]


def total(left: int | None, right: int | None) -> int:
    """Sum; None on the right starts again from zero."""
    return 0 if right is None else (left or 0) + right


class State(TypedDict, total=False):
    """State that the nodes of the graph share."""

    run_id: str
    question: str
    review: bool
    """Whether a person reviews the first clues before the reasoner gets them."""
    history: list[Json]
    """Earlier turns of the thread."""
    edited: dict[str, list[Json]]
    """`Edits` of earlier reviews in the thread, by the sha256 of the clip."""
    clue_ids: Annotated[list[str], union]
    known_ids: list[str]
    """Clues at the last decision, in order of arrival."""
    struck: list[str]
    """Clues that a reviewer rejected."""
    gaps: Annotated[list[Json], union_records]
    """`Gap` records: first calls without clues, and calls that failed."""
    calls: Annotated[int, total]
    """Tool calls, cached ones included, so that a second run stops at the same point."""
    round: int
    barren: int
    """Rounds in a row without a new clue."""
    asked: list[Json]
    refused: list[Json]
    decision: Json | None
    explanation: Json | None
    rejected: list[Json]
    attempt: int


class Job(Record):
    """A tool call to be made."""

    slot: str
    span: Span | None = None
    round: int = 0
    why: str = "first look"
    question: Question | None = None


class Order(TypedDict):
    """Input of a branch of the graph: one `Job` of a run."""

    run_id: str
    job: Json


class Gap(Record):
    """A first call without clues, or a call that failed: the slot is not asked again."""

    slot: str
    missing: Missing | None
    """None where the modality of an absent tool is unknown."""


def initial_state(run_id: str, question: str, review: bool = False) -> Json:
    """The update that begins a run, in a new or an existing thread."""
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
        "asked": [],
        "refused": [],
        "decision": None,
        "explanation": None,
        "rejected": [],
        "attempt": 0,
    }
