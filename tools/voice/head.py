"""The head of the models that rate arousal, dominance and valence, as their authors publish it.

Their folders hold an encoder and a `classifier` of two layers over its mean (Wagner et al. 2023),
which no class of transformers has: loaded as one of those, the head would be chance.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any


def has_own_head(folder: Path) -> bool:
    """Tell whether a folder's weights hold the two-layer head; only their names are read."""
    names = _names(folder)
    return {"classifier.dense.weight", "classifier.out_proj.weight"} <= names


def _names(folder: Path) -> set[str]:
    safe = sorted(folder.glob("*.safetensors"))
    if safe:
        from safetensors import safe_open

        found: set[str] = set()
        for file in safe:
            with safe_open(file, framework="pt") as opened:
                found |= set(opened.keys())
        return found
    import torch

    plain = sorted(folder.glob("pytorch_model*.bin"))
    return {
        name
        for file in plain
        for name in torch.load(file, map_location="cpu", weights_only=True, mmap=True)
    }


def rating_class(config: Any) -> type:
    """Return a class of transformers for this configuration: its encoder, and the head."""
    import torch
    from transformers.models.auto.modeling_auto import MODEL_MAPPING

    encoder: Any = MODEL_MAPPING[type(config)]
    parent: Any = next(c for c in encoder.__mro__ if c.__name__.endswith("PreTrainedModel"))

    class Head(torch.nn.Module):  # type: ignore[misc]
        def __init__(self, config: Any) -> None:
            super().__init__()
            self.dense = torch.nn.Linear(config.hidden_size, config.hidden_size)
            self.out_proj = torch.nn.Linear(config.hidden_size, config.num_labels)

        def forward(self, features: Any) -> Any:
            return self.out_proj(torch.tanh(self.dense(features)))

    class VoiceRating(parent):  # type: ignore[misc]
        def __init__(self, config: Any) -> None:
            super().__init__(config)
            setattr(self, self.base_model_prefix, encoder(config))
            self.classifier = Head(config)
            self.post_init()

        def forward(self, input_values: Any, attention_mask: Any = None) -> Any:
            own = getattr(self, self.base_model_prefix)
            hidden = own(input_values, attention_mask=attention_mask)[0]
            return self.classifier(self._mean(hidden, attention_mask))

        def _mean(self, hidden: Any, mask: Any) -> Any:
            """Return the mean over time, without what only fills up the batch."""
            if mask is None:
                return hidden.mean(dim=1)
            heard = self._get_feature_vector_attention_mask(hidden.shape[1], mask)[..., None]
            return (hidden * heard).sum(dim=1) / heard.sum(dim=1).clamp(min=1)

    return VoiceRating
