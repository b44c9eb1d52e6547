"""The cue lexicon: cues, emotion families, labels and weights from CSV files.

Every row names its source; `sources.csv` gives the references. Tables are read at first use.

A `Weighting` replaces weights of `weights.csv` by those that `emer-eval fit` writes to a
folder: `weights.csv` (cue, family, log_odds, source) and `weights.json` (provenance). The
offsets and the calibration of the fitted model are not used: the thresholds of the rules
assume their own flat prior (`evals/LOG.md`, 2026-11-25).
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from emer.tools import cues as signs
from emer.tools.errors import ConfigError
from emer.tools.types import Modality

FOLDER = Path(__file__).parent
NEARBY = 160
"""Characters around a cue that are read with it: more than a sentence has (chosen by us)."""

Channel = signs.Channel
CHANNELS: tuple[Channel, ...] = get_args(Channel)

TOOL_WORD_WEIGHT = 1.2
"""Log-odds of an emotion word in a tool's own sentence (own judgement)."""
SPEAKER_WORD_WEIGHT = 1.0
"""Log-odds of a feeling that a speaker tells of oneself (own judgement)."""
WORD_CUES = ("named_", "heard_", "said_")
"""Prefixes of the cues that are emotion words, not signs."""


def _limited(pattern: str) -> str:
    """The pattern with an end to its repetitions: its time grows with the text alone."""
    near = re.sub(r"(\[\^[^\]]*\])\*", rf"\1{{0,{NEARBY}}}", pattern)
    return near.replace(r"\w*", r"\w{0,24}").replace(r"\w+", r"\w{1,24}")


def channel_of(modality: Modality) -> Channel:
    """The channel of a modality: face and scene are visual."""
    return modality if modality in ("audio", "text") else "visual"


Words = Annotated[tuple[str, ...], BeforeValidator(str.split)]


class Row(BaseModel):
    """A row of a table; an alias is the name of its column."""

    model_config = ConfigDict(frozen=True)


class Cue(Row):
    """A displayed sign."""

    key: str = Field(alias="cue")
    channel: Channel
    group: str
    """Correlated cues share a group; the largest of them counts."""
    phrase: str
    """Its name in a sentence ("a smile")."""
    opposites: Words = Field(default=(), alias="opposite")
    """Cues that contradict it."""
    unless: Words = ()
    """More exact cues that replace it in the same sentence."""


class Combo(Row):
    """Cues that mean more together than apart."""

    key: str = Field(alias="cue")
    members: Words
    phrase: str = Field(alias="say")


class Family(Row):
    """A family of emotion words; families of one `kin` are similar readings."""

    name: str = Field(alias="family")
    valence: float
    """In [-1, 1]."""
    kin: str


class LabelWord(Row):
    """A word of a family, its range of intensity, and its affect in [-1, 1]."""

    family: str
    name: str = Field(alias="label")
    low: float
    high: float
    valence: float
    arousal: float
    cues: Words
    graded: bool
    """A degree of the family, not a shade that needs a cue of its own."""
    words: Words
    words_zh: Words


