"""Clue sentences of expression classes: spans in which one class is clear."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emer.tools.expression.classifier import FaceCrop, Probabilities
from emer.tools.text import when
from emer.tools.voice.model import word_of

NEUTRAL: Final = "neutral"
"""The class of a face that has none of the others: it is evidence of nothing."""
CLEAR: Final = 0.4
"""Least mean probability of a reported class: nearly three times chance (ours)."""
WINDOW: Final = 1.0
"""Seconds over which the noisy probabilities are averaged (chosen by us)."""
LEAST_FRAMES: Final = 3
_LEAST: Final = f"a class is told from {LEAST_FRAMES} pictures on"
GAP: Final = 1.0
"""Seconds without a picture that end a span."""


@dataclass(frozen=True, slots=True)
class Run:
    """Frames `first` to `last` of one clear class, both included."""

    first: int
    last: int
    label: int

    @property
    def length(self) -> int:
        """Frames of it."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence about a person's face, its span, probability, crops and numbers."""

    text: str
    start: float
    end: float
    probability: float
    frames: tuple[FaceCrop, ...]
    data: dict[str, float | str]


def classes(
    whose: tuple[str, str], frames: Sequence[FaceCrop], probabilities: Sequence[Probabilities],
    labels: Sequence[str],
) -> Iterator[Sentence]:  # fmt: skip
    """A sentence for each span with a clear class other than neutral.

    Args:
        whose: The person's name, as "Person 1's face", and its place, or "".
        frames: The classified crops, in order of time.
        probabilities: Of each crop, one for each label.
        labels: The classes of the model.
    """
    for run, mean in _clear(frames, probabilities, labels):
        if run.length >= LEAST_FRAMES:
            yield _sentence(whose, frames[run.first : run.last + 1], mean, run.label, labels)


def _clear(
    frames: Sequence[FaceCrop], probabilities: Sequence[Probabilities], labels: Sequence[str]
) -> Iterator[tuple[Run, NDArray[np.float64]]]:
    if not frames:
        return
    times, values = np.array([frame.crop.time for frame in frames]), np.array(probabilities)
    for run in _runs(times, averaged(times, values)):
        mean = values[run.first : run.last + 1].mean(axis=0)
        if labels[run.label] != NEUTRAL and mean[run.label] >= CLEAR:
            yield run, mean


def averaged(times: NDArray[np.float64], probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean probabilities over `WINDOW` seconds around each time, shape (n, classes)."""
    near = np.abs(times[:, None] - times[None, :]) <= WINDOW / 2 + 1e-6
    return np.asarray(near @ probabilities / near.sum(axis=1, keepdims=True))


def why_no_class(
    people: Sequence[tuple[Sequence[FaceCrop], Sequence[Probabilities]]], labels: Sequence[str]
) -> str:
    """Why there is no sentence about people, given their crops and probabilities."""
    most = max((len(frames) for frames, _ in people), default=0)
    if not most:
        return "every face is turned away, covered or too briefly seen to be classified"
    if most < LEAST_FRAMES:
        return f"no face is seen well in more than {most} of the pictures looked at; {_LEAST}"
    clear = [run for frames, values in people for run, _ in _clear(frames, values, labels)]
    if any(run.length >= LEAST_FRAMES for run in clear):
        return "every face is seen too poorly (small, blurred or turned) for its class to be told"
    if clear:
        longest = max(clear, key=lambda run: run.length)
        word = word_of(labels[longest.label])
        return f"no class of emotion lasts long enough (longest: {word}); {_LEAST}"
    mean = np.array([each for _, values in people for each in values]).mean(axis=0)
    best = int(mean.argmax())
    return (
        f"the model gives no face a clear class of emotion (most: {word_of(labels[best])}, "
        f"{mean[best]:.2f} of {len(labels)} classes)"
    )


def _runs(times: NDArray[np.float64], smoothed: NDArray[np.float64]) -> Iterator[Run]:
    best = smoothed.argmax(axis=1)
    breaks = np.flatnonzero((np.diff(best) != 0) | (np.diff(times) > GAP)) + 1
    for part in np.split(np.arange(len(times)), breaks):
        yield Run(int(part[0]), int(part[-1]), int(best[part[0]]))


def _sentence(
    whose: tuple[str, str], frames: Sequence[FaceCrop], mean: NDArray[np.float64], best: int,
    labels: Sequence[str],
) -> Sentence:  # fmt: skip
    start, end = frames[0].crop.time, frames[-1].crop.time
    name, where = whose
    text = (
        f"{name}{where} is classified as {word_of(labels[best])} (probability {mean[best]:.2f}, "
        f"mean of {len(frames)} frames, among {len(labels)} classes of a model) "
        f"at {when(start, end)}."
    )
    shares = {f"p_{label}": round(float(p), 3) for label, p in zip(labels, mean, strict=True)}
    data: dict[str, float | str] = {"class": labels[best], "frames": len(frames), **shares}
    return Sentence(text, start, end, round(float(mean[best]), 3), tuple(frames), data)
