"""The tool `deepface`: classes of facial expression of tracked people.

Network, weights' reader and labels are deepface's own code. Its detectors and its downloads are
not used, nor its client, which processes one picture after the other in colour.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emer.tools.errors import ConfigError, ToolMissing, Unobservable
from emer.tools.expression.sentences import (
    FaceCrop,
    Probabilities,
    Sentence,
    classes,
    face_crops,
    quality_of,
    why_no_class,
)
from emer.tools.face.analysis import MAX_SIDE, Person, face_box, read, tracks, why_none
from emer.tools.face.tracker import Footage
from emer.tools.media.clip import Clip
from emer.tools.registry import register
from emer.tools.runtime.device import RunOptions, run_options
from emer.tools.runtime.model_pool import Key, PooledModel
from emer.tools.runtime.native import importing
from emer.tools.types import Clue, Modality, Param, Quality, Source, Span
from emer.tools.weights.locate import AUTO, Need, find, loading

TOOL = "deepface"
PACKAGES = ("torch", "deepface", "werkzeug")
"""deepface imports the last without declaring it."""
INPUT, NETWORK_INPUT = 224, 48
"""Pixels of the side of deepface's common input, and of its emotion network's."""
Picture = NDArray[np.uint8]
"""A face in grey, any size."""
BATCH = {"cpu": 16, "mps": 32, "cuda": 64}
CLUES_FIRST, CLUES_OTHERS, CLUES_CLOSER = 4, 2, 6
LEAST_QUALITY = 0.1
"""Least quality of a reported class (chosen by us)."""


@register("deepface", slot="expression", rank=10)
@dataclass(eq=False)
class DeepFaceEmotion:
    """Classifies each person's face with deepface's model of seven emotions.

    Args:
        model: A name of the catalogue, a .pth file, or "auto".
        people: Most people to classify.
        max_side: Longest side in pixels of the pictures in which the mesh tracks the faces.
        device: cpu, cuda, cuda:N, mps or "auto".
        batch: Faces at once; 0 for the default of the device.
    """

    model: str = AUTO
    people: int = 4
    max_side: int = MAX_SIDE
    device: str = AUTO
    batch: int = 0
    modality: Modality = field(default="face", init=False)
    description = (
        "Classifies each face with a trained model of seven expressions of emotion, over time."
    )

    def __post_init__(self) -> None:
        """Check the settings; `ConfigError` says which is not possible."""
        if self.people < 1 or self.batch < 0:
            raise ConfigError(f"{TOOL}: people must be at least 1, batch at least 0")

    @property
    def source(self) -> Source:
        """Name, version, weights and what changes the result."""
        require()
        need = find(TOOL, self.model)
        params: dict[str, Param] = {
            "people": self.people,
            "max_side": self.max_side,
            "tracks": tracks(),
            "weights": need.fingerprint,
        }
        return Source(tool=TOOL, version=version("deepface"), model=need.model, params=params)

    @property
    def hardware(self) -> Mapping[str, Param]:
        """Device, precision, batch and, on a CPU, threads."""
        return self._options().hardware

    def load(self) -> None:
        self._classifier().load()

    def unload(self) -> None:
        self._classifier().unload()

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """A clue per span in which a face has a clear class.

        `Unobservable` without a face, or where no class is clear for long enough.
        """
        analysis = read(clip, self.max_side)
        people = [face.person for face in analysis.faces[: self.people]]
        if not people:
            raise Unobservable(why_none(analysis.footage))
        crops = [face_crops(person, span) for person in people]
        faces = [each.crop.picture for frames in crops for each in frames]
        classified = iter(self._classifier()(faces) if faces else ())
        seen = [(frames, list(islice(classified, len(frames)))) for frames in crops]
        alone = len(analysis.faces) == 1
        clues = [
            clue
            for person, (frames, outputs) in zip(people, seen, strict=True)
            for clue in self._clues(person, (frames, outputs), span, analysis.footage, alone)
        ]
        if not clues:
            raise Unobservable(why_no_class(seen, labels()))
        return clues

    def _clues(
        self, person: Person, seen: tuple[Sequence[FaceCrop], Sequence[Probabilities]],
        span: Span | None, footage: Footage, alone: bool,
    ) -> list[Clue]:  # fmt: skip
        """The clues about one person.

        Args:
            person: The person.
            seen: Crops of the face, and the outputs for each.
            span: Span of a closer look.
            footage: Of the clip.
            alone: Whether no one else is seen.
        """
        name = "The person's face" if alone else f"Person {person.number}'s face"
        where = "" if alone else f" ({person.where})"
        sentences = classes((name, where), *seen, labels())
        judged = [(each, quality_of(each.frames)) for each in sentences]
        clear = [pair for pair in judged if pair[1].score >= LEAST_QUALITY]
        clear.sort(key=lambda p: (-p[0].probability * len(p[0].frames), p[0].start))
        most = CLUES_CLOSER if span else CLUES_FIRST if person.number == 1 else CLUES_OTHERS
        return [
            Clue(
                modality="face",
                span=Span(start=round(each.start, 2), end=round(each.end, 2)),
                person=f"person {person.number}",
                text=each.text,
                confidence=each.probability,
                quality=_located(quality, person, each, footage),
                source=self.source,
                data=dict(each.data),
                cues=each.cues,
                kind="classified",
                place=None if alone else person.where,
                look=span,
            )
            for each, quality in sorted(clear[:most], key=lambda p: p[0].start)
        ]

    def _options(self) -> RunOptions:
        return run_options(self.device, "float32", self.batch, BATCH)

    def _classifier(self) -> PooledModel[Picture, Probabilities]:
        require()
        options = self._options()
        return classifier(find(TOOL, self.model), options.device, options.batch)


def _located(quality: Quality, person: Person, said: Sentence, footage: Footage) -> Quality:
    """The quality with the place of the face meanwhile."""
    times = person.measures.times
    part = np.flatnonzero((times >= said.start - 1e-6) & (times <= said.end + 1e-6))
    box = face_box(person, part if len(part) else slice(None), footage)
    return quality.model_copy(update={"factors": {**quality.factors, **box}})


def require() -> None:
    """Raise `ToolMissing` unless deepface and torch are installed; imports neither."""
    from importlib.util import find_spec

    if any(find_spec(name) is None for name in PACKAGES):
        raise ToolMissing(TOOL, "deepface and torch", "pip install 'emer[models]'")


def labels() -> tuple[str, ...]:
    """Deepface's classes, in the order of its outputs."""
    return tuple(_deepface().labels)


