"""What is said of a model's classes of faces: crops, clear spans, sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emer.tools.face.analysis import Person
from emer.tools.face.tracker import SMALLEST_PX, Crop
from emer.tools.text import when
from emer.tools.timeseries import Floats, ramp
from emer.tools.types import CueMention, Quality, Span
from emer.tools.voice.model import class_cues, word_of

Probabilities = tuple[float, ...]
"""One for each label of the model; together 1."""
TURNED: Final = 45.0
"""Degrees of yaw beyond those of the model's training, not classified (chosen by us)."""
COVERED: Final = 0.2
"""Least confidence of the landmarks (chosen by us)."""
LARGE_PX: Final = 96.0
"""Face size from which more pixels give a model of 48 x 48 pixels no more detail."""
BLURRED, SHARP = 0.08, 0.3
"""Of faces blurred by two pixels of the crop, and of others at least (ours: 0.35-1.2)."""
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


class FaceCrop(NamedTuple):
    """A crop that is classified, and the size and pose of the face in it."""

    crop: Crop
    face_px: float
    yaw: float
    pitch: float
    sure: float


def face_crops(person: Person, within: Span | None) -> list[FaceCrop]:
    """The person's crops in which the face can be classified, in order of time."""
    m = person.measures
    crops = []
    for crop in person.crops:
        if within and not within.start - 1e-6 <= crop.time <= within.end + 1e-6:
            continue
        at = min(int(np.searchsorted(m.times, crop.time - 1e-6)), len(m) - 1)
        sure = float(m.sure[at].min())
        if abs(m.yaw[at]) <= TURNED and sure >= COVERED:
            size, yaw, pitch = float(m.size[at]), float(m.yaw[at]), float(m.pitch[at])
            crops.append(FaceCrop(crop, size, yaw, pitch, sure))
    return crops


def quality_of(frames: Sequence[FaceCrop]) -> Quality:
    """Visibility of the face: its size, pose, sharpness, and occlusion."""
    rows = [(f.face_px, abs(f.yaw), abs(f.pitch), f.sure, f.crop.sharpness) for f in frames]
    px, yaw, pitch, sure, sharp = (float(np.mean(column)) for column in zip(*rows, strict=True))
    size = np.clip((px - SMALLEST_PX) / (LARGE_PX - SMALLEST_PX), 0.1, 1.0)
    pose = np.clip(1.2 - yaw / 60 - pitch / 90, 0.2, 1.0)
    clear = max(0.1, float(ramp(np.array(sharp), BLURRED, SHARP)))
    return Quality(
        score=round(float(size * pose * clear * min(sure, 1.0)), 2),
        factors={
            "face_px": round(px),
            "yaw_deg": round(yaw, 1),
            "pitch_deg": round(pitch, 1),
            "sharpness": round(sharp, 2),
            "landmarks_sure": round(sure, 2),
            "frames": len(frames),
        },
    )


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence about a face: span, probability, crops, numbers and cues."""

    text: str
    start: float
    end: float
    probability: float
    frames: tuple[FaceCrop, ...]
    data: dict[str, float | str]
    cues: tuple[CueMention, ...]


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
    name, where = whose
    for places, best, mean in _clear(frames, probabilities, labels):
        if len(places) < LEAST_FRAMES:
            continue
        label, share = labels[best], float(mean[best])
        stretch = tuple(frames[place] for place in places)
        start, end = stretch[0].crop.time, stretch[-1].crop.time
        text = (
            f"{name}{where} is classified as {word_of(label)} (probability {share:.2f}, "
            f"mean of {len(stretch)} frames, among {len(labels)} classes of a model) "
            f"at {when(start, end)}."
        )
        shares = {f"p_{n}": round(float(p), 3) for n, p in zip(labels, mean, strict=True)}
        data: dict[str, float | str] = {"class": label, "frames": len(stretch), **shares}
        cues = class_cues(label, "named")
        yield Sentence(text, start, end, round(share, 3), stretch, data, cues)


def _clear(
    frames: Sequence[FaceCrop], probabilities: Sequence[Probabilities], labels: Sequence[str]
) -> Iterator[tuple[NDArray[np.intp], int, Floats]]:
    """Places of the frames of each clear class, the class, and the mean probabilities."""
    if not frames:
        return
    times, values = np.array([frame.crop.time for frame in frames]), np.array(probabilities)
    best = averaged(times, values).argmax(axis=1)
    breaks = np.flatnonzero((np.diff(best) != 0) | (np.diff(times) > GAP)) + 1
    for part in np.split(np.arange(len(times)), breaks):
        label, mean = int(best[part[0]]), values[part].mean(axis=0)
        if labels[label] != NEUTRAL and mean[label] >= CLEAR:
            yield part, label, mean


def averaged(times: Floats, probabilities: Floats) -> Floats:
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
    clear = [run for frames, values in people for run in _clear(frames, values, labels)]
    if any(len(places) >= LEAST_FRAMES for places, _, _ in clear):
        return "every face is seen too poorly (small, blurred or turned) for its class to be told"
    if clear:
        _, longest, _ = max(clear, key=lambda run: len(run[0]))
        word = word_of(labels[longest])
        return f"no class of emotion lasts long enough (longest: {word}); {_LEAST}"
    mean = np.array([each for _, values in people for each in values]).mean(axis=0)
    best = int(mean.argmax())
    return (
        f"the model gives no face a clear class of emotion (most: {word_of(labels[best])}, "
        f"{mean[best]:.2f} of {len(labels)} classes)"
    )
