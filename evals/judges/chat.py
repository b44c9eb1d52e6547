"""LLM as judge.

Replies of chat models as checked records: JSON that fits, after at most one more try.

A chat model as judge, and as grouper of synonyms; what it said is remembered on disk.

From a name to a chat model: those of the llm reasoner, and "package.module:Name" for Python.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Generic, Literal, TypeVar

from pydantic import ConfigDict, Field, JsonValue, ValidationError

from emer.agents.llm.client import connect
from emer.evals.judges.judge import Judge, JudgeFailed, Rating
from emer.evals.metrics.synonyms import Groups
from emer.prompts.prompt import digest as prompt_digest
from emer.prompts.prompt import load
from emer.tools.errors import ConfigError, EmerError
from emer.tools.types import Record, digest

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


Kind = Literal["clues", "labels"]


class _Said(Record):
    model_config = ConfigDict(frozen=True, extra="ignore")

    score: float = Field(ge=1, le=10)
    reason: str = ""


class _Grouped(Record):
    model_config = ConfigDict(frozen=True, extra="ignore")

    groups: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class ChatJudge:
    """A chat model that rates pairs, under a name with a digest of its prompts."""

    model: BaseChatModel
    spec: str

    @property
    def name(self) -> str:
        """The model and the prompts it was asked with."""
        prompts: list[JsonValue] = [
            prompt_digest(f"evals/judge_{kind}") for kind in ("clues", "labels")
        ]
        return f"{self.spec} (prompts {digest(prompts)[:8]})"

    def clues(self, gold: str, predicted: str) -> Rating:
        """Ask for the overlap of clues."""
        return self._rate("clues", gold, predicted)

    def labels(self, gold: str, predicted: str) -> Rating:
        """Ask for the overlap of emotional states."""
        return self._rate("labels", gold, predicted)

    def _rate(self, kind: Kind, gold: str, predicted: str) -> Rating:
        from langchain_core.messages import HumanMessage

        text = load(f"evals/judge_{kind}").substitute(gold=_data(gold), predicted=_data(predicted))
        try:
            said = ask(self.model, [HumanMessage(text)], _Said).record
        except ReplyInvalid as error:
            raise JudgeFailed(f"{self.spec}: {error}") from error
        return Rating(score=said.score, reason=said.reason)


@dataclass(frozen=True)
class ChatGrouper:
    """A chat model that groups synonyms, clip by clip, under a name with its prompt's digest."""

    model: BaseChatModel
    spec: str
    memory: Memory

    @property
    def name(self) -> str:
        """The model and the prompt it was asked with."""
        return f"{self.spec} (prompt {prompt_digest('evals/group_labels')[:8]})"

    def groups(self, clip: str, labels: Sequence[str]) -> Groups:
        """Ask for the groups of these labels, once for each set of labels."""
        from langchain_core.messages import HumanMessage

        wanted = sorted(labels)
        key = digest([self.name, *wanted])
        if (known := self.memory.get(key)) is None:
            text = load("evals/group_labels").substitute(labels=json.dumps(wanted))
            said = ask(self.model, [HumanMessage(text)], _Grouped).record
            known = self.memory.put(key, said.model_dump(mode="json"))
        return _Grouped.model_validate(known).groups


@dataclass(frozen=True)
class Remembered:
    """A judge whose ratings are kept, so that a pair is rated once and for all."""

    judge: Judge
    memory: Memory

    @property
    def name(self) -> str:
        """The judge's name."""
        return self.judge.name

    def clues(self, gold: str, predicted: str) -> Rating:
        """Return the kept rating of clues, or ask for it."""
        return self._rate("clues", gold, predicted)

    def labels(self, gold: str, predicted: str) -> Rating:
        """Return the kept rating of labels, or ask for it."""
        return self._rate("labels", gold, predicted)

    def _rate(self, kind: Kind, gold: str, predicted: str) -> Rating:
        key = digest([self.name, kind, gold, predicted])
        if (known := self.memory.get(key)) is None:
            method = self.judge.clues if kind == "clues" else self.judge.labels
            known = self.memory.put(key, method(gold, predicted).model_dump(mode="json"))
        return Rating.model_validate(known)


@dataclass
class Memory:
    """What was said before, by a hash of what was asked: a JSONL file, or nothing but memory.

    `ConfigError` at once, before anything is paid for, if the file cannot be read or written.
    """

    path: Path | None = None
    _known: dict[str, Mapping[str, object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the file; a last line that was cut short is cut off."""
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a+b") as file:
                self._known.update(_entries(file))
        except OSError as error:
            raise ConfigError(
                f"{self.path}: {error.strerror or error}; what is said is kept there: set EMER_HOME"
                " to a folder that can be written"
            ) from error
        except (ValueError, TypeError, KeyError) as error:
            raise ConfigError(
                f"{self.path}: not what was written there ({error}); move it away to ask again"
            ) from error

    def get(self, key: str) -> Mapping[str, object] | None:
        """Return what was said, or None."""
        return self._known.get(key)

    def put(self, key: str, said: Mapping[str, object]) -> Mapping[str, object]:
        """Remember what was said, on disk at once, and return it."""
        self._known[key] = said
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"key": key, "said": said}, ensure_ascii=False) + "\n")
        return said


def _entries(file: IO[bytes]) -> dict[str, Mapping[str, object]]:
    file.seek(0)
    raw = file.read()
    whole = raw[: raw.rfind(b"\n") + 1]
    if whole != raw:
        file.truncate(len(whole))
    return {entry["key"]: entry["said"] for entry in map(json.loads, whole.splitlines())}


def _data(text: str) -> str:
    """Return a text between JSON quotes, so that it cannot step out of its place."""
    return json.dumps(text, ensure_ascii=False)


MOST_TOKENS = 2_000
"""Of one answer (chosen by us: an EMER explanation has some 300)."""


def load_chat_model(spec: str) -> BaseChatModel:
    """Return the chat model that `spec` names, at temperature 0 where it has one.

    A name with a dot before the colon is a class or function of ours or yours, called
    without arguments; any other is one that the llm reasoner takes, which may need a key
    and the network. `ConfigError` says what is lacking.
    """
    module, colon, name = spec.partition(":")
    if not (module and colon and name):
        raise ConfigError(
            f"{spec!r} names no chat model: write provider:model (openai:gpt-4o) or "
            "package.module:Name"
        )
    made = _from_python(module, name) if "." in module else connect(spec, MOST_TOKENS)
    from langchain_core.language_models import BaseChatModel

    if not isinstance(made, BaseChatModel):
        raise ConfigError(f"{spec} is not a LangChain chat model but a {type(made).__name__}")
    return made


def _from_python(module: str, name: str) -> object:
    here = os.getcwd()
    if here not in sys.path:
        sys.path.append(here)
    try:
        return getattr(importlib.import_module(module), name)()
    except ModuleNotFoundError as error:
        raise ConfigError(f"{module}:{name}: no module {error.name}") from error
    except AttributeError as error:
        raise ConfigError(f"{module}:{name}: module {module} has no {name}") from error
