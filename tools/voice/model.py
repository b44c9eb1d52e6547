"""A voice model of transformers, and what it makes of stretches of speech."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from emer.tools.models import Key
from emer.tools.shared import Shared
from emer.tools.speech.activity import RATE, Samples
from emer.tools.voice.head import has_own_head, rating_class
from emer.tools.voice.labels import is_dimensional, read_labels
from emer.tools.weights.locate import Need, loading
from emer.tools.weights.pretrained import load_model, load_other, quiet

TOOL = "speech-emotion"

Outputs = tuple[float, ...]
"""For each label a probability, or a value on the scale of a dimension."""


@dataclass(frozen=True, slots=True)
class Run:
    """How the model is run; nothing of it changes what comes out but the precision."""

    device: str
    dtype: str
    batch: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model with what prepares its input."""

    model: Any
    extractor: Any
    labels: tuple[str, ...]

    @property
    def dimensional(self) -> bool:
        """Whether the outputs are dimensions, not classes."""
        return is_dimensional(self.labels)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a stretch was given, by the model's labels."""

    labels: tuple[str, ...]
    outputs: Outputs

    @property
    def dimensional(self) -> bool:
        """Whether the outputs are values of dimensions, not probabilities of classes."""
        return is_dimensional(self.labels)


def listener(need: Need, run: Run, given: str) -> Shared[Samples, Judged]:
    """Return what judges stretches of speech (mono, 16 kHz) with a folder; nothing is loaded.

    `given` names the classes of a model that only numbers them.
    """
    options = (("dtype", run.dtype), ("labels", given), ("is", need.fingerprint))
    return Shared(
        Key(TOOL, str(need.path), run.device, options),
        partial(_load, need, run, given),
        partial(judge, run),
        batch=run.batch,
        gigabytes=need.gigabytes,
        one_by_one=_takes_one,
    )


def judge(run: Run, loaded: Loaded, sounds: Sequence[Samples]) -> list[Judged]:
    """Return what the model makes of one batch of stretches."""
    import torch

    filling = {"padding": True} if _pads(loaded) else {}
    made = loaded.extractor(list(sounds), sampling_rate=RATE, return_tensors="pt", **filling)
    dtype = getattr(torch, run.dtype)
    inputs = {
        name: tensor.to(run.device, dtype if tensor.is_floating_point() else None)
        for name, tensor in made.items()
    }
    with torch.inference_mode(), quiet():
        out = loaded.model(**inputs)
    logits = getattr(out, "logits", out).float()
    values = logits if loaded.dimensional else logits.softmax(dim=-1)
    return [Judged(loaded.labels, tuple(row)) for row in values.cpu().tolist()]


def _takes_one(loaded: Loaded) -> bool:
    """Tell whether a shorter sound beside a longer one would be heard with silence after it."""
    masked = bool(getattr(loaded.extractor, "return_attention_mask", False))
    return _pads(loaded) and not masked


def _pads(loaded: Loaded) -> bool:
    """Tell whether the extractor leaves sounds as long as they are; others fix a length."""
    return loaded.extractor.model_input_names[0] == "input_values" and not hasattr(
        loaded.extractor, "max_length"
    )


def _require_classes(config: Any) -> None:
    """Raise `ValueError` for a model that says itself that it judges no sounds."""
    names = config.architectures or ()
    if names and not any("Classification" in name for name in names):
        raise ValueError(f"{names[0]} is no model that judges how a voice sounds")


def _load(need: Need, run: Run, given: str) -> Loaded:
    config = load_other(TOOL, need, "AutoConfig")
    with loading(TOOL, need):
        if not has_own_head(need.path):
            _require_classes(config)
    labels = read_labels(config.id2label, given, TOOL)
    with loading(TOOL, need):
        own = is_dimensional(labels) and has_own_head(need.path)
        kind: str | type = rating_class(config) if own else "AutoModelForAudioClassification"
    extractor = load_other(TOOL, need, "AutoFeatureExtractor")
    with loading(TOOL, need):
        if extractor.sampling_rate != RATE:
            raise ValueError(f"it hears {extractor.sampling_rate} Hz, clips are given at {RATE}")
    return Loaded(load_model(TOOL, need, kind, run.device, run.dtype), extractor, labels)
