"""Other systems' answers, read from their files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from emer.evals.data.predictions import Predictions, read_predictions
from emer.evals.data.types import Sample
from emer.evals.metrics.emotion_words import labels_in
from emer.evals.systems.system import Card, Input, Prediction


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
