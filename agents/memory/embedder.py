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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from statistics import fmean
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from emer.agents.lexicon.cue_parser import Reading, combined_cues, is_negated
from emer.agents.lexicon.lexicon import WORD_CUES, lexicon
from emer.agents.memory.passages import Passage, affects, stop_words
from emer.agents.rules.fusion import CAP, DENIAL, weigh
from emer.tools.errors import ConfigError, EmerError, ToolFailed, ToolMissing
from emer.tools.registry import resolve
from emer.tools.types import Param

Vectors = NDArray[np.float32]
Row = NDArray[np.float64]

GROUP = "emer.embedders"
BUILT_IN: Mapping[str, str] = {"cues": "emer.agents.memory.embedder:CueEmbedder"}
LEAST_COSINE = 0.5
"""Cosine from which two texts are near for a model that states none (chosen by us)."""

BATCH = 32
LONGEST = 256
"""Tokens of a text that are read; sentence models are trained on few more."""

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


def load_embedder(use: str, arguments: Mapping[str, Param] | None = None) -> Embedder:
    """Build the embedder that `use` names.

    Raises:
        ConfigError: the name, the arguments or the folder are wrong.
        ToolMissing: a package is not installed.
    """
    options = dict(arguments or {})
    try:
        if use.startswith("hf:"):
            model = SentenceModel(use.removeprefix("hf:"))
            return TextEmbedder(use, model, **options)  # type: ignore[arg-type]
        kind = resolve(use, BUILT_IN, GROUP)
        # Before it is constructed: to construct a class of another kind may do anything.
        if not any(callable(getattr(kind, name, None)) for name in ("embed", "embed_documents")):
            raise ConfigError(f"{use} has neither embed nor embed_documents")
        made = kind(**options)
    except ConfigError as error:
        text = str(error).replace("no tool is called", "no embedder is called")
        raise ConfigError(f"memory: {text}") from error
    except (TypeError, ValueError) as error:
        raise ConfigError(f"memory: {use} refuses its arguments: {error}") from error
    return made if isinstance(made, Embedder) else TextEmbedder(use, made)


def unit(rows: NDArray[Any]) -> Vectors:
    """Scale the rows to length 1; rows of zeros stay as they are."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Vectors = (rows / np.where(lengths > 0, lengths, 1.0)).astype(np.float32)
    return scaled


@dataclass(slots=True)
class TextEmbedder:
    """A model of texts on the plain text of passages."""

    name: str
    embeddings: Any
    """LangChain's `Embeddings`, or anything with its `embed_documents`."""
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