class Lexicon:
    """All tables, each read at its first use."""

    @cached_property
    def families(self) -> Mapping[str, Family]:
        """Families by name, in the order of the file."""
        return {row.name: row for row in map(Family.model_validate, _table("families"))}

    @cached_property
    def labels(self) -> tuple[LabelWord, ...]:
        """Label words; the first of a family is its plain name."""
        return tuple(map(LabelWord.model_validate, _table("labels")))

    @cached_property
    def cues(self) -> Mapping[str, Cue]:
        """Cues by key, with the `named`, `heard` and `said` cues of each family."""
        rows: list[dict[str, str]] = _table("cues")
        for family in self.families:
            seen, said = f"named_{family}", f"said_{family}"
            groups = {seen: seen, f"heard_{family}": seen, said: said}
            rows += [{"cue": cue, "group": group} for cue, group in groups.items()]
        names = signs.cue_names()
        return {
            key: Cue.model_validate(
                {**row, "channel": names[key].channel, "phrase": names[key].english}
            )
            for row in rows
            if (key := row["cue"])
        }

    @cached_property
    def combos(self) -> tuple[Combo, ...]:
        """Combinations of cues."""
        return tuple(map(Combo.model_validate, _table("combos")))

    @cached_property
    def weights(self) -> Mapping[str, Mapping[str, float]]:
        """Log-odds by cue, then family."""
        table: dict[str, dict[str, float]] = {}
        for row in _table("weights"):
            table.setdefault(row["cue"], {})[row["family"]] = float(row["log_odds"])
        for family in self.families:
            table[f"named_{family}"] = {family: TOOL_WORD_WEIGHT}
            table[f"heard_{family}"] = {family: TOOL_WORD_WEIGHT}
            table[f"said_{family}"] = {family: SPEAKER_WORD_WEIGHT}
        return table

    @cached_property
    def arousal(self) -> Mapping[str, float]:
        """Arousal in [-1, 1] by cue."""
        return {row["cue"]: float(row["arousal"]) for row in _table("arousal")}

    @cached_property
    def degrees(self) -> Mapping[str, float]:
        """Factor of an adverb of degree on a cue's strength, by word."""
        return {row["word"]: float(row["factor"]) for row in _table("degrees")}

    @cached_property
    def patterns(self) -> Mapping[Channel, tuple[tuple[str, re.Pattern[str]], ...]]:
        """Compiled (cue, pattern) pairs by channel; words of a speaker have none."""
        table: dict[Channel, list[tuple[str, re.Pattern[str]]]] = {c: [] for c in CHANNELS}
        for cue, pattern in self._pattern_texts():
            table[self.cues[cue].channel].append((cue, re.compile(_limited(pattern))))
        return {channel: tuple(pairs) for channel, pairs in table.items()}

    def phrase_of(self, key: str) -> str:
        """Name of a cue or combination in a sentence."""
        cue = self.cues.get(key)
        return cue.phrase if cue else next(c.phrase for c in self.combos if c.key == key)

    def label_of(self, family: str) -> str:
        """The family's plain label."""
        return next(label.name for label in self.labels if label.family == family)

    def label_in(self, family: str, language: str) -> str:
        """The family's plain label in a language, "en" or "zh"."""
        label = next(label for label in self.labels if label.family == family)
        return label.words_zh[0] if language == "zh" else label.name

    def family_of(self, word: str) -> str | None:
        """Family of a label or one of its forms; None if unknown."""
        plain = word.strip().casefold()
        for label in self.labels:
            if plain == label.name or plain in label.words or plain in label.words_zh:
                return label.family
        return plain if plain in self.families else None

    @cached_property
    def emotion_words(self) -> Mapping[str, str]:
        """A pattern for any word of a family, English or Chinese, by family."""
        words = {family: self._word_forms(family) for family in self.families}
        return {family: rf"\b(?:{en})\b|{zh}" for family, (en, zh) in words.items()}

    def _word_forms(self, family: str) -> tuple[str, str]:
        """English and Chinese alternatives, the longest first."""
        labels = [label for label in self.labels if label.family == family]
        english = {form for label in labels for form in (label.name, *label.words)}
        chinese = {form for label in labels for form in label.words_zh if len(form) > 1}
        ordered = (sorted(forms, key=lambda f: (-len(f), f)) for forms in (english, chinese))
        en, zh = ("|".join(map(re.escape, forms)) for forms in ordered)
        return en, zh

    def _pattern_texts(self) -> Iterator[tuple[str, str]]:
        macros = {row["macro"]: row["pattern"] for row in _table("macros")}
        for row in _table("patterns"):
            pattern = row["pattern"]
            for macro, meaning in macros.items():
                pattern = pattern.replace(macro, meaning)
            yield row["cue"], pattern
        for row in _table("cues"):
            cue = self.cues[row["cue"]]
            if cue.channel != "text":  # also by the name that we give it
                yield cue.key, r"\b" + re.escape(re.sub(r"^an? ", "", cue.phrase)) + r"\b"
        for family, word in self.emotion_words.items():
            yield f"named_{family}", word
            yield f"heard_{family}", word


