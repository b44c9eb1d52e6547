"""Cue embedder, LangChain embeddings.

Words and pieces of words as a vector of fixed length; a denied word points the other way.

Of a word its beginnings are taken and not its inner letters, since what turns an English
word round stands in front (un-happy) and what only bends it stands behind (happi-ness).

From passages to vectors: the contract, and how a name in the settings becomes one.

"cues" is the built-in: what the cue lexicon reads, offline and without weights. hf:FOLDER
is a sentence model that transformers runs from a folder; "package.module:Class" is any
class that keeps this contract, or LangChain's Embeddings.

The built-in embedder: what the cue lexicon reads from a passage, as signed axes.

Three blocks, each scaled to length 1 and weighed: the cues that are stated, the families
with valence and arousal that they point to, and the words themselves. Opposite cues
(a louder voice, a softer one) and opposite families lie on opposite sides, so that
antonyms repel each other instead of being near because they are said of the same things.

LangChain's Embeddings as an embedder: any provider or model that it knows.
"""

from __future__ import annotations

import hashlib
import math
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from emer.agents.lexicon.cue_parser import Reading, combined_cues, is_negated
from emer.agents.lexicon.lexicon import FOLDER, lexicon
from emer.agents.memory.passages import TABLE, Passage, affects, common
from emer.agents.rules.fusion import CAP, DENIAL, weigh
from emer.tools.errors import ConfigError, ToolFailed
from emer.tools.registry import resolve
from emer.tools.types import Param, digest

SIZE = 1024
"""Length of the vector: with a few hundred features seldom two fall together (by us)."""
BEGINNINGS = (4, 6)
"""Characters of the beginnings of words."""
WORD, PIECE, PAIR = 1.0, 0.5, 0.5

_TOKEN = re.compile(r"[a-z][a-z']{2,}|[\u4e00-\u9fff]+")
_LESS = re.compile(r"(?<=[a-z]{3})less$")
_CLAUSE = re.compile(r"[,;:.!?，；：。！？]")  # noqa: RUF001


def hashed(text: str) -> NDArray[np.float64]:
    """Return the text's features, shape (SIZE,), not scaled."""
    found = np.zeros(SIZE)
    for feature, weight in _features(" ".join(text.casefold().split())):
        code = zlib.crc32(feature.encode())
        found[code % SIZE] += weight if code >> 31 else -weight
    return found


def _features(plain: str) -> Iterator[tuple[str, float]]:
    last = ""
    for match in _TOKEN.finditer(plain):
        token = match.group()
        sign = -1.0 if is_negated(_CLAUSE.split(plain[: match.start()])[-1]) else 1.0
        if not token.isascii():
            yield from ((f"z:{pair}", sign * WORD) for pair in _pairs(token))
        elif token not in common():
            bare = _LESS.sub("", token)
            sign = sign if bare == token else -sign
            yield f"w:{bare}", sign * WORD
            yield from ((f"p:{bare[:n]}", sign * PIECE) for n in BEGINNINGS if len(bare) >= n)
            yield f"b:{last} {bare}", sign * PAIR
            last = bare


def _pairs(characters: str) -> Iterator[str]:
    return (characters[i : i + 2] for i in range(max(1, len(characters) - 1)))


Vectors = NDArray[np.float32]
GROUP = "emer.embedders"
BUILT_IN: Mapping[str, str] = {"cues": "emer.agents.memory.embedder:CueEmbedder"}


@runtime_checkable
class Embedder(Protocol):
    """Turns passages into vectors whose inner product says how like they are."""

    name: str
    least: float
    """Inner product from which two passages are near; it depends on the model."""

    def fingerprint(self) -> str:
        """Return a hash of all that the vectors depend on: a new one means a new index."""
        ...

    def embed(self, passages: Sequence[Passage]) -> Vectors:
        """Return one row of length 1 (or 0) per passage, shape (n, d), float32; n is not 0."""
        ...


def load_embedder(use: str, arguments: Mapping[str, Param] | None = None) -> Embedder:
    """Build the embedder that `use` names; `ConfigError` or `ToolMissing` says what is wrong."""
    given = dict(arguments or {})
    try:
        if use.startswith("hf:"):
            from emer.agents.memory.sentence_embedder import SentenceEmbedder

            return SentenceEmbedder(use.removeprefix("hf:"), **given)  # type: ignore[arg-type]
        made = resolve(use, BUILT_IN, GROUP)(**given)
    except ConfigError as error:
        text = str(error).replace("no tool is called", "no embedder is called")
        raise ConfigError(f"memory: {text}") from error
    except (TypeError, ValueError) as error:
        raise ConfigError(f"memory: {use} refuses its arguments: {error}") from error
    if isinstance(made, Embedder):
        return made
    if callable(getattr(made, "embed_documents", None)):
        return LangChainEmbedder(use, given, made)
    raise ConfigError(f"memory: {use} has neither embed and fingerprint nor embed_documents")


