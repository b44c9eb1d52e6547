"""Systems that run no model: floors without input, and stored answers."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from emer.evals.data.predictions import Predictions, read_predictions
from emer.evals.data.types import Gold, Sample
from emer.evals.metrics.emotion_words import Language, labels_in
from emer.evals.systems.system import Card, Input, Prediction

CONSTANTS: tuple[tuple[str, ...], ...] = (
    ("happy",),
    ("angry", "happy"),
    ("angry", "happy", "joyful", "dissatisfied", "worry"),
)
"""Commonest labels of OV-MER; five of them buy recall with wrong labels."""
DRAWN = 3
"""Labels of the random floor (about what people give a clip)."""
SEED = 2306


@dataclass(frozen=True)
class Constant:
    """The same labels for every clip."""

    labels: tuple[str, ...]

    @property
    def card(self) -> Card:
        count = len(self.labels)
        name = f"constant: {', '.join(self.labels)}" if count < 3 else f"constant: {count} labels"
        what = f"always {', '.join(self.labels)}"
        return Card(name=name, input="nothing", what=what)

    def answer(self, sample: Sample) -> Prediction:
        return Prediction(name=sample.name, labels=self.labels)


@dataclass(frozen=True)
class Random:
    """Labels drawn by their frequency among the human ones, seeded by clip."""

    counts: tuple[tuple[str, int], ...]
    drawn: int = DRAWN
    seed: int = SEED

    @property
    def card(self) -> Card:
        return Card(
            name=f"random: {self.drawn} labels",
            input="nothing",
            what="labels drawn by their frequency among the human ones",
            provenance={"seed": self.seed},
        )

    def answer(self, sample: Sample) -> Prediction:
        rng = random.Random(f"{self.seed} {sample.name}")
        left = dict(self.counts)
        labels: list[str] = []
        while left and len(labels) < self.drawn:
            (label,) = rng.choices(list(left), weights=list(left.values()))
            labels.append(label)
            del left[label]
        return Prediction(name=sample.name, labels=tuple(labels))


@dataclass(frozen=True)
class AnotherAnswer:
    """Human answer of another clip, drawn by a seed: the floor of explanations."""

    golds: Mapping[str, Gold]
    language: Language = "en"
    seed: int = SEED

    @property
    def card(self) -> Card:
        return Card(
            name="random: another clip's human answer",
            input="nothing",
            what="labels and explanation that people gave another clip",
            provenance={"seed": self.seed},
        )

    def answer(self, sample: Sample) -> Prediction:
        others = [name for name in sorted(self.golds) if name != sample.name]
        if not others:
            return Prediction(name=sample.name)
        gold = self.golds[random.Random(f"{self.seed} {sample.name}").choice(others)]
        text = gold.explanations.get(self.language, "")
        return Prediction(name=sample.name, labels=gold.labels, text=text)


@dataclass(frozen=True)
class ConstantAnswer:
    """Human answer of the first clip for every clip: the constant explanation."""

    golds: Mapping[str, Gold]
    language: Language = "en"

    @property
    def card(self) -> Card:
        what = "labels and explanation that people gave the first clip"
        return Card(name="constant: one human answer", input="nothing", what=what)

    def answer(self, sample: Sample) -> Prediction:
        gold = self.golds[min(self.golds)]
        text = gold.explanations.get(self.language, "")
        return Prediction(name=sample.name, labels=gold.labels, text=text)


Floor = ConstantAnswer | Constant | Random | AnotherAnswer


def floors(golds: Mapping[str, Gold]) -> Sequence[Floor]:
    """Floors for these human labels."""
    counts = Counter(label.lower() for gold in golds.values() for label in gold.labels)
    random_labels = Random(tuple(sorted(counts.items())))
    answers = (AnotherAnswer(golds), ConstantAnswer(golds))
    return (*(Constant(labels) for labels in CONSTANTS), random_labels, *answers)


@dataclass(frozen=True)
class StoredAnswers:
    """A system that answered before; a clip it has no answer on is an empty answer."""

    predictions: Predictions
    input: Input = "clip"

    @property
    def card(self) -> Card:
        path = self.predictions.path
        what = (
            "stored answers"
            if self.predictions.has_labels
            else "stored explanations, labels read from them"
        )
        return Card(name=path.stem, input=self.input, what=what, provenance={"file": path.name})

    def answer(self, sample: Sample) -> Prediction:
        stored, name = self.predictions, sample.name
        text = stored.texts.get(name, "")
        labels = stored.labels.get(name, ()) if stored.has_labels else labels_in(text)
        failed = None if name in stored.places else "no stored answer"
        return Prediction(name=name, labels=labels, text=text, failed=failed)


def read_stored(path: Path, *, text_only: bool = False) -> StoredAnswers:
    """Stored system of a CSV or .npz file."""
    return StoredAnswers(read_predictions(path, text_only=text_only))
