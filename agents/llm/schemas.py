"""Schemas of the replies to each task, and the reading of a reply into its schema.

Names and docstrings of the classes are sent to the model as the name and description of a
tool: changing them changes the prompt. LangChain's JSON parsers are not used, since they
complete a reply that was cut off; here that is a fault, and the model is asked again.
"""

from __future__ import annotations

import json
import re
import zlib
from typing import Annotated, Literal, TypeVar

from langchain_core.messages import AIMessage, AIMessageChunk
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from emer.agents.types import Block, DeclineReason
from emer.tools.types import Modality, Question

LONGEST = 20_000
"""Characters after which a reply is too long for any task (chosen by us)."""
MOST_FAILURES = 100
"""Braces without an object after which no more is sought: each may cost the whole text (by us)."""
LOOP_FROM, LOOP_RATIO = 1_500, 0.08
"""A text of so many characters that deflates below this share repeats itself (by us)."""
_CUT_SHORT = {"length", "max_tokens", "MAX_TOKENS", "model_length"}
_REFUSED = {"content_filter", "refusal", "SAFETY", "safety"}
_APOLOGY = re.compile(
    r"^\W*(?:i'?m sorry|sorry|i can(?:no|')t|i am (?:unable|not able)|i won't|as an ai|"
    r"抱歉|对不起|我(?:无法|不能))",
    re.I,
)
_THOUGHT = re.compile(r"<think>[^<]*(?:<(?!/?think>)[^<]*)*</think>")

R = TypeVar("R", bound=BaseModel)
Ids = Annotated[list[str], Field(max_length=24)]
Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
Prose = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=600)]


class Unusable(Exception):
    """The reply cannot be used; the text says why, for the model and for the trace."""


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
    why: Prose = "it could decide"
    question: Question | Literal[""] | None = None


class Planning(Reply):
    """The planner's answer."""

    asks: list[Look] = Field(max_length=6)


class Line(Reply):
    """A sentence of the explanation with the clues that carry it."""

    block: Block
    text: Prose
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


def parsed(reply: AIMessage, schema: type[R]) -> R:
    """A reply's first JSON object as a record; `Unusable` if it does not fit."""
    text = text_of(reply)
    _refuse_bad_endings(reply, text)
    plain = _THOUGHT.sub("", text)
    start = plain.find("{")
    if start < 0:
        refused = _APOLOGY.search(plain) is not None
        raise Unusable("it is a refusal" if refused else "there is no JSON object in it")
    try:
        value, _ = json.JSONDecoder().raw_decode(plain, start)
    except (json.JSONDecodeError, RecursionError) as error:
        raise Unusable(f"its JSON is malformed ({_short(str(error))})") from error
    return _validated(value, schema)


def read_record(text: str, schema: type[R]) -> R:
    """The last JSON object of a text that fits; `Unusable` says why none does.

    The last, because models may reason aloud, in braces too, before they answer.
    """
    problem = Unusable("there is no JSON object in it")
    for candidate in reversed(_objects(text)):
        try:
            return _validated(candidate, schema)
        except Unusable as error:
            problem = error
    raise problem


def text_of(reply: AIMessage) -> str:
    """Return the arguments of the reply's first tool call, else its text."""
    if isinstance(reply, AIMessageChunk) and reply.tool_call_chunks:
        return reply.tool_call_chunks[0]["args"] or ""
    if reply.tool_calls:
        return json.dumps(reply.tool_calls[0]["args"], ensure_ascii=False)
    if reply.invalid_tool_calls:
        return reply.invalid_tool_calls[0]["args"] or ""
    return str(reply.text)


def runs_on(text: str) -> str | None:
    """Return why a growing reply should be stopped, None while it may go on."""
    if len(text) > LONGEST:
        return f"it is longer than {LONGEST} characters"
    if len(text) >= LOOP_FROM:
        raw = text.encode()
        if len(zlib.compress(raw)) < LOOP_RATIO * len(raw):
            return "it repeats itself"
    return None


def _refuse_bad_endings(reply: AIMessage, text: str) -> None:
    if too_much := runs_on(text):
        raise Unusable(too_much)
    keys = ("finish_reason", "stop_reason", "done_reason")
    reasons = {reply.response_metadata.get(key) for key in keys}
    if reasons & _REFUSED or reply.additional_kwargs.get("refusal"):
        raise Unusable("it is a refusal")
    if reasons & _CUT_SHORT:
        raise Unusable("it was cut short before its end; answer more briefly")
    if not text.strip():
        raise Unusable("it is empty")


def _objects(text: str) -> list[object]:
    """The outermost JSON objects of a text, until `MOST_FAILURES` braces begin none."""
    decoder, objects, place, failures = json.JSONDecoder(), [], 0, 0
    while (place := text.find("{", place)) >= 0 and failures < MOST_FAILURES:
        try:
            value, place = decoder.raw_decode(text, place)
            objects.append(value)
        except (json.JSONDecodeError, RecursionError):
            place, failures = place + 1, failures + 1
    return objects


def _validated(value: object, schema: type[R]) -> R:
    """Return the record; `Unusable` lists the first three problems with their places."""
    try:
        return schema.model_validate(value)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)[:3]
        parts = [f"{'.'.join(map(str, p['loc'])) or 'the object'}: {p['msg']}" for p in problems]
        raise Unusable(_short("; ".join(parts))) from error


def _short(text: str) -> str:
    return " ".join(text.split())[:300]
