"""Reading a model's reply: the JSON in it, or what is wrong with it in one sentence."""

from __future__ import annotations

import json
import re
import zlib
from typing import TypeVar

from langchain_core.messages import AIMessage, AIMessageChunk
from pydantic import ValidationError

from emer.agents.llm.replies import Reply

R = TypeVar("R", bound=Reply)

LONGEST = 20_000
"""Characters after which a reply is too long for any task (chosen by us)."""
LOOP_FROM, LOOP_RATIO = 1_500, 0.08
"""A text of so many characters that deflates below this share repeats itself (by us)."""
_CUT_SHORT = {"length", "max_tokens", "MAX_TOKENS", "model_length"}
_REFUSED = {"content_filter", "refusal", "SAFETY", "safety"}
_APOLOGY = re.compile(
    r"^\W*(?:i'?m sorry|sorry|i can(?:no|')t|i am (?:unable|not able)|i won't|as an ai|"
    r"抱歉|对不起|我(?:无法|不能))",
    re.I,
)
_THOUGHT = re.compile(r"<think>.*?</think>", re.S)


class Unusable(Exception):
    """The reply cannot be used; the text says why, for the model and for the trace."""


def parsed(reply: AIMessage, schema: type[R]) -> R:
    """Return the reply as the schema's record; `Unusable` says what is wrong with it."""
    text = text_of(reply)
    _refuse_bad_endings(reply, text)
    found = _json_in(text)
    try:
        return schema.model_validate(found)
    except ValidationError as error:
        raise Unusable(_faults(error)) from error


def text_of(reply: AIMessage) -> str:
    """Return what the model wrote: the arguments of its first tool call, else its text."""
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
    told = {reply.response_metadata.get(k) for k in ("finish_reason", "stop_reason", "done_reason")}
    if told & _REFUSED or reply.additional_kwargs.get("refusal"):
        raise Unusable("it is a refusal")
    if told & _CUT_SHORT:
        raise Unusable("it was cut short before its end; answer more briefly")
    if not text.strip():
        raise Unusable("it is empty")


def _json_in(text: str) -> object:
    """Return the first JSON object in the text, whatever stands around it."""
    plain = _THOUGHT.sub("", text)
    start = plain.find("{")
    if start < 0:
        refused = _APOLOGY.search(plain) is not None
        raise Unusable("it is a refusal" if refused else "there is no JSON object in it")
    try:
        found, _ = json.JSONDecoder().raw_decode(plain, start)
    except (json.JSONDecodeError, RecursionError) as error:
        raise Unusable(f"its JSON is malformed ({_short(str(error))})") from error
    return found


def _faults(error: ValidationError) -> str:
    """Return the first three problems, each with the place it is at."""
    problems = error.errors(include_url=False, include_input=False)[:3]
    told = [f"{'.'.join(map(str, p['loc'])) or 'the object'}: {p['msg']}" for p in problems]
    return _short("; ".join(told))


def _short(text: str) -> str:
    return " ".join(text.split())[:300]
