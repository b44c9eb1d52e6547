"""Chat models: connect, structured reply, repair, usage.

From a name on the command line to a chat model.

openai:MODEL, anthropic:MODEL, ollama:MODEL, or any provider that LangChain can name;
MODEL@http://host:port/v1 for any OpenAI-compatible server (vLLM, llama.cpp, LM Studio), with the
key in EMER_LLM_KEY if it wants one;
hf:ORG/MODEL or hf:/folder for a model run here by transformers;
script:FILE for replies written beforehand.

Reading a model's reply: the JSON in it, or what is wrong with it in one sentence.

Asking a model for one task: streamed, bounded, repaired once, every request reported.
"""

from __future__ import annotations

import json
import re
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.utils import count_tokens_approximately
from pydantic import ValidationError

from emer.agents.llm.messages import Language, repair
from emer.agents.llm.schemas import Reply
from emer.agents.reasoner import ReportListener
from emer.agents.types import Budget, ModelCall, Outcome, Role
from emer.tools.errors import ConfigError
from emer.tools.weights.download import key_for

TIMEOUT = 120.0
"""Seconds a server may take for one request."""
_EXTRAS = {
    "langchain_openai": "llm",
    "langchain_anthropic": "anthropic",
    "langchain_ollama": "ollama",
}


def connect(spec: str, max_tokens: int) -> BaseChatModel:
    """Return the chat model that `spec` names; nothing is sent to it yet.

    `ConfigError` for a name that means nothing, a package that is missing (with the line
    that installs it) or a key that is not set.
    """
    kind, _, rest = spec.partition(":")
    if kind == "script" and rest:
        from emer.agents.scripted_model import ScriptedModel

        return ScriptedModel.from_file(Path(rest))
    if kind == "hf" and rest:
        from emer.agents.llm.local import LocalModel

        return LocalModel.load(rest, max_tokens)
    name, at, url = spec.partition("@")
    if at and url.startswith(("http://", "https://")):
        return _served(name.removeprefix("openai:"), url, max_tokens)
    if not (kind and rest):
        raise ConfigError(
            f"reasoner: {spec!r} names no model; write it like openai:gpt-4.1-mini, "
            "ollama:qwen3, hf:ORG/MODEL or MODEL@http://127.0.0.1:8000/v1"
        )
    return _named(spec, max_tokens)


def check(spec: str, max_tokens: int) -> None:
    """Raise `ConfigError` for what `connect` would refuse, without loading any weights."""
    kind, _, name = spec.partition(":")
    if kind != "hf":
        connect(spec, max_tokens)
    else:
        from emer.agents.llm.local import find_config

        find_config(name)


def _served(model: str, url: str, max_tokens: int) -> BaseChatModel:
    """Return a model behind an OpenAI-compatible server; a local one needs no key."""
    try:
        from langchain_openai import ChatOpenAI
    except ModuleNotFoundError as error:
        raise _missing(f"{model}@{url}", error) from error
    return ChatOpenAI(
        model=model,
        base_url=url,
        api_key=key_for(url, "EMER_LLM_KEY") or "none",
        temperature=0,
        max_tokens=max_tokens,
        timeout=TIMEOUT,
        max_retries=1,
        stream_usage=True,
    )


def _named(spec: str, max_tokens: int) -> BaseChatModel:
    try:
        from langchain.chat_models import init_chat_model

        found = init_chat_model(spec, temperature=0, **_options(spec, max_tokens))
    except ImportError as error:
        raise _missing(spec, error) from error
    except Exception as error:  # each provider's package has errors of its own
        raise ConfigError(f"reasoner: {spec}: {' '.join(str(error).split())[:300]}") from error
    if not isinstance(found, BaseChatModel):
        raise ConfigError(f"reasoner: {spec} is not a chat model")
    key = getattr(found, "anthropic_api_key", None)  # its package waits for the first request
    if key is not None and not key.get_secret_value():
        raise ConfigError(f"reasoner: {spec}: there is no key; set ANTHROPIC_API_KEY")
    return found


def _options(spec: str, max_tokens: int) -> dict[str, Any]:
    """Return the limits in the words of the provider's package."""
    if spec.startswith("ollama:"):
        return {"num_predict": max_tokens, "client_kwargs": {"timeout": TIMEOUT}}
    return {"max_tokens": max_tokens, "timeout": TIMEOUT, "max_retries": 1}


def _missing(spec: str, error: ImportError) -> ConfigError:
    package = (error.name or "").partition(".")[0]
    extra = _EXTRAS.get(package, "llm")
    return ConfigError(
        f"reasoner: {spec} needs a package that is not installed ({package or error}); "
        f"pip install 'emer[{extra}]'"
    )


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
    hear: ReportListener
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
