"""A chat model as judge and as grouper of synonyms, with replies stored on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

from pydantic import ConfigDict, Field, JsonValue

from emer.agents.llm.client import ReplyInvalid, ask_record
from emer.evals.judges.judge import Judge, JudgeFailed, Rating
from emer.evals.metrics.synonyms import Groups
from emer.prompts.prompt import digest as prompt_digest
from emer.prompts.prompt import load
from emer.tools.errors import ConfigError
from emer.tools.runtime.private_files import private_folder, private_opener
from emer.tools.types import Record, digest

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

Kind = Literal["clues", "labels"]


class _Score(Record):
    model_config = ConfigDict(frozen=True, extra="ignore")

    score: float = Field(ge=1, le=10)
    reason: str = ""


class _Groups(Record):
    model_config = ConfigDict(frozen=True, extra="ignore")

    groups: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class ChatJudge:
    """A chat model that rates pairs; its name carries a digest of its prompts."""

    model: BaseChatModel
    spec: str

    @property
    def name(self) -> str:
        prompts: list[JsonValue] = [
            prompt_digest(f"evals/judge_{kind}") for kind in ("clues", "labels")
        ]
        return f"{self.spec} (prompts {digest(prompts)[:8]})"

    def clues(self, gold: str, predicted: str) -> Rating:
        return self._rate("clues", gold, predicted)

    def labels(self, gold: str, predicted: str) -> Rating:
        return self._rate("labels", gold, predicted)

    def _rate(self, kind: Kind, gold: str, predicted: str) -> Rating:
        from langchain_core.messages import HumanMessage

        text = load(f"evals/judge_{kind}").substitute(gold=_data(gold), predicted=_data(predicted))
        try:
            rating, _ = ask_record(self.model, [HumanMessage(text)], _Score)
        except ReplyInvalid as error:
            raise JudgeFailed(f"{self.spec}: {error}") from error
        return Rating(score=rating.score, reason=rating.reason)


@dataclass(frozen=True)
class ChatGrouper:
    """A chat model that groups a clip's synonyms; its name carries a prompt digest."""

    model: BaseChatModel
    spec: str
    cache: ReplyCache

    @property
    def name(self) -> str:
        return f"{self.spec} (prompt {prompt_digest('evals/group_labels')[:8]})"

    def groups(self, clip: str, labels: Sequence[str]) -> Groups:
        from langchain_core.messages import HumanMessage

        ordered = sorted(labels)
        key = digest([self.name, *ordered])
        if (reply := self.cache.get(key)) is None:
            text = load("evals/group_labels").substitute(labels=json.dumps(ordered))
            grouped, _ = ask_record(self.model, [HumanMessage(text)], _Groups)
            reply = self.cache.put(key, grouped.model_dump(mode="json"))
        return _Groups.model_validate(reply).groups


@dataclass(frozen=True)
class CachedJudge:
    """A judge with stored ratings: a pair is rated once."""

    judge: Judge
    cache: ReplyCache

    @property
    def name(self) -> str:
        return self.judge.name

    def clues(self, gold: str, predicted: str) -> Rating:
        return self._rate("clues", gold, predicted)

    def labels(self, gold: str, predicted: str) -> Rating:
        return self._rate("labels", gold, predicted)

    def _rate(self, kind: Kind, gold: str, predicted: str) -> Rating:
        key = digest([self.name, kind, gold, predicted])
        if (reply := self.cache.get(key)) is None:
            method = self.judge.clues if kind == "clues" else self.judge.labels
            reply = self.cache.put(key, method(gold, predicted).model_dump(mode="json"))
        return Rating.model_validate(reply)


@dataclass
class ReplyCache:
    """Replies by the hash of their request, in a JSONL file or in memory alone.

    `ConfigError` at once, before anything is paid for, if the file cannot be read or written.
    """

    path: Path | None = None
    _known: dict[str, Mapping[str, object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the file; an incomplete last line is cut off."""
        if self.path is None:
            return
        try:
            private_folder(self.path.parent)
            with open(self.path, "a+b", opener=private_opener) as file:
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
        """Stored reply, or None."""
        return self._known.get(key)

    def put(self, key: str, reply: Mapping[str, object]) -> Mapping[str, object]:
        """Store a reply, on disk at once, and return it."""
        self._known[key] = reply
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"key": key, "said": reply}, ensure_ascii=False) + "\n")
        return reply


def _entries(file: IO[bytes]) -> dict[str, Mapping[str, object]]:
    file.seek(0)
    raw = file.read()
    whole = raw[: raw.rfind(b"\n") + 1]
    if whole != raw:
        file.truncate(len(whole))
    return {entry["key"]: entry["said"] for entry in map(json.loads, whole.splitlines())}


def _data(text: str) -> str:
    # a JSON string stays data in the prompt
    return json.dumps(text, ensure_ascii=False)
