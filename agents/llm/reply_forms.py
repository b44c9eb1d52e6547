"""Forms of reply: what a server can be held to, how it is asked, what it keeps.

A probe asks for a word that its message does not contain: only a server that enforces the
schema gives it. What a server keeps is known for the process, for an hour or until it fails.
"""

from __future__ import annotations

import re
import threading
import time
from typing import Annotated, Any

from langchain_core.language_models.chat_models import BaseChatModel
from pydantic import Field, field_validator

from emer.agents.llm.schemas import ClueId, Reply
from emer.agents.types import ReplyForm

ALL: tuple[ReplyForm, ...] = ("schema", "tool", "required_tool", "json", "text")
FORMS: dict[str, tuple[ReplyForm, ...]] = {
    "openai-chat": ALL,
    "azure-openai-chat": ALL,
    "chat-ollama": ("schema", "json", "text"),  # its server knows no forced tool
}
"""By LangChain's name of the package, where several are possible: these are probed."""
OTHERS: tuple[ReplyForm, ...] = ("tool", "text")
"""Of packages that are held to a tool if they can call one."""
IN_PROMPT: tuple[ReplyForm, ...] = ("json", "text")
"""Forms with which the server does not learn the schema: it goes into the prompt."""
REMEMBERED = 3_600.0
"""Seconds after which a server is probed again: it may have been updated (chosen by us)."""
NOT_SUPPORTED = (400, 404, 415, 422, 501)
"""HTTP statuses of servers that do not know a form; some answer 500 to a probe."""
_ABOUT_FORM = re.compile(r"tool|response.?format|schema|grammar|json|'?format'?", re.I)

PROBE_CODE = "k7"
"""The word that a server which enforces a schema gives in answer to a probe."""


class Probed(Reply):
    """The reply to a probe, which does not name the code."""

    code: Annotated[list[ClueId], Field(min_length=1, max_length=1)]

    @field_validator("code")
    @classmethod
    def _known(cls, code: list[str]) -> list[str]:
        if code != [PROBE_CODE]:
            raise ValueError("it is not the word of the schema")
        return code


_known: dict[tuple[str, ...], tuple[ReplyForm, float]] = {}
_lock = threading.Lock()


def possible_forms(model: BaseChatModel) -> tuple[ReplyForm, ...]:
    """The forms of reply that a model's package can ask for, the strictest first."""
    return FORMS.get(model._llm_type, OTHERS)


def known_form(model: BaseChatModel) -> ReplyForm | None:
    """The form that the model's server keeps to; None where that is not known."""
    with _lock:
        form, since = _known.get(_key(model), (None, 0.0))
    return form if time.monotonic() - since < REMEMBERED else None


def remember_form(model: BaseChatModel, form: ReplyForm | None) -> None:
    """Note the form that the model's server keeps to; None has it probed again."""
    with _lock:
        _known.pop(_key(model), None)
        if form is not None:
            _known[_key(model)] = (form, time.monotonic())


def refuses(error: Exception, *, probing: bool) -> bool:
    """True for the error of a server that does not know the form.

    A probe asks for nothing else; another request may fail for other reasons.
    """
    status = getattr(error, "status_code", None) or getattr(error, "code", None)
    if probing:
        return status in (*NOT_SUPPORTED, 500)
    return status in NOT_SUPPORTED and _ABOUT_FORM.search(str(error)) is not None


def held_to(model: BaseChatModel, form: ReplyForm, name: str, schema: dict[str, Any]) -> Any:
    """The model with requests for a reply of this form.

    Args:
        model: The chat model.
        form: One of `possible_forms`.
        name: Name of the schema or tool.
        schema: JSON schema of the reply.

    Raises:
        NotImplementedError: the model's package cannot call tools.
    """
    if form in ("tool", "required_tool"):
        function = {"name": name, "description": f"{name} is the reply.", "parameters": schema}
        choice = name if form == "tool" else "required"
        return model.bind_tools([{"type": "function", "function": function}], tool_choice=choice)
    if form == "text":
        return model
    if model._llm_type == "chat-ollama":
        return model.bind(format=schema if form == "schema" else "json")
    wanted: dict[str, Any] = {"type": "json_object"}
    if form == "schema":
        content = {"name": name, "strict": True, "schema": schema}
        wanted = {"type": "json_schema", "json_schema": content}
    # in the body: as an argument, the openai package would read the reply by itself
    return model.bind(extra_body={"response_format": wanted})


def _key(model: BaseChatModel) -> tuple[str, ...]:
    names = ("openai_api_base", "azure_endpoint", "base_url", "model_name", "model")
    return (model._llm_type, *(str(getattr(model, name, "")) for name in names))
