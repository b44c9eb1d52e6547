"""Vectors of a sentence model that transformers runs from a folder: nothing is downloaded."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emer.agents.memory.embedder import Vectors, unit
from emer.agents.memory.passages import Passage
from emer.tools.errors import ConfigError, ToolMissing

BATCH = 32
LONGEST = 256
"""Tokens of a passage that are read; sentence models are trained on few more."""


class SentenceEmbedder:
    """The mean of a model's token vectors; see `emer.agents.memory.embedder.Embedder`.

    Only safetensors weights and no code of the folder are loaded. The model is loaded
    at the first `embed`.
    """

    def __init__(self, folder: str, least: float = 0.5) -> None:
        """Name the folder; `ConfigError` if it holds no model in safetensors.

        `least` is the cosine from which two passages are near, which depends on the model.
        """
        self.folder, self.least = Path(folder), least
        self.name = f"hf:{folder}"
        self._model: Any = None
        self._tokenizer: Any = None
        if not (self.folder / "config.json").is_file():
            raise ConfigError(f"{self.name} is no folder with a model: there is no config.json")
        self._weights = sorted(self.folder.glob("*.safetensors"))
        if not self._weights:
            raise ConfigError(f"{self.name} has no weights in safetensors; others are not loaded")

    def fingerprint(self) -> str:
        """Return a hash of the weights, the configuration and the tokenizer."""
        whole = hashlib.sha256()
        for path in sorted([*self._weights, *self.folder.glob("*.json")]):
            whole.update(path.name.encode())
            with path.open("rb") as file:
                whole.update(hashlib.file_digest(file, "sha256").digest())
        return whole.hexdigest()[:16]

    def embed(self, passages: Sequence[Passage]) -> Vectors:
        """Return one row per passage, shape (n, d)."""
        self._load()
        texts = [passage.text for passage in passages]
        rows = [self._pooled(texts[i : i + BATCH]) for i in range(0, len(texts), BATCH)]
        return unit(np.concatenate(rows))

    def _pooled(self, texts: list[str]) -> Any:
        import torch

        batch = self._tokenizer(
            texts, padding=True, truncation=True, max_length=self._room(), return_tensors="pt"
        )
        with torch.inference_mode():
            states = self._model(**batch).last_hidden_state
        kept = batch["attention_mask"].unsqueeze(-1).to(states.dtype)
        return ((states * kept).sum(1) / kept.sum(1).clamp(min=1)).float().numpy()

    def _room(self) -> int:
        own = getattr(self._model.config, "max_position_embeddings", LONGEST)
        return int(min(LONGEST, self._tokenizer.model_max_length, own))

    def _load(self) -> None:
        if self._model is not None:
            return
        try:
            from transformers import AutoModel, AutoTokenizer
            from transformers.utils import logging
        except ImportError as error:
            needs = "transformers and torch"
            raise ToolMissing("memory", needs, "pip install 'emer[local-llm]'") from error
        logging.disable_progress_bar()
        try:
            name = str(self.folder)
            self._tokenizer = AutoTokenizer.from_pretrained(name, local_files_only=True)
            model = AutoModel.from_pretrained(name, local_files_only=True, use_safetensors=True)
        except Exception as error:  # transformers raises of every kind for a broken folder
            cause = " ".join(str(error).split())[:160]
            raise ConfigError(f"memory: {self.name} cannot be loaded ({cause})") from error
        self._model = model.eval()
