"""Cues, families, labels, weights from CSV.

The cue lexicon: what sentences say is displayed, and what that is consistent with.

The tables are CSV files in `lexicon/`; every row names its source, and `sources.csv`
says what the source is. Loaded once, at first use.

What cues weigh: as the lexicon ships it, or as somebody learnt it from labels of their own.

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
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal, Protocol, get_args, runtime_checkable

from emer.tools.errors import ConfigError
from emer.tools.types import Modality

FOLDER = Path(__file__).parent

Channel = Literal["visual", "audio", "text"]
CHANNELS: tuple[Channel, ...] = get_args(Channel)

NAMED_WEIGHT = 1.2
"""Log-odds of an emotion word in a tool's own sentence (own judgement)."""
SAID_WEIGHT = 0.5
"""Log-odds of "I am <emotion word>" in a transcript (own judgement)."""


def channel_of(modality: Modality) -> Channel:
    """Return the channel a clue of this modality speaks on: face and scene are seen."""
    if modality == "audio":
        return "audio"
    return "text" if modality == "text" else "visual"


@dataclass(frozen=True, slots=True)
class Cue:
    """A displayed sign: its channel, the group it correlates with, and how to name it."""

    key: str
    channel: Channel
    group: str
    say: str
    opposites: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Combo:
    """Cues that mean more together than apart."""

    key: str
    members: tuple[str, ...]
    say: str


@dataclass(frozen=True, slots=True)
class Family:
    """A family of emotion words, its valence in [-1, 1] and the families it is kin to."""

    name: str
    valence: float
    kin: str


@dataclass(frozen=True, slots=True)
class LabelWord:
    """A word of a family: where on the family's intensity it fits, and its VAD."""

    family: str
    name: str
    low: float
    high: float
    valence: float
    arousal: float
    dominance: float
    cues: tuple[str, ...]
    graded: bool
    """A degree of the family, not a shade that needs a cue of its own."""
    words: tuple[str, ...]
    words_zh: tuple[str, ...]


class Lexicon:
    """All tables of one folder, parsed; patterns compile at first use."""

    def __init__(self, folder: Path = FOLDER) -> None:
        """Read the tables of `folder`."""
        self.folder = folder

    @cached_property
    def families(self) -> Mapping[str, Family]:
        """Families by name, in the order of the file."""
        rows = self._rows("families")
        return {r["family"]: Family(r["family"], float(r["valence"]), r["kin"]) for r in rows}

    @cached_property
    def labels(self) -> tuple[LabelWord, ...]:
        """Label words; the first of a family is its plain name."""
        return tuple(_label(row) for row in self._rows("labels"))

    @cached_property
    def cues(self) -> Mapping[str, Cue]:
        """Cues by key, with the `named` and `said` cues of each family."""
        found = {row["cue"]: _cue(row) for row in self._rows("cues")}
        own = (cue for f in self.families for cue in _emotion_word_cues(f, self.head(f)))
        return found | {cue.key: cue for cue in own}

    @cached_property
    def combos(self) -> tuple[Combo, ...]:
        """Combinations of cues."""
        return tuple(
            Combo(row["cue"], tuple(row["members"].split()), row["say"])
            for row in self._rows("combos")
        )

    @cached_property
    def weights(self) -> Mapping[str, Mapping[str, float]]:
        """Log-odds by cue, then family."""
        table: dict[str, dict[str, float]] = {}
        for row in self._rows("weights"):
            table.setdefault(row["cue"], {})[row["family"]] = float(row["log_odds"])
        for family in self.families:
            table[f"named_{family}"] = {family: NAMED_WEIGHT}
            table[f"heard_{family}"] = {family: NAMED_WEIGHT}
            table[f"said_{family}"] = {family: SAID_WEIGHT}
        return table

    @cached_property
    def arousal(self) -> Mapping[str, float]:
        """Arousal in [-1, 1] by cue."""
        return {row["cue"]: float(row["arousal"]) for row in self._rows("arousal")}

    @cached_property
    def degrees(self) -> Mapping[str, float]:
        """How much an adverb of degree scales a cue, by word."""
        return {row["word"]: float(row["factor"]) for row in self._rows("degrees")}

    @cached_property
    def patterns(self) -> Mapping[Channel, tuple[tuple[str, re.Pattern[str]], ...]]:
        """Compiled (cue, pattern) pairs by channel."""
        table: dict[Channel, list[tuple[str, re.Pattern[str]]]] = {c: [] for c in CHANNELS}
        for cue, pattern in self._sources_of_patterns():
            table[self.cues[cue].channel].append((cue, re.compile(pattern)))
        return {channel: tuple(pairs) for channel, pairs in table.items()}

    def say(self, key: str) -> str:
        """Return how a cue or combination is named in a sentence."""
        cue = self.cues.get(key)
        return cue.say if cue else next(c.say for c in self.combos if c.key == key)

    def head(self, family: str) -> str:
        """Return the family's plain label."""
        return next(label.name for label in self.labels if label.family == family)

    def family_of(self, word: str) -> str | None:
        """Return the family of a label or one of its forms, or None if unknown."""
        plain = word.strip().casefold()
        for label in self.labels:
            if plain == label.name or plain in label.words or plain in label.words_zh:
                return label.family
        return plain if plain in self.families else None

    def _sources_of_patterns(self) -> Iterator[tuple[str, str]]:
        macros = {row["macro"]: row["pattern"] for row in self._rows("macros")}
        for row in (*self._rows("patterns"), *self._rows("words")):
            pattern = row["pattern"]
            for macro, meaning in macros.items():
                pattern = pattern.replace(macro, meaning)
            yield row["cue"], pattern
        for cue in self._rows("cues"):
            if cue["channel"] != "text":
                yield cue["cue"], _named_so(cue["say"])
        for family in self.families:
            word = emotion_words(self.labels, family)
            yield f"named_{family}", word
            yield f"heard_{family}", word
            yield f"said_{family}", _said(self.labels, family)

    def _rows(self, table: str) -> list[dict[str, str]]:
        with (self.folder / f"{table}.csv").open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """Return the lexicon that ships with the package."""
    return Lexicon()


