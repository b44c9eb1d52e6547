"""Systems that run no model: floors without input, and stored answers."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

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


class Answer(NamedTuple):
    """Labels, and a text that explains them."""

    labels: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True)
class Baseline:
    """A system that knows the name of a clip, and the human answers on the set."""

    card: Card
    answer_by_name: Callable[[str], Answer]

    def answer(self, sample: Sample) -> Prediction:
        answer = self.answer_by_name(sample.name)
        return Prediction(name=sample.name, labels=answer.labels, text=answer.text)


def constant(labels: tuple[str, ...]) -> Baseline:
    """The same labels for every clip."""
    listed, count = ", ".join(labels), len(labels)
    name = f"constant: {listed}" if count < 3 else f"constant: {count} labels"
    return _floor(name, f"always {listed}", partial(_same, Answer(labels)))


def random_labels(golds: Mapping[str, Gold]) -> Baseline:
    """Labels drawn by their frequency among the human ones, seeded by clip."""
    counts = Counter(label.lower() for gold in golds.values() for label in gold.labels)
    what = "labels drawn by their frequency among the human ones"
    return _floor(f"random: {DRAWN} labels", what, partial(_drawn, sorted(counts.items())), SEED)


def another_answer(golds: Mapping[str, Gold], language: Language = "en") -> Baseline:
    """Human answer of another clip, drawn by a seed: the floor of explanations."""
    what = "labels and explanation that people gave another clip"
    answer_by_name = partial(_another, golds, language)
    return _floor("random: another clip's human answer", what, answer_by_name, SEED)


def constant_answer(golds: Mapping[str, Gold], language: Language = "en") -> Baseline:
    """Human answer of the first clip for every clip: the constant explanation."""
    what = "labels and explanation that people gave the first clip"
    answer_by_name = partial(_same, _human(golds[min(golds)], language))
    return _floor("constant: one human answer", what, answer_by_name)


def floors(golds: Mapping[str, Gold]) -> Sequence[Baseline]:
    answers = (random_labels(golds), another_answer(golds), constant_answer(golds))
    return (*map(constant, CONSTANTS), *answers)


def _floor(
    name: str, what: str, answer_by_name: Callable[[str], Answer], seed: int | None = None
) -> Baseline:
    provenance = {} if seed is None else {"seed": seed}
    return Baseline(
        Card(name=name, input="nothing", what=what, provenance=provenance), answer_by_name
    )


def _same(answer: Answer, _: str) -> Answer:
    return answer


def _drawn(counts: Sequence[tuple[str, int]], name: str) -> Answer:
    rng, left = random.Random(f"{SEED} {name}"), dict(counts)
    labels: list[str] = []
    while left and len(labels) < DRAWN:
        (label,) = rng.choices(list(left), weights=list(left.values()))
        labels.append(label)
        del left[label]
    return Answer(tuple(labels))


def _another(golds: Mapping[str, Gold], language: Language, name: str) -> Answer:
    others = [other for other in sorted(golds) if other != name]
    if not others:
        return Answer()
    return _human(golds[random.Random(f"{SEED} {name}").choice(others)], language)


def _human(gold: Gold, language: Language) -> Answer:
    return Answer(gold.labels, gold.explanations.get(language, ""))


@dataclass(frozen=True)
class StoredAnswers:
    """A system that answered before; a clip it has no answer on is an empty answer."""

    predictions: Predictions
    input: Input = "clip"

    @property
    def card(self) -> Card:
        path = self.predictions.path
        read = "stored explanations, labels read from them"
        what = "stored answers" if self.predictions.has_labels else read
        return Card(name=path.stem, input=self.input, what=what, provenance={"file": path.name})

    def answer(self, sample: Sample) -> Prediction:
        stored, name = self.predictions, sample.name
        text = stored.texts.get(name, "")
        labels = stored.labels.get(name, ()) if stored.has_labels else labels_in(text)
        failed = None if name in stored.places else "no stored answer"
        return Prediction(name=name, labels=labels, text=text, failed=failed)


def read_stored(path: Path, *, text_only: bool = False) -> StoredAnswers:
    return StoredAnswers(read_predictions(path, text_only=text_only))
