"""Structured replies of chat models: JSON that fits a schema, one repair, usage.

`ChatClient` serves the roles of the `llm` reasoner: held to the strictest form of reply that
the server keeps, streamed, bounded by a budget, each request reported. `ask_record` is the plain
form for judges and systems of the benchmark.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.utils import count_tokens_approximately

from emer.agents.llm.messages import probe as probe_message
from emer.agents.llm.messages import repair, with_form
from emer.agents.llm.reply_forms import (
    IN_PROMPT,
    PROBE_CODE,
    Probed,
    held_to,
    known_form,
    possible_forms,
    refuses,
    remember_form,
)
from emer.agents.llm.schemas import (
    LONGEST,
    Names,
    NoObject,
    R,
    Reply,
    Unusable,
    form_of,
    parsed,
    read_record,
    runs_on,
    strict_schema,
    text_of,
)
from emer.agents.reasoner import ReportListener
from emer.agents.types import Budget, ModelCall, Outcome, ReplyForm, Role
from emer.prompts.prompt import Language, digest
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


class FormRefused(Exception):
    """The server, or its package, does not know the form of reply."""


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
        self.form: ReplyForm = "text"
        """The form of reply that the last request asked for."""
        self.tokens, self.money = float(budget.tokens), budget.money
        self.until = time.monotonic() + budget.seconds
        self.request: Sequence[BaseMessage] = ()
        """The last request, which began at `began`; here, for threads share a client."""
        self.began = time.monotonic()

    def probe(self, form: ReplyForm) -> Task:
        """A probe of this form within the task's budget."""
        probe = copy(self)
        probe.role, probe.form = "probe", form
        probe.prompt = digest(f"llm/{self.language}/probe")
        probe.request = [probe_message(self.language)]
        return probe

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


class Request(NamedTuple, Generic[R]):
    """What is asked of a model: messages, and the record that the reply must fit."""

    messages: Sequence[BaseMessage]
    schema: type[R]
    names: Names
    """The ids of clues, tools and labels that a reply may contain."""


@dataclass(slots=True)
class ChatClient:
    """A chat model that is asked for one schema at a time; every request is reported."""

    model: BaseChatModel
    name: str
    report: ReportListener
    prices: Prices | None = None
    forms: tuple[ReplyForm, ...] = ()
    """The forms of reply that may be asked for, the strictest first; empty: those possible."""
    form: ReplyForm | None = None
    """The form that the server keeps to; None until it is known."""
    down: str | None = None
    """Why the model did not answer at all; it is not asked again in this run."""

    def __post_init__(self) -> None:
        """Take the forms of the model's package where none are given."""
        self.forms = self.forms or possible_forms(self.model)

    def ask(self, task: Task, request: Request[R], convert: Callable[[R], T]) -> T:
        """The converted reply, repaired once if it cannot be used.

        Args:
            task: role, prompt and budget.
            request: messages and schema.
            convert: raises `Unusable` for what the schema cannot see, as an invented id.

        Raises:
            GaveUp: no reply could be used, the budget is spent, or the model is down.
        """
        if self.down is not None:
            raise GaveUp(self.down)
        schema = strict_schema(request.schema, request.names)

        def send(talk: Sequence[BaseMessage], problem: str) -> AIMessage:
            while True:
                task.require_budget(problem)
                task.form, task.request = self._form(task), list(talk)
                if task.form in IN_PROMPT:
                    place = len(request.messages) - 1
                    filled = with_form(talk[place], form_of(schema), task.language)
                    task.request = [*talk[:place], filled, *talk[place + 1 :]]
                try:
                    return self._send(task, request.schema.__name__, schema)
                except FormRefused:
                    self._settle_on(self.forms[self.forms.index(task.form) + 1])

        def read(reply: AIMessage) -> T:
            try:
                result = convert(parsed(reply, request.schema))
            except Unusable as error:
                self._report(task, reply, "faulty", str(error))
                if isinstance(error, NoObject) and task.form not in IN_PROMPT:
                    self._settle_on(None)  # the server does not keep to it, or no more
                raise
            self._report(task, reply, "ok")
            return result

        return with_repair(
            request.messages, send, read, lambda problem: repair(problem, task.language)
        )

    def _form(self, task: Task) -> ReplyForm:
        """The strictest form that the server keeps to, probed where that is not known."""
        if self.form is None:
            is_probed = self.forms[0] == "schema"
            known = known_form(self.model) if is_probed else self.forms[0]
            self._settle_on(known or next(f for f in self.forms if self._keeps(task, f)))
        return self.form or "text"

    def _settle_on(self, form: ReplyForm | None) -> None:
        self.form = form
        if self.forms[0] == "schema":
            remember_form(self.model, form)

    def _keeps(self, task: Task, form: ReplyForm) -> bool:
        """Probe the server; nothing needs to be kept of plain text."""
        if form == "text":
            return True
        task.require_budget()
        probe = task.probe(form)
        schema, reply = strict_schema(Probed, {"clues": [PROBE_CODE]}), AIMessage("")
        try:
            reply = self._send(probe, Probed.__name__, schema)
            parsed(reply, Reply if form == "json" else Probed)
            self._report(probe, reply, "ok")
        except (FormRefused, Unusable) as error:
            self._report(probe, reply, "faulty", f"it does not keep to the form: {error}")
            return False
        finally:
            task.tokens, task.money = probe.tokens, probe.money
        return True

    def _send(self, task: Task, name: str, schema: dict[str, Any]) -> AIMessage:
        """The reply in the task's form; `FormRefused` where the server knows no such form."""
        task.began = time.monotonic()
        try:
            model = held_to(self.model, task.form, name, schema)
        except NotImplementedError as error:
            raise FormRefused("its package calls no tools") from error
        try:
            return self._stream(task, model)
        except GaveUp as error:
            self._report(task, AIMessage(""), "failed", str(error))
            raise
        except Cancelled:
            raise
        except Exception as error:  # a model's client may raise anything
            why = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            if task.form != "text" and refuses(error, probing=task.role == "probe"):
                raise FormRefused(why) from error
            self._report(task, AIMessage(""), "failed", why)
            self.down = f"the model did not answer ({why})"
            raise GaveUp(self.down) from error

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
                form=task.form,
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