@lru_cache(maxsize=256)
def emotion_words(labels: tuple[LabelWord, ...], family: str) -> str:
    """Return a pattern that finds any word of the family, English or Chinese."""
    english, chinese = _words(labels, family)
    return rf"\b(?:{english})\b|{chinese}"


def _named_so(say: str) -> str:
    """Return a pattern for the words with which we name a cue ourselves."""
    return r"\b" + re.escape(re.sub(r"^an? ", "", say)) + r"\b"


def _said(labels: tuple[LabelWord, ...], family: str) -> str:
    english, chinese = _words(labels, family)
    first = r"\b(?:i|we)(?:'m| am|'re| are| feel| felt| was| were)\s+(?:so |very |really |too )*"
    return rf"{first}(?:{english})\b|我们?(?:很|好|真|太|非常|特别)*(?:{chinese})"


def _words(labels: tuple[LabelWord, ...], family: str) -> tuple[str, str]:
    own = [label for label in labels if label.family == family]
    english = {form for label in own for form in (label.name, *label.words)}
    chinese = {form for label in own for form in label.words_zh if len(form) > 1}
    return _alternation(english), _alternation(chinese)


def _alternation(words: Iterable[str]) -> str:
    """Return a pattern for any of the words, the longest first."""
    return "|".join(re.escape(word) for word in sorted(words, key=lambda w: (-len(w), w)))


def _label(row: Mapping[str, str]) -> LabelWord:
    return LabelWord(
        family=row["family"],
        name=row["label"],
        low=float(row["low"]),
        high=float(row["high"]),
        valence=float(row["valence"]),
        arousal=float(row["arousal"]),
        dominance=float(row["dominance"]),
        cues=tuple(row["cues"].split()),
        graded=row["graded"] == "yes",
        words=tuple(row["words"].split()),
        words_zh=tuple(row["words_zh"].split()),
    )


def _cue(row: Mapping[str, str]) -> Cue:
    channel = next((c for c in CHANNELS if c == row["channel"]), None)
    if channel is None:
        raise ValueError(f"cues.csv: {row['cue']} has channel {row['channel']!r}")
    opposites, unless = tuple(row["opposite"].split()), tuple(row["unless"].split())
    return Cue(row["cue"], channel, row["group"], row["say"], opposites, unless)


def _emotion_word_cues(family: str, head: str) -> tuple[Cue, ...]:
    """Return the cues of a tool that names the emotion, and of a speaker who says it."""
    seen, heard = f"an expression described as {head}", f"a tone described as {head}"
    return (
        Cue(f"named_{family}", "visual", f"named_{family}", seen),
        Cue(f"heard_{family}", "audio", f"named_{family}", heard),
        Cue(f"said_{family}", "text", f"said_{family}", "the speaker's own word for it"),
    )


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


DEFAULT_WEIGHTING = Weighting()


@runtime_checkable
class Weighted(Protocol):
    """A reasoner that weighs by a weighting of its own."""

    @property
    def weighting(self) -> Weighting:
        """What it weighs by."""
        ...


def weighting_of(reasoner: object) -> Weighting:
    """Return what a reasoner weighs by, which is also what its labels are checked with."""
    return reasoner.weighting if isinstance(reasoner, Weighted) else DEFAULT_WEIGHTING


def reasoner_name(reasoner: str, weighting: Weighting) -> str:
    """Return a reasoner's name with the weights that are not the shipped ones."""
    return f"{reasoner}, {weighting.name}" if weighting.name else reasoner


def load_weighting(folder: str) -> Weighting:
    """Return the weights of a folder, the shipped ones for "".

    `ConfigError` on one line names the file and row that cannot be used, a cue or family
    that this lexicon does not have, or a table that was changed after it was written.
    """
    if not folder:
        return DEFAULT_WEIGHTING
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
