"""A sentence model of transformers from a local folder, as LangChain Embeddings.

`langchain_huggingface.HuggingFaceEmbeddings` (1.2.3) would do the same, but needs
huggingface-hub below 2 and sentence-transformers; this needs torch and transformers alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from langchain_core.embeddings import Embeddings

from emer.tools.errors import ConfigError, ToolMissing

BATCH = 32
LONGEST = 256
"""Tokens of a text that are read; sentence models are trained on few more."""


class SentenceModel(Embeddings):
    """Mean of a model's token vectors; loaded at the first text.

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
        return [
            row for i in range(0, len(texts), BATCH) for row in self._pooled(texts[i : i + BATCH])
        ]

    def embed_query(self, text: str) -> list[float]:
        """Return the vector of one text."""
        return self.embed_documents([text])[0]

    def _pooled(self, texts: list[str]) -> list[list[float]]:
        tokenizer, model = self._load()
        import torch

        own = getattr(model.config, "max_position_embeddings", LONGEST)
        room = int(min(LONGEST, tokenizer.model_max_length, own))
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
