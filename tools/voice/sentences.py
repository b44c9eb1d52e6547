"""Clue sentences of a speech-emotion model: classes and ratings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from emer.tools.cues import stated
from emer.tools.text import when
from emer.tools.types import CueMention, Span
from emer.tools.voice.model import DIMENSIONS, Emotions, class_cues, word_of

TWICE = 2.0
"""Least probability of a reported class, in multiples of chance (chosen by us)."""
LOW, HIGH = 0.35, 0.65
"""Of a scale from 0 to 1: ratings between them are not reported (chosen by us)."""


class Stretch(NamedTuple):
    """A stretch of speech: where it is, and how many seconds of it are speech."""

    span: Span
    seconds: float


class Sentence(NamedTuple):
    """A sentence, its span, its probability where it has one, its numbers and cues."""

    text: str
    span: Span
    seconds: float
    probability: float | None
    data: dict[str, float | str]
    cues: tuple[CueMention, ...]


def classes(stretches: Sequence[Stretch], outputs: Sequence[Emotions]) -> Iterator[Sentence]:
    """A sentence for each run of stretches with the same clear class."""
    pairs = zip(stretches, outputs, strict=True)
    for place, same in groupby(pairs, lambda pair: _best(pair[1])):
        run, labels = list(same), outputs[0].labels
        total = sum(stretch.seconds for stretch, _ in run)
        mean = [
            sum(stretch.seconds * each.outputs[n] for stretch, each in run) / total
            for n in range(len(labels))
        ]
        chance = 1 / len(labels)
        # Of two classes none reaches twice the chance: halfway to certain is enough.
        if mean[place] < min(TWICE * chance, (1 + chance) / 2):
            continue
        span = Span(start=run[0][0].span.start, end=run[-1][0].span.end)
        text = (
            f"The voice is classified as {word_of(labels[place])} (probability {mean[place]:.2f} "
            f"among {len(labels)} classes of a model) at {when(span.start, span.end)}."
        )
        probabilities = {f"p_{label}": round(p, 3) for label, p in zip(labels, mean, strict=True)}
        data: dict[str, float | str] = {"class": labels[place], **probabilities}
        cues = class_cues(labels[place], "heard")
        yield Sentence(text, span, total, round(mean[place], 3), data, cues)


def undecided(outputs: Sequence[Emotions]) -> str:
    """The reason why a voice whose class is not clear is not reported."""
    best = max(outputs, key=lambda emotions: max(emotions.outputs))
    word = word_of(best.labels[_best(best)])
    return (
        f"the model is undecided about the voice (most: {word}, {max(best.outputs):.2f} of "
        f"{len(best.labels)} classes)"
    )


def ratings(
    stretches: Sequence[Stretch], outputs: Sequence[Emotions], scale: tuple[float, float]
) -> Iterator[Sentence]:
    """A sentence for each dimension in which all the speech is rated high or low.

    `scale` is the lowest and the highest value the model gives.
    """
    total = sum(stretch.seconds for stretch in stretches)
    span = Span(start=stretches[0].span.start, end=stretches[-1].span.end)
    for place, label in enumerate(outputs[0].labels):
        pairs = zip(stretches, outputs, strict=True)
        mean = sum(s.seconds * each.outputs[place] for s, each in pairs) / total
        share = min(1.0, max(0.0, (mean - scale[0]) / (scale[1] - scale[0])))
        if LOW < share < HIGH:
            continue
        name, how = DIMENSIONS[label], "high" if share >= HIGH else "low"
        text = (
            f"The voice is rated {how} in {name} ({mean:.2f} on a model's scale from "
            f"{scale[0]:g} to {scale[1]:g}) at {when(span.start, span.end)}."
        )
        cues = stated([f"voice_{how}_{name}"])
        yield Sentence(text, span, total, None, {name: round(mean, 3)}, cues)


def _best(emotions: Emotions) -> int:
    return max(range(len(emotions.outputs)), key=lambda n: emotions.outputs[n])
