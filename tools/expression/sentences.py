"""What a model's classes of a face say over time: spans in which one class is clear."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emer.tools.expression.classifier import Probabilities, Shown
from emer.tools.phrasing import when
from emer.tools.voice.model import word_of

NEUTRAL: Final = "neutral"
"""The class of a face in which the model sees none of the others: it is evidence of nothing."""
CLEAR: Final = 0.4
"""Mean probability from which a class is told: nearly three times that of chance (chosen by us)."""
WINDOW: Final = 1.0
"""Seconds over which probabilities are averaged: one frame's class says little (chosen by us)."""
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
class Said:
    """A sentence about a person's face, when, how probable, on which frames, and its numbers."""

    text: str
    start: float
    end: float
    probability: float
    frames: tuple[Shown, ...]
    data: dict[str, float | str]


def classes(
    whose: tuple[str, str], frames: Sequence[Shown], found: Sequence[Probabilities],
    labels: Sequence[str],
) -> Iterator[Said]:  # fmt: skip
    """Yield a sentence for each span in which the face is clearly of one class but neutral.

    `whose` is the person's name, as "Person 1's face", and where it is, or nothing.
    """
    for run, mean in _clear(frames, found, labels):
        if run.length >= LEAST_FRAMES:
            yield _said(whose, frames[run.first : run.last + 1], mean, run.label, labels)


def _clear(
    frames: Sequence[Shown], found: Sequence[Probabilities], labels: Sequence[str]
) -> Iterator[tuple[Run, NDArray[np.float64]]]:
    """Yield the runs of a clear class but neutral, with the mean probabilities of each."""
    if not frames:
        return
    times, all_found = np.array([frame.crop.time for frame in frames]), np.array(found)
    for run in _runs(times, averaged(times, all_found)):
        mean = all_found[run.first : run.last + 1].mean(axis=0)
        if labels[run.label] != NEUTRAL and mean[run.label] >= CLEAR:
            yield run, mean


def averaged(times: NDArray[np.float64], found: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean probabilities over `WINDOW` seconds around each time, (n, classes)."""
    near = np.abs(times[:, None] - times[None, :]) <= WINDOW / 2 + 1e-6
    return np.asarray(near @ found / near.sum(axis=1, keepdims=True))


def untold(
    seen: Sequence[tuple[Sequence[Shown], Sequence[Probabilities]]], labels: Sequence[str]
) -> str:
    """Return why nothing is told of people, each by the frames and what was found in them."""
    most = max((len(frames) for frames, _ in seen), default=0)
    if not most:
        return "every face is turned away, covered or too briefly seen to be classified"
    if most < LEAST_FRAMES:
        return f"no face is seen well in more than {most} of the pictures looked at; {_LEAST}"
    clear = [run for frames, found in seen for run, _ in _clear(frames, found, labels)]
    if any(run.length >= LEAST_FRAMES for run in clear):
        return "every face is seen too poorly (small, blurred or turned) for its class to be told"
    if clear:
        longest = max(clear, key=lambda run: run.length)
        word = word_of(labels[longest.label])
        return f"no class of emotion lasts long enough (longest: {word}); {_LEAST}"
    mean = np.array([each for _, found in seen for each in found]).mean(axis=0)
    best = int(mean.argmax())
    return (
        f"the model gives no face a clear class of emotion (most: {word_of(labels[best])}, "
        f"{mean[best]:.2f} of {len(labels)} classes)"
    )


def _runs(times: NDArray[np.float64], smoothed: NDArray[np.float64]) -> Iterator[Run]:
    """Yield the stretches of frames with the same likeliest class, without a gap."""
    best = smoothed.argmax(axis=1)
    breaks = np.flatnonzero((np.diff(best) != 0) | (np.diff(times) > GAP)) + 1
    for part in np.split(np.arange(len(times)), breaks):
        yield Run(int(part[0]), int(part[-1]), int(best[part[0]]))


def _said(
    whose: tuple[str, str], frames: Sequence[Shown], mean: NDArray[np.float64], best: int,
    labels: Sequence[str],
) -> Said:  # fmt: skip
    start, end = frames[0].crop.time, frames[-1].crop.time
    name, where = whose
    text = (
        f"{name}{where} is classified as {word_of(labels[best])} (probability {mean[best]:.2f}, "
        f"mean of {len(frames)} frames, among {len(labels)} classes of a model) "
        f"{when(start, end)}."
    )
    shares = {f"p_{label}": round(float(p), 3) for label, p in zip(labels, mean, strict=True)}
    data: dict[str, float | str] = {"class": labels[best], "frames": len(frames), **shares}
    return Said(text, start, end, round(float(mean[best]), 3), tuple(frames), data)
