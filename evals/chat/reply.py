"""Replies of chat models as checked records: JSON that fits, after at most one more try."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from pydantic import ValidationError

from emer.tools.errors import EmerError
from emer.tools.types import Record

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

TRIES = 2
R = TypeVar("R", bound=Record)


class ReplyInvalid(EmerError):
    """A model failed, or its reply does not fit even when it is told why."""


@dataclass(frozen=True, slots=True)
class Reply(Generic[R]):
    """A record and the tokens that it cost, None where the model does not say."""

    record: R
    tokens: int | None


def ask(model: BaseChatModel, messages: Sequence[BaseMessage], wanted: type[R]) -> Reply[R]:
    """Return the model's reply as a record of the wanted type.

    A reply that does not fit is sent back once with what is wrong. `ReplyInvalid` after
    that, and for whatever the model itself raises.
    """
    from langchain_core.messages import AIMessage, HumanMessage

    talk, spent, wrong = list(messages), 0, ""
    for _ in range(TRIES):
        try:
            answer = model.invoke(talk)
        except Exception as error:
            raise ReplyInvalid(f"the model failed: {type(error).__name__}: {error}") from error
        usage = getattr(answer, "usage_metadata", None)
        spent += usage["total_tokens"] if usage else 0
        text = answer.text if isinstance(answer.text, str) else str(answer.content)
        try:
            return Reply(read_record(text, wanted), spent or None)
        except ValueError as error:
            wrong = _first_line(error)
            said = HumanMessage(f"That does not fit: {wrong}. Answer with the JSON object only.")
            talk += [AIMessage(text), said]
    raise ReplyInvalid(f"no usable reply after {TRIES} tries: {wrong}")


def read_record(text: str, wanted: type[R]) -> R:
    """Return the last JSON object of a text that fits; `ValueError` says why none does."""
    problem: Exception = ValueError("there is no JSON object in it")
    for found in _objects(text):
        try:
            return wanted.model_validate(found)
        except ValidationError as error:
            problem = error
    raise ValueError(_first_line(problem))


def _objects(text: str) -> Iterator[object]:
    """Yield the outermost JSON objects of a text, the last first: models think aloud before."""
    decoder, found, place = json.JSONDecoder(), [], 0
    while (place := text.find("{", place)) >= 0:
        try:
            value, place = decoder.raw_decode(text, place)
            found.append(value)
        except json.JSONDecodeError:
            place += 1
    yield from reversed(found)


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        problem = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
    return " ".join(str(error).split())
