"""Structured replies of chat models: JSON that fits a schema, one repair, usage.

`ChatClient` serves the roles of the `llm` reasoner: streamed, bounded by a budget, each
request reported. `ask_record` is the plain form for judges and systems of the benchmark.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.messages.utils import count_tokens_approximately

from emer.agents.llm.messages import Language, repair
from emer.agents.llm.schemas import R, Unusable, parsed, read_record, runs_on, text_of
from emer.agents.reasoner import ReportListener
from emer.agents.types import Budget, ModelCall, Outcome, Role
from emer.tools.errors import EmerError

TRIES = 2
"""Requests of one task: the first and one repair."""
TRACE_LENGTH = 8_000
"""Characters of a reply that the trace keeps."""
CHECK_EVERY = 400
"""Characters between two checks whether a streamed reply runs on."""

T = TypeVar("T")


class GaveUp(Exception):
    """The model could not do the task; the text says why."""


class ReplyInvalid(EmerError):
    """A model failed, or its reply does not fit after the repair."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Money per million input and output tokens."""

    read: float
    written: float


class Task:
    """One task for a model: its role, its prompt, and what may still be spent on it."""

    def __init__(self, role: Role, prompt: str, language: Language, budget: Budget) -> None:
        """Start the clock of the task.

        Args:
            role: the role that asks.
            prompt: sha256 of the role's prompt.
            language: language of the repair message.
            budget: what the run has left.

        """
        self.role, self.prompt, self.language = role, prompt, language
        self.request: Sequence[BaseMessage] = ()
        self._tokens, self._money = float(budget.tokens), budget.money
        self._until = time.monotonic() + budget.seconds
        self._began = time.monotonic()

    def begin(self, request: Sequence[BaseMessage]) -> None:
        """Start the clock of the next request."""
        self.request, self._began = request, time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the request began."""
        return round(time.monotonic() - self._began, 4)

    def spend(self, call: ModelCall) -> None:
        """Subtract the cost of a request."""
        self._tokens -= call.tokens_in + call.tokens_out
        if self._money is not None:
            self._money -= call.money or 0.0

    def exhausted(self) -> str | None:
        """Return which resource has run out, None while there is some of each."""
        if self._tokens <= 0:
            return "tokens"
        if self._money is not None and self._money <= 0:
            return "money"
        return "seconds" if self.late() else None

    def late(self) -> bool:
        """True if the time is up."""
        return time.monotonic() >= self._until


@dataclass(slots=True)
class ChatClient:
    """A chat model that is asked for one schema at a time; every request is reported."""

    model: BaseChatModel
    name: str
    report: ReportListener
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
        """Return the converted reply, repaired once if it cannot be used.

        Args:
            task: role, prompt and budget.
            messages: the request.
            schema: record that the reply must fit.
            convert: raises `Unusable` for what the schema cannot see, as an invented id.

        Raises:
            GaveUp: no reply could be used, the budget is spent, or the model is down.

        """
        if self.down is not None:
            raise GaveUp(self.down)

        def send(talk: Sequence[BaseMessage], problem: str) -> AIMessage:
            if resource := task.exhausted():
                raise GaveUp(f"no {resource} left" + (f"; {problem}" if problem else ""))
            return self._send(task, talk, schema)

        def read(reply: AIMessage) -> T:
            try:
                result = convert(parsed(reply, schema))
            except Unusable as error:
                self._report(task, reply, "faulty", str(error))
                raise
            self._report(task, reply, "ok")
            return result

        return with_repair(messages, send, read, lambda problem: repair(problem, task.language))

    def _send(self, task: Task, talk: Sequence[BaseMessage], schema: type[R]) -> AIMessage:
        task.begin(talk)
        try:
            return self._stream(task, self._bound(schema))
        except GaveUp:
            raise
        except Exception as error:  # a model's client may raise anything
            if self.calls_tools and _refuses_tools(error):
                self.calls_tools = False
                return self._send(task, talk, schema)
            why = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            self._report(task, AIMessage(""), "failed", why)
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

    def _stream(self, task: Task, model: Any) -> AIMessage:
        """Return the whole reply, cut where it runs on or time is up."""
        whole: AIMessageChunk | None = None
        checked = 0
        for chunk in model.stream(list(task.request)):
            whole = chunk if whole is None else whole + chunk
            size = len(text_of(whole))
            if size - checked >= CHECK_EVERY:
                checked = size
                if runs_on(text_of(whole)):
                    break
            if task.late():
                raise GaveUp("no seconds left")
        return whole if whole is not None else AIMessage("")

    def _report(self, task: Task, reply: AIMessage, outcome: Outcome, why: str = "") -> None:
        usage = reply.usage_metadata
        text = text_of(reply)
        read = usage["input_tokens"] if usage else count_tokens_approximately(task.request)
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
            reply=text[:TRACE_LENGTH],
        )
        task.spend(call)
        self.report(call)

    def _cost(self, read: int, written: int) -> float | None:
        if self.prices is None:
            return None
        return round((read * self.prices.read + written * self.prices.written) / 1e6, 9)


@dataclass(frozen=True, slots=True)
class RecordReply(Generic[R]):
    """A record and its tokens of both requests, None where the model counts none."""

    record: R
    tokens: int | None


def ask_record(
    model: BaseChatModel, messages: Sequence[BaseMessage], schema: type[R]
) -> RecordReply[R]:
    """Return the model's reply as a record of the schema, repaired once.

    Raises:
        ReplyInvalid: the model failed, or neither reply fits.

    """
    tokens = 0

    def send(talk: Sequence[BaseMessage], _: str) -> AIMessage:
        nonlocal tokens
        try:
            reply = model.invoke(list(talk))
        except Exception as error:  # a model's client may raise anything
            raise ReplyInvalid(f"the model failed: {type(error).__name__}: {error}") from error
        usage = getattr(reply, "usage_metadata", None)  # only `AIMessage` has it
        tokens += usage["total_tokens"] if usage else 0
        return reply

    def plain(problem: str) -> BaseMessage:
        return HumanMessage(f"That does not fit: {problem}. Answer with the JSON object only.")

    def read(reply: AIMessage) -> R:
        return read_record(text_of(reply), schema)

    try:
        record = with_repair(messages, send, read, plain)
    except GaveUp as error:
        raise ReplyInvalid(f"no usable reply after {TRIES} tries: {error}") from error
    return RecordReply(record, tokens or None)


def with_repair(
    messages: Sequence[BaseMessage],
    send: Callable[[Sequence[BaseMessage], str], AIMessage],
    read: Callable[[AIMessage], T],
    repair_message: Callable[[str], BaseMessage],
) -> T:
    """Ask once, and once more with what was wrong with the first reply.

    Args:
        messages: the request.
        send: returns the reply to messages; its second argument is the problem so far.
        read: converts a reply; `Unusable` says why it cannot.
        repair_message: the message that asks again, made from the problem.

    Raises:
        GaveUp: the second reply cannot be used either.

    """
    talk, problem = list(messages), ""
    for _ in range(TRIES):
        reply = send(talk, problem)
        try:
            return read(reply)
        except Unusable as error:
            problem = str(error)
            answer = AIMessage(text_of(reply)[:TRACE_LENGTH] or "-")
            talk = [*talk, answer, repair_message(problem)]
    raise GaveUp(problem)


def _refuses_tools(error: Exception) -> bool:
    """True if a server rejected the request because of the tools in it."""
    status = getattr(error, "status_code", None) or getattr(error, "code", None)
    return status in (400, 404, 422, 501) and "tool" in str(error).lower()
