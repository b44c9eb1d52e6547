"""Embedders of the memory: the built-in cue embedder, and LangChain's Embeddings.

`[memory.embedder] use` names one: "cues", the built-in, reads the cue lexicon and needs no
weights; hf:FOLDER is a sentence model of transformers in a local folder; an entry point of
the group `emer.embedders` or "package.module:Class" is a class with the `Embedder` contract
or a LangChain `Embeddings`.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from emer.agents.lexicon.cue_parser import Reading, combined_cues, is_negated
from emer.agents.lexicon.lexicon import lexicon
from emer.agents.memory.passages import Passage, affects, stop_words
from emer.agents.rules.fusion import CAP, DENIAL, weigh
from emer.tools.errors import ConfigError, EmerError, ToolFailed
from emer.tools.registry import resolve
from emer.tools.types import Param

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

Vectors = NDArray[np.float32]
Row = NDArray[np.float64]

GROUP = "emer.embedders"
BUILT_IN: Mapping[str, str] = {"cues": "emer.agents.memory.embedder:CueEmbedder"}
LEAST_COSINE = 0.5
"""Cosine from which two texts are near for a model that states none (chosen by us)."""

CUES, AFFECT, WORDS = 0.6, 0.3, 0.1
"""Shares of the three blocks in the likeness of two passages (chosen by us)."""
OPPOSITE = 0.5
"""How far a cue points away from each of its opposites (chosen by us)."""
VALENCE, AROUSAL = 1.5, 1.8
"""Length of the two axes beside those of the families (chosen by us): valence decides."""
SIZE = 1024
"""Length of the hashed word block: a few hundred features seldom collide (chosen by us)."""
BEGINNINGS = (4, 6)
"""Characters of the word beginnings that are features."""
WORD, PIECE, PAIR = 1.0, 0.5, 0.5
"""Weights of a word, of its beginnings, and of two neighbouring words (chosen by us)."""

_TOKEN = re.compile(r"[a-z][a-z']{2,}|[\u4e00-\u9fff]+")
_LESS = re.compile(r"(?<=[a-z]{3})less$")
_CLAUSE = re.compile(r"[,;:.!?，；：。！？]")  # noqa: RUF001


@runtime_checkable
class Embedder(Protocol):
    """Maps passages to vectors whose inner product is their likeness."""

    name: str
    least: float
    """Inner product from which two passages are near; it depends on the model."""

    def embed(self, passages: Sequence[Passage]) -> Vectors:
        """Return one row of length 1 (or 0) per passage, float32 (n, d), n at least 1."""
        ...


def load_embedder(use: str, arguments: Mapping[str, Param] | None = None) -> Embedder:
    """Build the embedder that `use` names.

    Raises:
        ConfigError: the name, the arguments or the folder are wrong.
        ToolMissing: a package is not installed.

    """
    given = dict(arguments or {})
    try:
        if use.startswith("hf:"):
            return _sentence_model(use, **given)  # type: ignore[arg-type]
        made = resolve(use, BUILT_IN, GROUP)(**given)
    except ConfigError as error:
        text = str(error).replace("no tool is called", "no embedder is called")
        raise ConfigError(f"memory: {text}") from error
    except (TypeError, ValueError) as error:
        raise ConfigError(f"memory: {use} refuses its arguments: {error}") from error
    if isinstance(made, Embedder):
        return made
    if callable(getattr(made, "embed_documents", None)):
        return TextEmbedder(use, made)
    raise ConfigError(f"memory: {use} has neither embed nor embed_documents")


def _sentence_model(use: str, least: float = LEAST_COSINE) -> Embedder:
    from emer.agents.memory.sentence_model import SentenceModel

    return TextEmbedder(use, SentenceModel(use.removeprefix("hf:")), least)


def unit(rows: NDArray[Any]) -> Vectors:
    """Scale the rows to length 1; rows of zeros stay as they are."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Vectors = (rows / np.where(lengths > 0, lengths, 1.0)).astype(np.float32)
    return scaled


@dataclass(slots=True)
class TextEmbedder:
    """LangChain's `Embeddings` on the plain text of passages."""

    name: str
    embeddings: Embeddings
    least: float = LEAST_COSINE

    def embed(self, passages: Sequence[Passage]) -> Vectors:
        """Return one row per passage, shape (n, d); `ToolFailed` when the model fails."""
        try:
            rows = self.embeddings.embed_documents([passage.text for passage in passages])
            return unit(np.asarray(rows, dtype=np.float64))
        except EmerError:
            raise
        except Exception as error:  # a provider's client may raise anything
            cause = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            raise ToolFailed("memory", self.name, cause) from error


class CueEmbedder:
    """The built-in embedder: cues, affect and words of a passage as signed axes.

    Three blocks, each scaled to length 1 and weighted: the cues that are stated, the
    families with valence and arousal that they point to, and the hashed words. Opposite
    cues (a louder voice, a softer one) and opposite families lie on opposite sides, so
    that antonyms, which share their contexts, repel each other.
    """

    name = "cues"
    least = 0.3

    def embed(self, passages: Sequence[Passage]) -> Vectors:
        """Return one row per passage, shape (n, d)."""
        return unit(np.stack([_row(passage) for passage in passages]))


