"""What weights there are: the facts of `catalogue.toml` as records."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from emer.tools.errors import ConfigError
from emer.tools.types import Record

FILE = Path(__file__).parent / "catalogue.toml"


class Weights(Record):
    """One set of weights: a file behind an address, or a repository of Hugging Face."""

    name: str
    tool: str
    """The built-in that loads it."""
    model: str
    """What that tool's `model` argument says to mean it."""
    aliases: tuple[str, ...] = ()
    """What else may be written for `model`."""
    licence: str
    facts: str
    """Who publishes the address, the size and the checksum."""
    megabytes: int | None = None
    path: str | None = None
    """Where the file lies under the weights folder."""
    elsewhere: tuple[str, ...] = ()
    """Where the library itself would keep it, with ~ and $VARIABLES."""
    url: str | None = None
    sha256: str | None = None
    repository: str | None = None
    revision: str | None = None
    files: tuple[str, ...] = ()
    """Names or patterns of the repository's files; empty for what a model needs."""
    sha256s: Mapping[str, str] = Field(default_factory=dict)
    """By file of the repository."""
    suggested: bool = False
    """Named to somebody who has none for this tool."""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.url is None) == (self.repository is None):
            raise ValueError(f"{self.name} needs either a url or a repository")
        if self.url is not None and self.path is None:
            raise ValueError(f"{self.name} needs a path")
        return self

    @property
    def names(self) -> frozenset[str]:
        """All that a tool's `model` argument may say to mean it."""
        return frozenset({self.model, self.name, *self.aliases})

    @property
    def pull(self) -> str:
        """The command that gets it."""
        return f"emer models pull {self.name}"

    @property
    def size(self) -> str:
        """How large it is, for people."""
        if self.megabytes is None:
            return "size unknown"
        large = self.megabytes >= 1000
        return f"{self.megabytes / 1000:.1f} GB" if large else f"{self.megabytes} MB"


@cache
def catalogue(file: Path = FILE) -> tuple[Weights, ...]:
    """Return all weights in the order of the file: of one tool, the strongest first."""
    rows = tomllib.loads(file.read_text(encoding="utf-8"))["weights"]
    found = tuple(Weights.model_validate(row) for row in rows)
    names = [weights.name for weights in found]
    if len({*names}) != len(names):
        raise ValueError(f"{file.name}: a name stands twice")
    return found


def of_tool(tool: str) -> tuple[Weights, ...]:
    """Return the weights that a tool can load, the strongest first."""
    return tuple(weights for weights in catalogue() if weights.tool == tool)


def rank(model: str | None) -> int:
    """Return the place of a model among all, the strongest first.

    Models that share a name are equal, whichever tool runs them; one of no row comes last.
    """
    rows = catalogue()
    same = {model}.union(*(weights.names for weights in rows if model in weights.names))
    return next((place for place, weights in enumerate(rows) if weights.names & same), len(rows))


def named(name: str) -> Weights:
    """Return the weights of this name, or any repository written ORG/NAME[@REVISION].

    `ConfigError` lists the names.
    """
    for weights in catalogue():
        if name == weights.name:
            return weights
    repository, _, revision = name.partition("@")
    if is_repository(repository):
        return of_repository(repository, revision or None)
    known = ", ".join(weights.name for weights in catalogue())
    raise ConfigError(f"there are no weights {name!r}; known: {known}; or ORG/NAME[@REVISION]")


def of_repository(repository: str, revision: str | None = None) -> Weights:
    """Return the weights of a repository: as the catalogue pins them, or at this revision."""
    pinned = next((w for w in catalogue() if w.repository == repository), None)
    if pinned is not None and revision in (None, pinned.revision):
        return pinned
    return Weights(
        name=repository if revision is None else f"{repository}@{revision}",
        tool="",
        model=repository,
        licence="see its page",
        facts="named by the user",
        repository=repository,
        revision=revision,
    )


def is_repository(name: str) -> bool:
    """Tell whether a name is written like a repository of Hugging Face: ORG/NAME."""
    parts = name.split("/")
    plain = all(part and part.replace("-", "").replace(".", "").replace("_", "").isalnum()
                for part in parts)  # fmt: skip
    return len(parts) == 2 and plain and not name.startswith(".")
