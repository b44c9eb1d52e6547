"""Asking a model for one task: streamed, bounded, repaired once, every request reported."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.utils import count_tokens_approximately

from emer.agents.llm.messages import Language, repair
from emer.agents.llm.reading import R, Unusable, parsed, runs_on, text_of
from emer.agents.reasoner import Hear
from emer.agents.types import Budget, ModelCall, Outcome, Role

KEPT = 8_000
"""Characters of a reply that the trace keeps."""
CHECK_EVERY = 400
"""Characters between two looks at whether a reply runs on."""

T = TypeVar("T")


class GaveUp(Exception):
    """The model could not do the task; the text says why."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Money per million tokens read and written."""

    read: float
    written: float


@dataclass(slots=True)
class Speaker:
    """A chat model and how to talk with it."""

    model: BaseChatModel
    name: str
    hear: Hear
    prices: Prices | None = None
    calls_tools: bool = True
    """Whether the schema goes along as a tool; off once the model turns out to have none."""
    down: str | None = None
    """Why the model did not answer at all; it is not asked again in this run."""

    def ask(
        self,
        task: Task,
        messages: Sequence[BaseMessage],
        schema: type[R],
        convert: Callable[[R], T],
    ) -> T:
        """Return the converted reply.

        `convert` raises `Unusable` for what the schema cannot see, as an invented id. A
        reply that cannot be used is repaired once; then `GaveUp` says why.
        """
        if self.down is not None:
            raise GaveUp(self.down)
        talk = list(messages)
        problem = ""
        for _ in range(2):
            if task.over():
                raise GaveUp(f"no {task.over()} left" + (f"; {problem}" if problem else ""))
            reply = self._say(task, talk, schema)
            try:
                result = convert(parsed(reply, schema))
            except Unusable as error:
                problem = str(error)
                self._report(task, talk, reply, "faulty", problem)
                talk += [AIMessage(text_of(reply)[:KEPT] or "-"), repair(problem, task.language)]
            else:
                self._report(task, talk, reply, "ok")
                return result
        raise GaveUp(problem)

    def _say(self, task: Task, talk: Sequence[BaseMessage], schema: type[R]) -> AIMessage:
        task.begin()
        try:
            return self._stream(task, talk, self._bound(schema))
        except GaveUp:
            raise
        except Exception as error:  # a model's client may raise anything
            if self.calls_tools and _refuses_tools(error):
                self.calls_tools = False
                return self._say(task, talk, schema)
            why = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            self._report(task, talk, AIMessage(""), "failed", why)
            self.down = f"the model did not answer ({why})"
            raise GaveUp(self.down) from error

    def _bound(self, schema: type[R]) -> Any:
        if not self.calls_tools:
            return self.model
        try:
            return self.model.bind_tools([schema], tool_choice=schema.__name__)
        except NotImplementedError:
            self.calls_tools = False
            return self.model

    def _stream(self, task: Task, talk: Sequence[BaseMessage], model: Any) -> AIMessage:
        """Return the whole reply, cut where it runs on or time is up."""
        whole: AIMessageChunk | None = None
        looked = 0
        for chunk in model.stream(list(talk)):
            whole = chunk if whole is None else whole + chunk
            size = len(text_of(whole))
            if size - looked >= CHECK_EVERY:
                looked = size
                if runs_on(text_of(whole)):
                    break
            if task.late():
                raise GaveUp("no seconds left")
        return whole if whole is not None else AIMessage("")

    def _report(
        self,
        task: Task,
        talk: Sequence[BaseMessage],
        reply: AIMessage,
        outcome: Outcome,
        why: str = "",
    ) -> None:
        usage = reply.usage_metadata
        text = text_of(reply)
        read = usage["input_tokens"] if usage else count_tokens_approximately(talk)
        written = usage["output_tokens"] if usage else -(-len(text) // 4)
        call = ModelCall(
            role=task.role,
            model=self.name,
            prompt=task.prompt,
            tokens_in=read,
            tokens_out=written,
            counted=usage is not None,
            money=self._cost(read, written),
            seconds=task.seconds,
            outcome=outcome,
            why=why,
            reply=text[:KEPT],
        )
        task.spend(call)
        self.hear(call)

    def _cost(self, read: int, written: int) -> float | None:
        if self.prices is None:
            return None
        return round((read * self.prices.read + written * self.prices.written) / 1e6, 9)


class Task:
    """One task for a model: its role, its prompt, and what may still be spent on it."""

    def __init__(self, role: Role, prompt: str, language: Language, budget: Budget) -> None:
        """Take the sha256 of the role's prompt and what the run has left."""
        self.role, self.prompt, self.language = role, prompt, language
        self._tokens, self._money = float(budget.tokens), budget.money
        self._until = time.monotonic() + budget.seconds
        self._began = time.monotonic()

    def begin(self) -> None:
        """Start the clock of the next request."""
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the request began."""
        return round(time.monotonic() - self._began, 4)

    def spend(self, call: ModelCall) -> None:
        """Take what a request has cost off what is left."""
        self._tokens -= call.tokens_in + call.tokens_out
        if self._money is not None:
            self._money -= call.money or 0.0

    def over(self) -> str | None:
        """Return what has run out, None while there is some of everything."""
        if self._tokens <= 0:
            return "tokens"
        if self._money is not None and self._money <= 0:
            return "money"
        return "seconds" if self.late() else None

    def late(self) -> bool:
        """Tell whether the time is up."""
        return time.monotonic() >= self._until


def _refuses_tools(error: Exception) -> bool:
    """Tell whether a server turned the request down because of the tools in it."""
    status = getattr(error, "status_code", None) or getattr(error, "code", None)
    return status in (400, 404, 422, 501) and "tool" in str(error).lower()
