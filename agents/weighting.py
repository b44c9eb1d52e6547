"""What cues weigh: as the lexicon ships it, or as somebody learnt it from labels of their own.

`emer-eval fit` writes a folder with `weights.csv` (cue, family, log_odds, source) and
`weights.json` (where they are from). What the table does not name keeps the literature's
weight. The offsets and the calibration line of the fitted model stay behind: the thresholds
of the rules are made for the flat prior of theirs (`evals/LOG.md`, 2026-11-25).
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from emer.agents.vocabulary import lexicon
from emer.tools.errors import ConfigError

TABLE, ABOUT = "weights.csv", "weights.json"
COLUMNS = ("cue", "family", "log_odds", "source")


@dataclass(frozen=True)
class Weighting:
    """Log-odds of cues and families."""

    name: str = ""
    """Where it is from; empty for what ships."""
    changed: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Log-odds by cue, then family, in place of the lexicon's."""

    def log_odds(self, cue: str, family: str) -> float:
        """Return how much a cue, plainly stated, speaks for a family; 0 where it says nothing."""
        own = self.changed.get(cue, {}).get(family)
        return lexicon().weights.get(cue, {}).get(family, 0.0) if own is None else own


SHIPPED = Weighting()


@runtime_checkable
class Weighted(Protocol):
    """A reasoner that weighs by a weighting of its own."""

    @property
    def weighting(self) -> Weighting:
        """What it weighs by."""
        ...


def weighting_of(reasoner: object) -> Weighting:
    """Return what a reasoner weighs by, which is also what its labels are checked with."""
    return reasoner.weighting if isinstance(reasoner, Weighted) else SHIPPED


def named(reasoner: str, weighting: Weighting) -> str:
    """Return a reasoner's name with the weights that are not the shipped ones."""
    return f"{reasoner}, {weighting.name}" if weighting.name else reasoner


def load_weighting(folder: str) -> Weighting:
    """Return the weights of a folder, the shipped ones for "".

    `ConfigError` on one line names the file and row that cannot be used, a cue or family
    that this lexicon does not have, or a table that was changed after it was written.
    """
    if not folder:
        return SHIPPED
    table, about = Path(folder).expanduser() / TABLE, Path(folder).expanduser() / ABOUT
    told = _about(about)
    content = _content(table)
    digest = hashlib.sha256(content).hexdigest()
    if told.get("weights_sha256") != digest:
        raise ConfigError(f"{table} is not the table that {ABOUT} tells of; fit again")
    return Weighting(
        name=f"{_text(told, about)}@{digest[:8]}",
        changed=_table(table, content),
    )


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{path}: {error.strerror}; `emer-eval fit --out {path.parent}` writes one"
        ) from error


def _about(path: Path) -> Mapping[str, Any]:
    try:
        told = json.loads(_content(path))
    except ValueError as error:
        raise ConfigError(f"{path} is not JSON: {error}") from error
    if not isinstance(told, dict):
        raise ConfigError(f"{path} is no object")
    return told


def _table(path: Path, content: bytes) -> Mapping[str, Mapping[str, float]]:
    found: dict[str, dict[str, float]] = {}
    try:
        rows = csv.DictReader(content.decode("utf-8-sig").splitlines())
        columns = tuple(rows.fieldnames or ())
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8") from error
    if absent := [name for name in COLUMNS if name not in columns]:
        raise ConfigError(f"{path} lacks the column {absent[0]}")
    for cue, family, value in _rows(path, rows):
        found.setdefault(cue, {})[family] = value
    return found


def _rows(path: Path, rows: Iterable[Mapping[str, str]]) -> Iterator[tuple[str, str, float]]:
    words = lexicon()
    cues = {*words.cues, *(combo.key for combo in words.combos)}
    for place, row in enumerate(rows, start=2):
        at, cue, family = f"{path}, row {place}", row["cue"], row["family"]
        if cue not in cues:
            raise ConfigError(f"{at}: this lexicon has no cue {cue!r}; fit again")
        if family not in words.families:
            raise ConfigError(f"{at}: this lexicon has no family {family!r}; fit again")
        yield cue, family, _finite(row["log_odds"], f"{at}, log_odds")


def _text(told: Mapping[str, Any], path: Path) -> str:
    name = told.get("name")
    if not isinstance(name, str) or not name.isprintable() or not name:
        raise ConfigError(f"{path} lacks a name")
    return name


def _finite(value: object, where: str) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ConfigError(f"{where}: {value!r} is no number")
    return number