def _table(name: str) -> list[dict[str, str]]:
    return read_rows(FOLDER / f"{name}.csv")


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file with a header."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The lexicon of this package."""
    return Lexicon()


@dataclass(frozen=True)
class Weighting:
    """Log-odds of cues and families."""

    name: str = ""
    """Its provenance; empty for the lexicon's own weights."""
    changed: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Log-odds by cue, then family, in place of the lexicon's."""

    def log_odds(self, cue: str, family: str) -> float:
        """Log-odds that a cue at full strength adds to a family."""
        changed = self.changed.get(cue, {}).get(family)
        return lexicon().weights.get(cue, {}).get(family, 0.0) if changed is None else changed


DEFAULT_WEIGHTING = Weighting()


def weighting_of(reasoner: object) -> Weighting:
    """The reasoner's own `weighting`, if any; its labels are verified with the same."""
    weighting = getattr(reasoner, "weighting", None)
    return weighting if isinstance(weighting, Weighting) else DEFAULT_WEIGHTING


def reasoner_name(reasoner: str, weighting: Weighting) -> str:
    """A reasoner's name with its weights, if they are not the default."""
    return f"{reasoner}, {weighting.name}" if weighting.name else reasoner


def load_weighting(folder: str) -> Weighting:
    """The weights of a folder that `emer-eval fit` wrote; the default for "".

    Raises:
        ConfigError: Names the file and row that cannot be used, a cue or family that the
            lexicon lacks, or a table that was changed after it was written.
    """
    if not folder:
        return DEFAULT_WEIGHTING
    table, about = (Path(folder).expanduser() / name for name in ("weights.csv", "weights.json"))
    try:
        provenance = json.loads(_content(about))
    except ValueError as error:
        raise ConfigError(f"{about} is not JSON: {error}") from error
    if not isinstance(provenance, dict):
        raise ConfigError(f"{about} is no object")
    content = _content(table)
    digest = hashlib.sha256(content).hexdigest()
    if provenance.get("weights_sha256") != digest:
        raise ConfigError(f"{table} is not the table that {about.name} tells of; fit again")
    name = provenance.get("name")
    if not isinstance(name, str) or not name.isprintable() or not name:
        raise ConfigError(f"{about} lacks a name")
    return Weighting(name=f"{name}@{digest[:8]}", changed=_log_odds(table, content))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        hint = f"`emer-eval fit --out {path.parent}` writes one"
        raise ConfigError(f"{path}: {error.strerror}; {hint}") from error


def _log_odds(path: Path, content: bytes) -> Mapping[str, Mapping[str, float]]:
    try:
        rows = csv.DictReader(content.decode("utf-8-sig").splitlines())
        columns = rows.fieldnames or ()
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8") from error
    for name in ("cue", "family", "log_odds", "source"):
        if name not in columns:
            raise ConfigError(f"{path} lacks the column {name}")
    words = lexicon()
    cues = {*words.cues, *(combo.key for combo in words.combos)}
    table: dict[str, dict[str, float]] = {}
    for number, row in enumerate(rows, start=2):
        at, cue, family = f"{path}, row {number}", row["cue"], row["family"]
        if cue not in cues:
            raise ConfigError(f"{at}: this lexicon has no cue {cue!r}; fit again")
        if family not in words.families:
            raise ConfigError(f"{at}: this lexicon has no family {family!r}; fit again")
        try:
            weight = float(row["log_odds"])
        except (TypeError, ValueError):
            weight = math.nan
        if not math.isfinite(weight):
            raise ConfigError(f"{at}, log_odds: {row['log_odds']!r} is no number")
        table.setdefault(cue, {})[family] = weight
    return table
