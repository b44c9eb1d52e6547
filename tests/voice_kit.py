"""Tiny voice models in transformers' own format, with a head whose answer is known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

SIZES = {
    "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
    "conv_dim": (16, 16), "conv_kernel": (10, 8), "conv_stride": (20, 16), "conv_bias": True,
    "feat_extract_norm": "layer", "do_stable_layer_norm": True, "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2, "classifier_proj_size": 8,
}  # fmt: skip


def write_classes(
    folder: Path,
    labels: Sequence[str] = ("neu", "hap", "ang", "sad"),
    probabilities: Sequence[float] | None = (0.1, 0.05, 0.81, 0.04),
    kind: str = "Wav2Vec2",
    *,
    mask: bool = True,
    pickled: bool = False,
) -> Path:
    """Write a model of classes; with `probabilities` that is its answer to any sound."""
    import torch
    import transformers

    torch.manual_seed(0)
    named = {"id2label": dict(enumerate(labels)), "label2id": {v: k for k, v in enumerate(labels)}}
    config = getattr(transformers, f"{kind}Config")(**SIZES, num_labels=len(labels), **named)
    model = getattr(transformers, f"{kind}ForSequenceClassification")(config).eval()
    if probabilities is not None:
        model.classifier.weight.data.zero_()
        model.classifier.bias.data = torch.tensor(np.log(probabilities), dtype=torch.float32)
    return _save(folder, model, mask, pickled)


def write_ratings(folder: Path, values: Sequence[float] | None = (0.9, 0.5, 0.2)) -> Path:
    """Write a model that rates arousal, dominance and valence, laid out as audEERING's is."""
    import torch
    from transformers import Wav2Vec2Config

    from emer.tools.voice.model import rating_class

    torch.manual_seed(0)
    named = {0: "arousal", 1: "dominance", 2: "valence"}
    config = Wav2Vec2Config(**SIZES, num_labels=3, id2label=named, problem_type="regression")
    model = rating_class(config)(config).eval()
    if values is not None:
        model.classifier.out_proj.weight.data.zero_()
        model.classifier.out_proj.bias.data = torch.tensor(values, dtype=torch.float32)
    return _save(folder, model, True, False)


def _save(folder: Path, model: Any, mask: bool, pickled: bool) -> Path:
    import torch
    from transformers import Wav2Vec2FeatureExtractor

    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    if pickled:
        torch.save(model.state_dict(), folder / "pytorch_model.bin")
        (folder / "model.safetensors").unlink()
    Wav2Vec2FeatureExtractor(return_attention_mask=mask).save_pretrained(folder)
    return folder
