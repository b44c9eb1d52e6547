"""A light model of labelled voices: logistic regression over eGeMAPS functionals.

Its file is JSON, which holds numbers and runs nothing. `emer-eval fit voice` writes it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, FiniteFloat, ValidationError, model_validator

from emer.tools.errors import ConfigError
from emer.tools.types import Record

FILE = "voice.json"
MOST_BYTES = 4_000_000
"""Largest file that is read: about ten times one of 88 functionals and 30 classes."""

Word = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[\w -]+$")]
Number = Annotated[FiniteFloat, Field(ge=-1e6, le=1e6)]
"""Bounded, so that no product of two overflows (chosen by us; features are under 1e5)."""
Numbers = tuple[Number, ...]
Positive = Annotated[FiniteFloat, Field(ge=1e-9, le=1e6)]
Floats = NDArray[np.float64]


class VoiceModel(Record):
    """Standardised features, a weight of each for each class, and a temperature."""

    schema_version: Literal[1] = Field(alias="schema")
    name: Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f]+$")]
    """What it was learnt from; the model in the source of clues."""
    about: Annotated[str, Field(max_length=2000)] = ""
    """How much speech it learnt from, and how it did on speakers that were left out."""
    labels: Annotated[tuple[Word, ...], Field(min_length=2, max_length=60)]
    features: Annotated[tuple[str, ...], Field(min_length=1, max_length=500)]
    means: Numbers
    deviations: tuple[Positive, ...]
    weights: tuple[Numbers, ...]
    """Shape (labels, features)."""
    offsets: Numbers
    temperature: Positive
    """Divides the log-odds; learnt from speakers that a fold left out (Guo et al. 2017)."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        features, labels = len(self.features), len(self.labels)
        lengths = {len(self.means), len(self.deviations), *map(len, self.weights)}
        if lengths != {features} or {len(self.weights), len(self.offsets)} != {labels}:
            raise ValueError(f"the numbers are not those of {features} features, {labels} labels")
        if len(set(self.labels)) != labels:
            raise ValueError("a label is there twice")
        return self

    def probabilities(self, rows: Floats) -> Floats:
        """Probability of each label, shape (n, labels), of features, shape (n, features)."""
        standard = (rows - np.array(self.means)) / np.array(self.deviations)
        scores = (standard @ np.array(self.weights).T + self.offsets) / self.temperature
        raised = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def read_model(folder: Path) -> tuple[VoiceModel, str]:
    """Model of a folder, or of its file, with 16 digits of the file's sha256.

    `ConfigError` where it cannot be read or is no such model.
    """
    path = folder / FILE if folder.is_dir() else folder
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ConfigError(f"{path} is over {MOST_BYTES:,} bytes: no model of voices")
        content = path.read_bytes()
    except OSError as error:
        hint = f"`emer-eval fit voice DIR --out {folder}` writes one"
        raise ConfigError(f"{path}: {error.strerror}; {hint}") from error
    try:
        model = VoiceModel.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(map(str, first["loc"][:2]))
        raise ConfigError(f"{path} is no model of voices: {at} {first['msg']}".strip()) from error
    return model, hashlib.sha256(content).hexdigest()[:16]