def unit(rows: NDArray[Any]) -> Vectors:
    """Return the rows at length 1; rows of zeros stay as they are."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Vectors = (rows / np.where(lengths > 0, lengths, 1.0)).astype(np.float32)
    return scaled


Row = NDArray[np.float64]

CUES, AFFECT, WORDS = 0.6, 0.3, 0.1
"""Shares of the three blocks in the likeness of two passages (chosen by us)."""
OPPOSITE = 0.5
"""How far a cue points away from each of its opposites (chosen by us)."""
VALENCE, AROUSAL = 1.5, 1.8
"""Length of the two axes beside those of the families (chosen by us): valence decides."""


class CueEmbedder:
    """An embedder without weights; see `emer.agents.memory.embedder.Embedder`."""

    name = "cues"
    least = 0.3

    def fingerprint(self) -> str:
        """Return a hash of the tables and of the code that the vectors come from."""
        return _fingerprint()

    def embed(self, passages: Sequence[Passage]) -> Vectors:
        """Return one row per passage, shape (n, d)."""
        return unit(np.stack([_row(passage) for passage in passages]))


def _row(passage: Passage) -> Row:
    readings = passage.readings
    blocks = (
        (CUES, _cue_block(readings)),
        (AFFECT, _affect_block(passage, readings)),
        (WORDS, hashed(passage.text)),
    )
    return np.concatenate([math.sqrt(share) * _scaled(block) for share, block in blocks])


def _scaled(block: Row) -> Row:
    length = float(np.linalg.norm(block))
    return block / length if length else block


def _cue_block(readings: Sequence[Reading]) -> Row:
    """Return the stated cues, each with its group, away from its opposites."""
    axes = _axes()
    row = np.zeros(len(axes.places))
    for key, amount in _amounts(readings).items():
        for axis, share in axes.of(key).items():
            row[axes.places[axis]] += amount * share
    return row


def _amounts(readings: Sequence[Reading]) -> Mapping[str, float]:
    """Return how strongly each cue and combination is stated, or denied (below zero)."""
    found: dict[str, float] = {}
    for reading in readings:
        for m in reading.mentions:
            if m.cue in _axes().cues:
                stated = reading.reliability * m.strength * (-DENIAL if m.negated else 1.0)
                found[m.cue] = max(found.get(m.cue, stated), stated, key=abs)
    for combo, _, _, weight in combined_cues(readings):
        found[combo] = max(found.get(combo, 0.0), weight)
    return found


def _affect_block(passage: Passage, readings: Sequence[Reading]) -> Row:
    """Return what speaks for and against each family, then valence and arousal."""
    families = lexicon().families
    moved = {s.family: math.fsum(s.by_modality.values()) / CAP for s in weigh(readings)}
    row = np.array([moved[family] for family in families])
    length, total = float(np.linalg.norm(row)), float(np.abs(row).sum())
    valence = sum(moved[f] * families[f].valence for f in families) / total if total else 0.0
    words = [a for line in passage.lines for a in affects(line.text) if line.modality != "text"]
    if not total and words:
        length, valence = 1.0, _mean(word.valence for word in words)
    stirred = [*_stirred(readings), *(a.arousal for a in words)]
    tail = (VALENCE * length * valence, AROUSAL * length * _mean(stirred))
    return np.concatenate([row, tail])


def _stirred(readings: Iterable[Reading]) -> list[float]:
    table = lexicon().arousal
    return [table[m.cue] for r in readings for m in r.mentions if not m.negated and m.cue in table]


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return math.fsum(found) / len(found) if found else 0.0


class _Axes:
    """The places of cues, groups and combinations, and how much of each a cue is."""

    @cached_property
    def cues(self) -> frozenset[str]:
        """Cues but those that are a word for an emotion: these are the second block's."""
        named = ("named_", "heard_", "said_")
        return frozenset(key for key in lexicon().cues if not key.startswith(named))

    @cached_property
    def places(self) -> Mapping[str, int]:
        groups = {f"group {lexicon().cues[key].group}" for key in self.cues}
        combos = {combo.key for combo in lexicon().combos}
        return {name: place for place, name in enumerate(sorted({*self.cues, *groups, *combos}))}

    def of(self, key: str) -> Mapping[str, float]:
        cue = lexicon().cues.get(key)
        if cue is None:
            return {key: 1.0}
        found = {key: 1.0, f"group {cue.group}": 1.0}
        for other in cue.opposites:
            found[other] = -OPPOSITE
            found[f"group {lexicon().cues[other].group}"] = -OPPOSITE
        return found


@lru_cache(maxsize=1)
def _axes() -> _Axes:
    return _Axes()


@lru_cache(maxsize=1)
def _fingerprint() -> str:
    here = Path(__file__).parent
    files = [*FOLDER.glob("*.csv"), TABLE, *here.glob("*.py"), here.parent / "cues.py"]
    told = (path.read_bytes() for path in sorted(files))
    return hashlib.sha256(b"\0".join(told)).hexdigest()[:16]


class LangChainEmbedder:
    """Embeddings by whatever class was named; see `emer.agents.memory.embedder.Embedder`."""

    least = 0.5

    def __init__(self, use: str, arguments: Mapping[str, Param], made: Any) -> None:
        """Take the name and the arguments that the object was made from."""
        self.name, self._made = use, made
        self._told = digest(cast("dict[str, Any]", {"use": use, "arguments": dict(arguments)}))

    def fingerprint(self) -> str:
        """Return a hash of the name and the arguments; a provider's model has no other."""
        return self._told[:16]

    def embed(self, passages: Sequence[Passage]) -> Vectors:
        """Return one row per passage, shape (n, d); `ToolFailed` when the provider does not."""
        try:
            rows = self._made.embed_documents([passage.text for passage in passages])
            return unit(np.asarray(rows, dtype=np.float64))
        except Exception as error:  # a provider's client may raise anything
            cause = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            raise ToolFailed("memory", self.name, cause) from error
