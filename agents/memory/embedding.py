"""From passages to vectors: the contract, and how a name in the settings becomes one.

"cues" is the built-in: what the cue lexicon reads, offline and without weights. hf:FOLDER
is a sentence model that transformers runs from a folder; "package.module:Class" is any
class that keeps this contract, or LangChain's Embeddings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from emer.agents.memory.passages import Passage
from emer.tools.errors import ConfigError
from emer.tools.registry import resolve
from emer.tools.types import Param

Vectors = NDArray[np.float32]
GROUP = "emer.embedders"
BUILT_IN: Mapping[str, str] = {"cues": "emer.agents.memory.cue_embedder:CueEmbedder"}


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
        from emer.agents.memory.langchain_embedder import LangChainEmbedder

        return LangChainEmbedder(use, given, made)
    raise ConfigError(f"memory: {use} has neither embed and fingerprint nor embed_documents")


def unit(rows: NDArray[Any]) -> Vectors:
    """Return the rows at length 1; rows of zeros stay as they are."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Vectors = (rows / np.where(lengths > 0, lengths, 1.0)).astype(np.float32)
    return scaled