@lru_cache(maxsize=4_096)
def _row(passage: Passage) -> Row:
    """Return a passage's vector, cached: each run of a process has its own memory."""
    readings = passage.readings
    blocks = (
        (CUES, _cue_block(readings)),
        (AFFECT, _affect_block(passage, readings)),
        (WORDS, _word_block(passage.text)),
    )
    return np.concatenate([math.sqrt(share) * _scaled(block) for share, block in blocks])


def _scaled(block: Row) -> Row:
    length = float(np.linalg.norm(block))
    return block / length if length else block


def _cue_block(readings: Sequence[Reading]) -> Row:
    """Return the stated cues, each with its group, away from its opposites."""
    axes = _axes()
    row = np.zeros(len(axes.positions))
    for key, amount in _amounts(readings).items():
        for axis, share in axes.of(key).items():
            row[axes.positions[axis]] += amount * share
    return row


def _amounts(readings: Sequence[Reading]) -> Mapping[str, float]:
    """Return how strongly each cue and combination is stated, or denied (below zero)."""
    amounts: dict[str, float] = {}
    for reading in readings:
        for m in reading.mentions:
            if m.cue in _axes().cues:
                stated = reading.reliability * m.strength * (-DENIAL if m.negated else 1.0)
                amounts[m.cue] = max(amounts.get(m.cue, stated), stated, key=abs)
    for combo, _, _, weight in combined_cues(readings):
        amounts[combo] = max(amounts.get(combo, 0.0), weight)
    return amounts


def _affect_block(passage: Passage, readings: Sequence[Reading]) -> Row:
    """Return the evidence for and against each family, then valence and arousal."""
    families = lexicon().families
    shares = {s.family: math.fsum(s.by_modality.values()) / CAP for s in weigh(readings)}
    row = np.array([shares[family] for family in families])
    length, total = float(np.linalg.norm(row)), float(np.abs(row).sum())
    valence = sum(shares[f] * families[f].valence for f in families) / total if total else 0.0
    words = [a for line in passage.lines for a in affects(line.text) if line.modality != "text"]
    if not total and words:
        length, valence = 1.0, _mean([word.valence for word in words])
    arousal = _mean([*_arousal(readings), *(word.arousal for word in words)])
    return np.concatenate([row, (VALENCE * length * valence, AROUSAL * length * arousal)])


def _arousal(readings: Iterable[Reading]) -> list[float]:
    table = lexicon().arousal
    return [table[m.cue] for r in readings for m in r.mentions if not m.negated and m.cue in table]


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else 0.0


class _Axes:
    """Positions of cues, groups and combinations in the cue block."""

    @cached_property
    def cues(self) -> frozenset[str]:
        """Cues without the words for emotions, which belong to the affect block."""
        named = ("named_", "heard_", "said_")
        return frozenset(key for key in lexicon().cues if not key.startswith(named))

    @cached_property
    def positions(self) -> Mapping[str, int]:
        groups = {f"group {lexicon().cues[key].group}" for key in self.cues}
        combos = {combo.key for combo in lexicon().combos}
        return {name: place for place, name in enumerate(sorted({*self.cues, *groups, *combos}))}

    def of(self, key: str) -> Mapping[str, float]:
        """Return the share of each axis in a cue or a combination."""
        cue = lexicon().cues.get(key)
        if cue is None:
            return {key: 1.0}
        shares = {key: 1.0, f"group {cue.group}": 1.0}
        for other in cue.opposites:
            shares[other] = -OPPOSITE
            shares[f"group {lexicon().cues[other].group}"] = -OPPOSITE
        return shares


@cache
def _axes() -> _Axes:
    return _Axes()


def _word_block(text: str) -> Row:
    """Return a signed hashed bag of words, shape (SIZE,), not scaled.

    Beginnings of words are features and inner letters are not: an English prefix negates
    (un-happy), a suffix only inflects (happi-ness).
    """
    row = np.zeros(SIZE)
    for feature, weight in _features(" ".join(text.casefold().split())):
        code = zlib.crc32(feature.encode())
        row[code % SIZE] += weight if code >> 31 else -weight
    return row


def _features(plain: str) -> Iterator[tuple[str, float]]:
    """Yield words, beginnings and pairs with their weights, negative if negated."""
    last = ""
    for match in _TOKEN.finditer(plain):
        token = match.group()
        sign = -1.0 if is_negated(_CLAUSE.split(plain[: match.start()])[-1]) else 1.0
        if not token.isascii():
            pairs = (token[i : i + 2] for i in range(max(1, len(token) - 1)))
            yield from ((f"z:{pair}", sign * WORD) for pair in pairs)
        elif token not in stop_words():
            bare = _LESS.sub("", token)
            sign = sign if bare == token else -sign
            yield f"w:{bare}", sign * WORD
            yield from ((f"p:{bare[:n]}", sign * PIECE) for n in BEGINNINGS if len(bare) >= n)
            yield f"b:{last} {bare}", sign * PAIR
            last = bare
