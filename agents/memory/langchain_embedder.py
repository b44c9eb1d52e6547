"""LangChain's Embeddings as an embedder: any provider or model that it knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from emer.agents.memory.embedding import Vectors, unit
from emer.agents.memory.passages import Passage
from emer.tools.errors import ToolFailed
from emer.tools.types import Param, digest


class LangChainEmbedder:
    """Embeddings by whatever class was named; see `emer.agents.memory.embedding.Embedder`."""

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