class SentenceModel:
    """Mean of a transformers model's token vectors; loaded at the first text.

    langchain-huggingface (1.2.3) needs huggingface-hub below 2 and sentence-transformers.
    Only safetensors weights are read, no code of the folder is run, nothing is downloaded.
    """

    def __init__(self, folder: str) -> None:
        """Take the folder; `ConfigError` if it holds no model in safetensors."""
        self.folder = Path(folder)
        self._loaded: tuple[Any, Any] | None = None
        if not (self.folder / "config.json").is_file():
            raise ConfigError(f"hf:{folder} is no folder with a model: there is no config.json")
        if not any(self.folder.glob("*.safetensors")):
            raise ConfigError(f"hf:{folder} has no weights in safetensors; others are not loaded")

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return one vector per text, not scaled."""
        starts = range(0, len(texts), BATCH)
        return [row for i in starts for row in self._pooled(texts[i : i + BATCH])]

    def _pooled(self, texts: list[str]) -> list[list[float]]:
        tokenizer, model = self._load()
        import torch

        positions = getattr(model.config, "max_position_embeddings", LONGEST)
        room = int(min(LONGEST, tokenizer.model_max_length, positions))
        batch = tokenizer(
            texts, padding=True, truncation=True, max_length=room, return_tensors="pt"
        )
        with torch.inference_mode():
            states = model(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1).to(states.dtype)
        pooled = (states * mask).sum(1) / mask.sum(1).clamp(min=1)
        rows: list[list[float]] = pooled.float().tolist()
        return rows

    def _load(self) -> tuple[Any, Any]:
        if self._loaded is not None:
            return self._loaded
        try:
            from transformers import AutoModel, AutoTokenizer
            from transformers.utils import logging
        except ImportError as error:
            needs = "transformers and torch"
            raise ToolMissing("memory", needs, "pip install 'emer[local-llm]'") from error
        logging.disable_progress_bar()
        try:
            name = str(self.folder)
            tokenizer = AutoTokenizer.from_pretrained(name, local_files_only=True)
            model = AutoModel.from_pretrained(name, local_files_only=True, use_safetensors=True)
        except Exception as error:  # transformers raises of every kind for a broken folder
            cause = " ".join(str(error).split())[:160]
            raise ConfigError(f"memory: hf:{self.folder} cannot be loaded ({cause})") from error
        self._loaded = tokenizer, model.eval()
        return self._loaded


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
    blocks = (
        (CUES, _cue_block(passage.readings)),
        (AFFECT, _affect_block(passage)),
        (WORDS, _word_block(passage.text)),
    )
    lengths = (float(np.linalg.norm(block)) or 1.0 for _, block in blocks)
    return np.concatenate(
        [
            math.sqrt(share) * (block / length)
            for (share, block), length in zip(blocks, lengths, strict=True)
        ]
    )


def _cue_block(readings: Sequence[Reading]) -> Row:
    """Return the stated cues, each with its group, away from its opposites."""
    cues, axes = lexicon().cues, _axes()
    row = np.zeros(len(axes))
    for key, amount in _amounts(readings).items():
        shares = {key: 1.0}
        if cue := cues.get(key):
            shares[f"group {cue.group}"] = 1.0
            for other in cue.opposites:
                shares |= {other: -OPPOSITE, f"group {cues[other].group}": -OPPOSITE}
        for axis, share in shares.items():
            row[axes[axis]] += amount * share
    return row


@cache
def _axes() -> Mapping[str, int]:
    """Positions of cues, groups and combinations; words for emotions are affect."""
    signs = [cue for key, cue in lexicon().cues.items() if not key.startswith(WORD_CUES)]
    names = {cue.key for cue in signs} | {f"group {cue.group}" for cue in signs}
    names |= {combo.key for combo in lexicon().combos}
    return {name: place for place, name in enumerate(sorted(names))}


def _amounts(readings: Sequence[Reading]) -> Mapping[str, float]:
    """Return how strongly each cue and combination is stated, or denied (below zero)."""
    amounts: dict[str, float] = {}
    for reading in readings:
        for m in reading.mentions:
            if not m.cue.startswith(WORD_CUES):
                stated = reading.reliability * m.strength * (-DENIAL if m.negated else 1.0)
                amounts[m.cue] = max(amounts.get(m.cue, stated), stated, key=abs)
    for combo, _, _, weight in combined_cues(readings):
        amounts[combo] = max(amounts.get(combo, 0.0), weight)
    return amounts


def _affect_block(passage: Passage) -> Row:
    """Return the evidence for and against each family, then valence and arousal."""
    families, arousals, readings = lexicon().families, lexicon().arousal, passage.readings
    shares = {s.family: math.fsum(s.by_modality.values()) / CAP for s in weigh(readings)}
    row = np.array([shares[family] for family in families])
    length, total = float(np.linalg.norm(row)), float(np.abs(row).sum())
    valence = sum(shares[f] * families[f].valence for f in families) / total if total else 0.0
    words = [a for line in passage.lines for a in affects(line.text) if line.modality != "text"]
    if not total and words:
        length, valence = 1.0, fmean(word.valence for word in words)
    cues = [m.cue for r in readings for m in r.mentions if not m.negated]
    moved = [*(arousals[c] for c in cues if c in arousals), *(word.arousal for word in words)]
    arousal = fmean(moved) if moved else 0.0
    return np.concatenate([row, (VALENCE * length * valence, AROUSAL * length * arousal)])


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
