"""State of a run: ids and small records, never clues, frames, sound or embeddings.

It is plain JSON, so that a checkpoint does not depend on the version of a class. Parallel
branches write through reducers that give the same result in any order. A thread carries its
state to the next run; None empties a channel at the start of it. `checked_state` reads a state
that a client or a file could have written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, JsonValue, StringConstraints, ValidationError
from typing_extensions import TypedDict

from emer.agents.clue_edits import Edits
from emer.agents.types import (
    LONGEST_QUESTION,
    Ask,
    Decision,
    Explanation,
    Missing,
    Refusal,
    Rejection,
    Turn,
)
from emer.tools.types import Question, Record, Span, digest

Json = dict[str, Any]

RUN_ID = r"^[0-9]{8}-[0-9]{6}-[0-9]{6}-[0-9a-f]{4}$"
"""Ids as `new_run_id` makes them; the name of a trace is one of them."""
MOST_STATE, MOST_TEXT = 2_000_000, 20_000
"""Characters of a state as JSON, and of any text in it (chosen by us; usual: 64,000)."""

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


ClueId = Annotated[str, StringConstraints(pattern=r"^[ftas][0-9a-f]{8}$")]
RunId = Annotated[str, StringConstraints(pattern=RUN_ID)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]


class Gap(Record):
    """A first call without clues, or a call that failed: the slot is not asked again."""

    slot: str
    missing: Missing | None
    """None where the modality of an absent tool is unknown."""


class StateRecord(Record):
    """A `State` with the types of everything in it; what is absent stays absent."""

    run_id: RunId = ""
    question: str = Field(default="", max_length=LONGEST_QUESTION)
    review: bool = False
    history: tuple[Turn, ...] = Field(default=(), max_length=MAX_TURNS)
    edited: dict[
        Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")], tuple[Edits, ...]
    ] = Field(default_factory=dict)
    clue_ids: tuple[ClueId, ...] = ()
    known_ids: tuple[ClueId, ...] = ()
    struck: tuple[ClueId, ...] = ()
    gaps: tuple[Gap, ...] = ()
    calls: Count = 0
    round: Count = 0
    barren: Count = 0
    asked: tuple[Ask, ...] = ()
    refused: tuple[Refusal, ...] = ()
    decision: Decision | None = None
    explanation: Explanation | None = None
    rejected: tuple[Rejection, ...] = ()
    attempt: Count = 0


class OrderRecord(Record):
    """An `Order` with the types of everything in it."""

    run_id: RunId
    job: Job


def checked_state(
    values: Mapping[str, Any], kind: type[Record] = StateRecord, needed: tuple[str, ...] = ()
) -> Json:
    """The declared fields of a state; `ValueError`, one line, for what no run writes.

    Args:
        values: State from outside; fields that are not declared are left out.
        kind: `StateRecord`, or `OrderRecord` for a branch.
        needed: Names of fields that must be there.

    """
    absent = [name for name in needed if name not in values]
    if absent:
        raise ValueError(f"the state has no {absent[0]}")
    declared = {name: values[name] for name in kind.model_fields if name in values}
    try:
        text = json.dumps(declared, allow_nan=False)
        if len(text) > MOST_STATE or _longest(declared) > MOST_TEXT:
            raise ValueError("the state is longer than any run makes it")
        # As JSON and strict: "3" is no number here, and a list is the JSON of a tuple.
        return kind.model_validate_json(text, strict=True).model_dump(
            mode="json", exclude_unset=True
        )
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        name = next(iter(problem["loc"]), "text")
        raise ValueError(f"the state's {name} is not as a run writes it") from None
    except (TypeError, RecursionError) as error:
        raise ValueError("the state is not plain JSON") from error


def first_problem(error: ValidationError) -> str:
    """The first problem of a record on one line, without the value."""
    problem = error.errors(include_url=False, include_input=False)[0]
    return ": ".join(filter(None, (".".join(map(str, problem["loc"])), problem["msg"])))


def _longest(value: JsonValue) -> int:
    """Length of the longest text in a JSON value."""
    if isinstance(value, dict):
        return max((max(len(k), _longest(v)) for k, v in value.items()), default=0)
    if isinstance(value, list):
        return max(map(_longest, value), default=0)
    return len(value) if isinstance(value, str) else 0


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