def classifier(need: Need, device: str, batch: int) -> PooledModel[Picture, Probabilities]:
    """The shared model of a file of weights, `batch` faces at once; nothing is loaded."""
    return PooledModel(
        Key(TOOL, str(need.path), device, (("is", need.fingerprint),)),
        partial(_load, need, device),
        partial(_classify, device),
        batch=batch,
        gigabytes=need.gigabytes,
    )


def prepare(face: Picture) -> NDArray[np.float32]:
    """The network's input, (48, 48), 1.0 is white, by way of deepface's common size."""
    import cv2

    height, width = face.shape
    scale = min(INPUT / height, INPUT / width)
    small = cv2.resize(face, (int(width * scale), int(height * scale)))
    down, right = INPUT - small.shape[0], INPUT - small.shape[1]
    around = ((down // 2, down - down // 2), (right // 2, right - right // 2))
    whole = np.pad(small, around) if down or right else small
    return np.asarray(cv2.resize(whole.astype(np.float32) / 255.0, (NETWORK_INPUT, NETWORK_INPUT)))


def _classify(device: str, model: Any, faces: Sequence[Picture]) -> list[Probabilities]:
    import torch

    batch = np.stack([prepare(face) for face in faces])[:, None]
    with torch.inference_mode():
        outputs = model(torch.from_numpy(batch).to(device))
    return [tuple(row) for row in outputs.cpu().double().tolist()]


def _load(need: Need, device: str) -> Any:
    """Deepface's network with the weights; only tensors are read of the file.

    Channels are last: torch's pooling on a CPU is several times faster so.
    """
    theirs = _deepface()
    import torch

    with loading(TOOL, need):
        model = theirs.load_model_weights(theirs.base_model(), str(need.path))
        return model.to(device, memory_format=torch.channels_last)


def _deepface() -> Any:
    with importing(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from deepface.models.demography.pytorch import Emotion
    return Emotion
