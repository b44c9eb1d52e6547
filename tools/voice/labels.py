"""The classes of a voice model, in words: from the model's own configuration, never assumed."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from emer.tools.errors import ConfigError

FILE = Path(__file__).parent / "labels.csv"
DIMENSIONS: Mapping[str, str] = {
    "arousal": "arousal",
    "activation": "arousal",
    "valence": "valence",
    "dominance": "dominance",
}
_NAMELESS = re.compile(r"label_?\d+|\d+")


@cache
def words() -> Mapping[str, str]:
    """Return how the usual abbreviations of emotions are written out."""
    with FILE.open(newline="", encoding="utf-8") as file:
        return {row["label"]: row["word"] for row in csv.DictReader(file)}


def read_labels(config: Mapping[int, str], given: str, tool: str) -> tuple[str, ...]:
    """Return the model's labels in the order of its outputs, in lower case.

    `given` ("angry, happy, ...") stands for a model that numbers its classes. `ConfigError`
    for such a model without it, or when their numbers differ.
    """
    own = tuple(config[place].strip().casefold() for place in range(len(config)))
    told = tuple(part.strip().casefold() for part in given.split(",") if part.strip())
    if told and len(told) != len(own):
        raise ConfigError(f"{tool}.labels: {len(told)} are given, the model has {len(own)} classes")
    if not told and any(_NAMELESS.fullmatch(label) for label in own):
        raise ConfigError(
            f"{tool}: the model names its classes {', '.join(own[:3])} ...; say what they mean, "
            'in order: labels = "angry, happy, ..."'
        )
    return told or own


def is_dimensional(labels: Sequence[str]) -> bool:
    """Tell whether the outputs are dimensions of emotion, not classes."""
    return bool(labels) and all(label in DIMENSIONS for label in labels)


def word_of(label: str) -> str:
    """Return a class in words: abbreviations written out, others as the model names them."""
    return words().get(label, label.replace("_", " "))
