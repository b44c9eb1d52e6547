"""A speech-emotion model of transformers: labels, regression head, outputs."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

from emer.tools.cues import stated
from emer.tools.errors import ConfigError
from emer.tools.runtime.device import RunOptions
from emer.tools.runtime.model_pool import Key, PooledModel
from emer.tools.speech.transformers_asr import features
from emer.tools.speech.vad import RATE, Samples
from emer.tools.types import CueMention
from emer.tools.weights.locate import Need, loading
from emer.tools.weights.model_loader import load_model, load_other, quiet

TOOL = "speech-emotion"

DIMENSIONS: Mapping[str, str] = {
    "arousal": "arousal",
    "activation": "arousal",
    "valence": "valence",
    "dominance": "dominance",
}
_NAMELESS = re.compile(r"label_?\d+|\d+")


class Loaded(NamedTuple):
    """A model with what prepares its input."""

    model: Any
    extractor: Any
    labels: tuple[str, ...]


class Emotions(NamedTuple):
    """Outputs of the model for a segment of speech, in the order of its labels."""

    labels: tuple[str, ...]
    outputs: tuple[float, ...]
    """For each label a probability, or a value on the scale of a dimension."""


def recogniser(need: Need, options: RunOptions, labels: str) -> PooledModel[Samples, Emotions]:
    """The shared model of a folder, for speech (mono, 16 kHz); nothing is loaded.

    `labels` names the classes of a model that only numbers them.
    """
    key = (("dtype", options.dtype), ("labels", labels), ("is", need.fingerprint))
    return PooledModel(
        Key(TOOL, str(need.path), options.device, key),
        partial(_load, need, options, labels),
        partial(classify, options),
        batch=options.batch,
        gigabytes=need.gigabytes,
        one_by_one=_takes_one,
    )


def classify(options: RunOptions, loaded: Loaded, sounds: Sequence[Samples]) -> list[Emotions]:
    """Outputs of the model for one batch of segments."""
    import torch

    with torch.inference_mode(), quiet():
        device, dtype = options.device, options.dtype
        inputs = features(loaded.extractor, sounds, device, dtype, pads=_pads(loaded))
        out = loaded.model(**inputs)
    logits = getattr(out, "logits", out).float()
    values = logits if is_dimensional(loaded.labels) else logits.softmax(dim=-1)
    return [Emotions(loaded.labels, tuple(row)) for row in values.cpu().tolist()]


def _takes_one(loaded: Loaded) -> bool:
    """Whether the model would take the padding of a shorter sound for silence."""
    masked = bool(getattr(loaded.extractor, "return_attention_mask", False))
    return _pads(loaded) and not masked


def _pads(loaded: Loaded) -> bool:
    """Whether the extractor keeps the length of sounds; others fix a length."""
    return loaded.extractor.model_input_names[0] == "input_values" and not hasattr(
        loaded.extractor, "max_length"
    )


def _load(need: Need, options: RunOptions, label_names: str) -> Loaded:
    config = load_other(TOOL, need, "AutoConfig")
    with loading(TOOL, need):
        has_head, names = has_own_head(need.path), config.architectures or ()
        if not has_head and names and not any("Classification" in name for name in names):
            raise ValueError(f"{names[0]} is no model that judges how a voice sounds")
    labels = read_labels(config.id2label, label_names, TOOL)
    with loading(TOOL, need):
        rated = has_head and is_dimensional(labels)
        kind: str | type = rating_class(config) if rated else "AutoModelForAudioClassification"
    extractor = load_other(TOOL, need, "AutoFeatureExtractor")
    with loading(TOOL, need):
        if extractor.sampling_rate != RATE:
            raise ValueError(f"it hears {extractor.sampling_rate} Hz, clips are given at {RATE}")
    return Loaded(load_model(TOOL, need, kind, options.device, options.dtype), extractor, labels)


@cache
def _classes() -> Mapping[str, Mapping[str, str]]:
    """Rows of `labels.csv` by label: the word of a class, and its emotion family."""
    with Path(__file__).with_name("labels.csv").open(newline="", encoding="utf-8") as file:
        return {row["label"]: row for row in csv.DictReader(file)}


def read_labels(config: Mapping[int, str], label_names: str, tool: str) -> tuple[str, ...]:
    """The model's labels in the order of its outputs, in lower case.

    They come from the model's own configuration. `label_names` ("angry, happy, ...") names the
    classes of a model that only numbers them. `ConfigError` for such a model without it, or when
    the counts differ.
    """
    native = tuple(config[place].strip().casefold() for place in range(len(config)))
    named = tuple(part.strip().casefold() for part in label_names.split(",") if part.strip())
    if named and len(named) != len(native):
        raise ConfigError(
            f"{tool}.labels: {len(named)} are given, the model has {len(native)} classes"
        )
    if not named and any(_NAMELESS.fullmatch(label) for label in native):
        raise ConfigError(
            f"{tool}: the model names its classes {', '.join(native[:3])} ...; say what they mean, "
            'in order: labels = "angry, happy, ..."'
        )
    return named or native


def is_dimensional(labels: Sequence[str]) -> bool:
    """Whether the outputs are dimensions of emotion, not classes."""
    return bool(labels) and all(label in DIMENSIONS for label in labels)


def word_of(label: str) -> str:
    """A class in words: abbreviations written out, others as the model names them."""
    row = _classes().get(label)
    return row["word"] if row else label.replace("_", " ")


def class_cues(label: str, sense: Literal["named", "heard"]) -> tuple[CueMention, ...]:
    """The cue of a class that is seen or heard; none for a class that we do not know."""
    family = _classes().get(label, {}).get("family")
    return stated([f"{sense}_{family}"]) if family else ()


def has_own_head(folder: Path) -> bool:
    """Whether a folder's weights hold the two-layer head; only their names are read.

    The models that rate arousal, dominance and valence have an encoder and a `classifier` of two
    layers over its mean (Wagner et al. 2023). No class of transformers has that: loaded as one of
    those, the head would be random.
    """
    names: set[str] = set()
    for file in (safe := sorted(folder.glob("*.safetensors"))):
        from safetensors import safe_open

        with safe_open(file, framework="pt") as opened:
            names |= set(opened.keys())
    for file in () if safe else sorted(folder.glob("pytorch_model*.bin")):
        import torch

        names |= set(torch.load(file, map_location="cpu", weights_only=True, mmap=True))
    return {"classifier.dense.weight", "classifier.out_proj.weight"} <= names


def rating_class(config: Any) -> type:
    """A class of transformers for this configuration: its encoder, and the head."""
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
            backbone = getattr(self, self.base_model_prefix)
            hidden = backbone(input_values, attention_mask=attention_mask)[0]
            return self.classifier(self._mean(hidden, attention_mask))

        def _mean(self, hidden: Any, mask: Any) -> Any:
            if mask is None:
                return hidden.mean(dim=1)
            valid = self._get_feature_vector_attention_mask(hidden.shape[1], mask)[..., None]
            return (hidden * valid).sum(dim=1) / valid.sum(dim=1).clamp(min=1)

    return VoiceRating
