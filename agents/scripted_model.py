"""A chat model that replays replies: `script:FILE`, tests and demos.

ScriptedModel(['{"candidates": []}'])          replies in turn; one request more raises
ScriptedModel([RuntimeError("overloaded")])    fails as a provider does
ScriptedModel([lambda messages: "..."])        computes a reply from the request
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolCallChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from pydantic import Field, PrivateAttr

from emer.tools.errors import ConfigError

Scripted = str | dict[str, Any] | AIMessage | BaseException | Callable[[list[BaseMessage]], Any]
"""A reply: text, a JSON object, a message, an error to raise, or a function.

The function is given the messages of the request and returns one of the others.
"""

PIECE = 40
"""Characters of a streamed piece."""


class ScriptEnded(Exception):
    """More requests than scripted replies."""


class ScriptedModel(BaseChatModel):
    """Replays replies in their order; `asked` keeps the messages of every request."""

    replies: list[Any] = Field(default_factory=list)
    calls_tools: bool = False
    """Whether it takes a schema as a tool and answers by calling it."""
    counts_tokens: bool = False
    """Whether usage is reported, four characters to a token."""
    asked: list[list[BaseMessage]] = Field(default_factory=list, exclude=True)
    _tool: str | None = PrivateAttr(default=None)

    def __init__(self, replies: Iterable[Scripted] = (), **rest: Any) -> None:
        """Take the replies."""
        super().__init__(replies=list(replies), **rest)

    @classmethod
    def from_file(cls, path: Path) -> ScriptedModel:
        """Return a model with the replies of a JSON list; `ConfigError` if it is none."""
        try:
            replies = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise ConfigError(f"reasoner: script:{path} cannot be read: {error}") from error
        if not isinstance(replies, list):
            raise ConfigError(f"reasoner: script:{path} is not a JSON list of replies")
        return cls(replies)

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: str | None = None, **kwargs: Any
    ) -> Runnable[Any, AIMessage]:
        """Answer as a call of this tool, if the model calls tools."""
        if not self.calls_tools:
            raise NotImplementedError
        self._tool = tool_choice or tools[0].__name__
        return self

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._next(messages))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for chunk in _pieces(self._next(messages), self._tool):
            yield ChatGenerationChunk(message=chunk)

    def _next(self, messages: list[BaseMessage]) -> AIMessage:
        self.asked.append(list(messages))
        if not self.replies:
            raise ScriptEnded(f"the script has no reply to request {len(self.asked)}")
        reply = _message(self.replies.pop(0), messages)
        if self.counts_tokens:
            read = sum(len(str(m.content)) for m in messages) // 4
            written = len(str(reply.content)) // 4
            reply.usage_metadata = {
                "input_tokens": read,
                "output_tokens": written,
                "total_tokens": read + written,
            }
        return reply


def _message(scripted: Any, messages: list[BaseMessage]) -> AIMessage:
    if isinstance(scripted, BaseException):
        raise scripted
    if isinstance(scripted, AIMessage):
        return scripted.model_copy(deep=True)
    if isinstance(scripted, str):
        return AIMessage(scripted)
    if callable(scripted):
        return _message(scripted(messages), messages)
    return AIMessage(json.dumps(scripted, ensure_ascii=False))


def _pieces(reply: AIMessage, tool: str | None) -> Iterator[AIMessageChunk]:
    """Yield the reply piece by piece, as text or as the arguments of a tool call."""
    text = str(reply.content)
    for start in range(0, max(len(text), 1), PIECE):
        part = text[start : start + PIECE]
        if tool is None:
            yield AIMessageChunk(content=part)
        else:
            name = tool if start == 0 else None
            call = ToolCallChunk(name=name, args=part, id="1", index=0)
            yield AIMessageChunk(content="", tool_call_chunks=[call])
    yield AIMessageChunk(
        content="",
        response_metadata=reply.response_metadata,
        usage_metadata=reply.usage_metadata,
    )
