"""A chat model that says what it was told to, and remembers what it was asked."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import Field


class Scripted(BaseChatModel):
    """Answers with the next reply; an exception in the script is raised."""

    replies: list[Any]
    asked: list[list[BaseMessage]] = Field(default_factory=list)
    tokens: int | None = None

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **named: Any,
    ) -> ChatResult:
        self.asked.append(list(messages))
        reply = self.replies[min(len(self.asked), len(self.replies)) - 1]
        if isinstance(reply, Exception):
            raise reply
        message = AIMessage(reply)
        if self.tokens is not None:
            message.usage_metadata = {
                "input_tokens": self.tokens, "output_tokens": 1, "total_tokens": self.tokens + 1,
            }  # fmt: skip
        return ChatResult(generations=[ChatGeneration(message=message)])
