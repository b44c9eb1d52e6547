"""Schemas of the replies to each task, and the reading of a reply into its schema.

Names of classes and fields are sent to the model: changing them changes the prompt. A schema is
sent with what strict modes know: objects whose fields are all required, lists with limits, enums.
The ids of a run's clues are an enum, so that none can be invented. LangChain's JSON parsers are
not used, since they complete a reply that was cut off; here that is a fault.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

from langchain_core.messages import AIMessage, AIMessageChunk
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
)

from emer.agents.types import DeclineReason
from emer.tools.types import Question

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
_PLACEHOLDER = re.compile(r"\s*<[^<>]*>\s*")
_THOUGHT = re.compile(r"<think>[^<]*(?:<(?!/?think>)[^<]*)*</think>")

Names = Mapping[str, Sequence[str]]
"""What may stand for an id: "clues", "tools", "labels"; where there is none, any text may."""
_BLANKS = {
    "string": "<text>",
    "number": "<seconds>",
    "integer": "<number>",
    "boolean": "<true or false>",
    "null": "null",
}
_SHARED = "#/$defs/"

R = TypeVar("R", bound=BaseModel)


def _filled(text: str) -> str:
    """The text; a placeholder of the prompt's form is no answer."""
    if _PLACEHOLDER.fullmatch(text):
        raise ValueError("it copies the form instead of filling it")
    return text


def _list(most: int, asked: int, **rest: Any) -> Any:
    """A list with its most items, and the fewer that a server lets be written."""
    return Field(max_length=most, json_schema_extra={"asked": asked}, **rest)


ClueId = Annotated[str, Field(json_schema_extra={"one_of": "clues"})]
ToolName = Annotated[str, Field(json_schema_extra={"one_of": "tools"})]
Ids = Annotated[list[ClueId], _list(24, asked=3)]
Word = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=40),
    AfterValidator(_filled),
]
Prose = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=600),
    AfterValidator(_filled),
]


class Unusable(Exception):
    """The reply cannot be used; the text says why, for the model and for the trace."""


class NoObject(Unusable):
    """There is no JSON object in the reply, or none that ends."""


class Reply(BaseModel):
    """A model's answer to one task; what else it says, as its confidence, is not read."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Candidate(Reply):
    """A reading with the clues for and against it."""

    label: Word
    supports: Ids = Field(min_length=1)
    contradicts: Ids = []


class Deciding(Reply):
    """The decider's answer: candidates, and whether more could change anything."""

    candidates: list[Candidate] = _list(5, asked=4)
    settled: bool = False
    declined: DeclineReason | None = None


class Look(Reply):
    """A closer look that the planner asks for; times in seconds."""

    tool: ToolName
    start: float = Field(ge=0)
    end: float = Field(ge=0)
    why: Prose = "it could decide"
    question: Question | None = None

    @field_validator("question", mode="before")
    @classmethod
    def _none_asked(cls, question: object) -> object:
        return question or None


class Planning(Reply):
    """The planner's answer."""

    asks: list[Look] = _list(6, asked=2)


class Observed(Reply):
    """A claim of what is seen, heard or said, with the clues that state it."""

    clues: Ids = Field(min_length=1)
    text: Prose


class Inferred(Reply):
    """A claim of what is displayed: an emotion, the clues for and against, in words."""

    label: Annotated[Word, Field(json_schema_extra={"one_of": "labels"})]
    supports: Ids = Field(min_length=1)
    contradicts: Ids = []
    text: Prose


class Open(Reply):
    """A reading that stays open."""

    label: Word
    supports: Ids = Field(min_length=1)


class Writing(Reply):
    """The writer's answer: claims of three kinds, and one that answers the question."""

    observed: list[Observed] = _list(12, asked=4)
    inferred: list[Inferred] = _list(6, asked=3, min_length=1)
    open: list[Open] = _list(4, asked=2, default=[])
    answer: Observed | None = None


class Verdict(Reply):
    """What the critic holds of one sentence, numbered from 1."""

    sentence: int = Field(ge=1)
    verdict: Literal["confirmed", "rejected", "unverified"]
    why: Annotated[str, StringConstraints(max_length=400)] = ""


class Criticising(Reply):
    """The critic's answer."""

    verdicts: list[Verdict] = Field(max_length=24)


def strict_schema(record: type[BaseModel], names: Names) -> dict[str, Any]:
    """The JSON schema of a reply in which this run's names are enums, each once."""
    whole = record.model_json_schema()
    strict = _strict(whole, whole.get("$defs", {}), {k: n for k, n in names.items() if n})
    text = json.dumps(strict)
    enums = {
        kind: {"type": "string", "enum": list(known)}
        for kind, known in names.items()
        if f'"{_SHARED}{kind}"' in text
    }
    return strict | ({"$defs": enums} if enums else {})


def form_of(schema: Mapping[str, Any]) -> str:
    """A strict schema as a form in one line; copied as it stands, it is no JSON."""
    if "$ref" in schema:
        return f"<id of {schema['$ref'].removeprefix(_SHARED)}>"
    if "anyOf" in schema:
        return " or ".join(form_of(one) for one in schema["anyOf"])
    if "enum" in schema:
        return f"<{' or '.join(map(str, schema['enum']))}>"
    if schema["type"] == "object":
        fields = (f'"{name}": {form_of(s)}' for name, s in schema["properties"].items())
        return f"{{{', '.join(fields)}}}"
    if schema["type"] == "array":
        return f"[{form_of(schema['items'])}, ...]"
    return _BLANKS[schema["type"]]


def _strict(part: Mapping[str, Any], shared: Mapping[str, Any], known: Names) -> dict[str, Any]:
    if "$ref" in part:
        return _strict(shared[part["$ref"].removeprefix(_SHARED)], shared, known)
    if part.get("one_of") in known:
        return {"$ref": f"{_SHARED}{part['one_of']}"}
    if "anyOf" in part:
        return {"anyOf": [_strict(one, shared, known) for one in part["anyOf"]]}
    if part.get("type") == "object":
        fields = {name: _strict(field, shared, known) for name, field in part["properties"].items()}
        closed = {"required": list(fields), "additionalProperties": False}
        return {"type": "object", "properties": fields, **closed}
    if part.get("type") == "array":
        items, most = _strict(part["items"], shared, known), part.get("asked", part["maxItems"])
        return {
            "type": "array",
            "items": items,
            "minItems": part.get("minItems", 0),
            "maxItems": most,
        }
    return {key: part[key] for key in ("type", "enum") if key in part}


def parsed(reply: AIMessage, schema: type[R]) -> R:
    """A reply's first JSON object as a record; `Unusable` if it does not fit."""
    text = text_of(reply)
    _refuse_bad_endings(reply, text)
    plain = _THOUGHT.sub("", text)
    start = plain.find("{")
    if start < 0:
        refused = _APOLOGY.search(plain) is not None
        raise NoObject("it is a refusal" if refused else "there is no JSON object in it")
    try:
        value, _ = json.JSONDecoder().raw_decode(plain, start)
    except (json.JSONDecodeError, RecursionError) as error:
        raise NoObject(f"its JSON is malformed ({_short(str(error))})") from error
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
