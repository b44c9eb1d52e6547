"""Structured replies of chat models: JSON that fits a schema, one repair, usage.

`ChatClient` serves the roles of the `llm` reasoner: streamed, bounded by a budget, each
request reported. `ask_record` is the plain form for judges and systems of the benchmark.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.utils import count_tokens_approximately

from emer.agents.llm.messages import Language, repair
from emer.agents.llm.schemas import LONGEST, R, Unusable, parsed, read_record, runs_on, text_of
from emer.agents.reasoner import ReportListener
from emer.agents.types import Budget, ModelCall, Outcome, Role
from emer.tools.errors import EmerError
from emer.tools.runtime.cancellation import Cancelled, raise_if_cancelled
from emer.tools.runtime.device import machine
from emer.tools.runtime.time_limit import TimeLimitExceeded, call_with_limit

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


class Prices(NamedTuple):
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
        self.tokens, self.money = float(budget.tokens), budget.money
        self.until = time.monotonic() + budget.seconds
        self.request: Sequence[BaseMessage] = ()
        """The last request, which began at `began`; here, for threads share a client."""
        self.began = time.monotonic()

    def require_budget(self, problem: str = "") -> None:
        """Raise `GaveUp` with the first resource that has run out, and the problem so far."""
        left = {
            "tokens": self.tokens,
            "money": 1.0 if self.money is None else self.money,
            "seconds": self.until - time.monotonic(),
        }
        for resource, amount in left.items():
            if amount <= 0:
                raise GaveUp(f"no {resource} left" + (f"; {problem}" if problem else ""))


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
        """The converted reply, repaired once if it cannot be used.

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
            task.require_budget(problem)
            task.request, task.began = talk, time.monotonic()
            return self._send(task, schema)

        def read(reply: AIMessage) -> T:
            try:
                result = convert(parsed(reply, schema))
            except Unusable as error:
                self._report(task, reply, "faulty", str(error))
                raise
            self._report(task, reply, "ok")
            return result

        return with_repair(messages, send, read, lambda problem: repair(problem, task.language))

    def _send(self, task: Task, schema: type[R]) -> AIMessage:
        try:
            return self._stream(task, self._bound(schema))
        except GaveUp as error:
            self._report(task, AIMessage(""), "failed", str(error))
            raise
        except Cancelled:
            raise
        except Exception as error:  # a model's client may raise anything
            status = getattr(error, "status_code", None) or getattr(error, "code", None)
            about_tools = status in (400, 404, 422, 501) and "tool" in str(error).lower()
            if self.calls_tools and about_tools:
                self.calls_tools = False
                task.began = time.monotonic()
                return self._send(task, schema)
            why = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            self._report(task, AIMessage(""), "failed", why)
            self.down = f"the model did not answer ({why})"
            raise GaveUp(self.down) from error

    def _bound(self, schema: type[R]) -> Any:
        if self.calls_tools:
            try:
                return self.model.bind_tools([schema], tool_choice=schema.__name__)
            except NotImplementedError:
                self.calls_tools = False
        return self.model

    def _stream(self, task: Task, model: Any) -> AIMessage:
        """Return the whole reply, cut where it runs on; given up where time is up.

        A server may send what is no word of the reply, or nothing: the limits hold outside the
        stream.
        """
        request, began, limits = list(task.request), task.began, machine().network
        arrived = threading.Event()

        def read() -> AIMessage:
            whole: AIMessageChunk | None = None
            checked = 0
            for chunk in model.stream(request):
                arrived.set()
                raise_if_cancelled()
                whole = chunk if whole is None else whole + chunk
                size = len(text_of(whole))
                if size - checked >= CHECK_EVERY:
                    checked = size
                    if runs_on(text_of(whole)):
                        break
            return whole if whole is not None else AIMessage("")

        def watch() -> None:
            task.require_budget()
            if not arrived.is_set() and time.monotonic() - began > limits.first:
                raise TimeLimitExceeded(f"no word of a reply within {limits.first:g} s")

        return call_with_limit(read, limits.total, watch=watch)

    def _report(self, task: Task, reply: AIMessage, outcome: Outcome, why: str = "") -> None:
        usage, text, prices = _counted(reply), text_of(reply), self.prices
        read = usage["input_tokens"] if usage else count_tokens_approximately(task.request)
        written = usage["output_tokens"] if usage else -(-len(text) // 4)
        cost = round((read * prices.read + written * prices.written) / 1e6, 9) if prices else None
        task.tokens -= read + written
        if task.money is not None:
            task.money -= cost or 0.0
        self.report(
            ModelCall(
                role=task.role,
                model=self.name,
                prompt=task.prompt,
                tokens_in=read,
                tokens_out=written,
                counted=usage is not None,
                money=cost,
                seconds=round(time.monotonic() - task.began, 4),
                outcome=outcome,
                why=why,
                reply=text[:TRACE_LENGTH],
            )
        )


def _counted(reply: BaseMessage) -> UsageMetadata | None:
    """The tokens that the model counted; None for none, or for counts that cannot be."""
    usage: UsageMetadata | None = getattr(reply, "usage_metadata", None)
    if usage is None:
        return None
    if min(usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]) < 0:
        return None  # a negative count would raise what the run may still spend
    return usage


class RecordReply(NamedTuple, Generic[R]):
    """A record and its tokens of both requests, None where the model counts none."""

    record: R
    tokens: int | None


def ask_record(
    model: BaseChatModel, messages: Sequence[BaseMessage], schema: type[R]
) -> RecordReply[R]:
    """The reply as a record of the schema, repaired once.

    Raises:
        ReplyInvalid: the model failed, or neither reply fits.
    """
    tokens = 0

    def send(talk: Sequence[BaseMessage], _: str) -> AIMessage:
        nonlocal tokens
        try:
            reply = call_with_limit(lambda: model.invoke(list(talk)), machine().network.total)
        except Cancelled:
            raise
        except Exception as error:  # a model's client may raise anything
            raise ReplyInvalid(f"the model failed: {type(error).__name__}: {error}") from error
        usage = _counted(reply)
        tokens += usage["total_tokens"] if usage else 0
        return reply

    def plain(problem: str) -> BaseMessage:
        return HumanMessage(f"That does not fit: {problem}. Answer with the JSON object only.")

    def read(reply: AIMessage) -> R:
        if len(text := text_of(reply)) > LONGEST:
            raise Unusable(f"it is longer than {LONGEST} characters")
        return read_record(text, schema)

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
