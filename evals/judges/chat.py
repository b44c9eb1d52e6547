"""A chat model as judge and as grouper of synonyms, with replies stored on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal, TypeVar

from pydantic import ConfigDict, Field, JsonValue

from emer.agents.llm.client import ReplyInvalid, ask_record
from emer.evals.judges.judge import JudgeFailed
from emer.evals.metrics.open_vocabulary import Groups
from emer.prompts.prompt import digest as prompt_digest
from emer.prompts.prompt import load
from emer.tools.errors import ConfigError
from emer.tools.runtime.private_files import private_folder, private_opener
from emer.tools.types import Record, digest

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

Reply = TypeVar("Reply", bound=Record)


class _Score(Record):
    model_config = ConfigDict(frozen=True, extra="ignore")

    score: float = Field(ge=1, le=10)
    reason: str = ""


class _Groups(Record):
    model_config = ConfigDict(frozen=True, extra="ignore")

    groups: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class ChatJudge:
    """A chat model that rates a pair once; its name carries a digest of its prompts."""

    model: BaseChatModel
    spec: str
    cache: ReplyCache

    @property
    def name(self) -> str:
        prompts: list[JsonValue] = [
            prompt_digest(f"evals/judge_{kind}") for kind in ("clues", "labels")
        ]
        return f"{self.spec} (prompts {digest(prompts)[:8]})"

    def clues(self, gold: str, predicted: str) -> float:
        return self._rate("clues", gold, predicted)

    def labels(self, gold: str, predicted: str) -> float:
        return self._rate("labels", gold, predicted)

    def _rate(self, kind: Literal["clues", "labels"], gold: str, predicted: str) -> float:
        # a JSON string stays data in the prompt
        pair = {"gold": _json(gold), "predicted": _json(predicted)}
        request = load(f"evals/judge_{kind}").substitute(**pair)
        key = digest([self.name, kind, gold, predicted])
        try:
            return self.cache.ask(key, self.model, request, _Score).score
        except ReplyInvalid as error:
            raise JudgeFailed(f"{self.spec}: {error}") from error


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
        ordered = sorted(labels)
        request = load("evals/group_labels").substitute(labels=json.dumps(ordered))
        key = digest([self.name, *ordered])
        return self.cache.ask(key, self.model, request, _Groups).groups


@dataclass
class ReplyCache:
    """Replies by the hash of their request, in a JSONL file.

    `ConfigError` at once, before anything is paid for, if the file cannot be read or written.
    """

    path: Path
    _known: dict[str, Mapping[str, object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the file; an incomplete last line is cut off."""
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

    def ask(self, key: str, model: BaseChatModel, request: str, form: type[Reply]) -> Reply:
        """The stored reply to a request, else the model's, which is stored at once.

        Raises:
            ReplyInvalid: the model failed, or neither reply fits.

        """
        from langchain_core.messages import HumanMessage

        if key not in self._known:
            reply = ask_record(model, [HumanMessage(request)], form).record.model_dump(mode="json")
            self._known[key] = reply
            with self.path.open("a", encoding="utf-8") as file:
                file.write(_json({"key": key, "said": reply}) + "\n")
        return form.model_validate(self._known[key])


def _entries(file: IO[bytes]) -> dict[str, Mapping[str, object]]:
    file.seek(0)
    raw = file.read()
    whole = raw[: raw.rfind(b"\n") + 1]
    if whole != raw:
        file.truncate(len(whole))
    return {entry["key"]: entry["said"] for entry in map(json.loads, whole.splitlines())}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
