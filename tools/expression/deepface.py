"""The tool `deepface`: classes of facial expression of the people that the mesh tracks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version

from emer.tools.errors import ConfigError, Unobservable
from emer.tools.expression.classifier import (
    TOOL,
    FaceCrop,
    Picture,
    Probabilities,
    classifier,
    face_crops,
    labels,
    quality_of,
    require,
)
from emer.tools.expression.sentences import Sentence, classes, why_no_class
from emer.tools.face.analysis import MAX_SIDE, read, tracks, why_none
from emer.tools.face.people import Person
from emer.tools.media.clip import Clip
from emer.tools.registry import register
from emer.tools.runtime import device as devices
from emer.tools.runtime.model_pool import Shared
from emer.tools.types import Clue, Modality, Param, Quality, Source, Span
from emer.tools.weights.locate import AUTO, find

BATCH = {"cpu": 16, "mps": 32, "cuda": 64}
CLUES_FIRST, CLUES_OTHERS, CLUES_CLOSER = 4, 2, 6
LEAST_QUALITY = 0.1
"""Least quality of a reported class (chosen by us)."""


@register("deepface", slot="expression", rank=10)
class DeepFaceEmotion:
    """Classifies each person's face with deepface's model of seven emotions.

    Args:
        model: A name of the catalogue, a .pth file, or "auto".
        people: Most people to classify.
        max_side: Longest side in pixels of the pictures in which the mesh tracks the faces.
        device: cpu, cuda, cuda:N, mps or "auto".
        batch: Faces at once; 0 for the default of the device.
    """

    modality: Modality = "face"
    description = (
        "Classifies each face with a trained model of seven expressions of emotion, over time."
    )

    def __init__(
        self,
        model: str = AUTO,
        people: int = 4,
        max_side: int = MAX_SIDE,
        device: str = AUTO,
        batch: int = 0,
    ) -> None:
        """Keep the settings; nothing is loaded. `ConfigError` for what cannot be."""
        if people < 1 or batch < 0:
            raise ConfigError(f"{TOOL}: people must be at least 1, batch at least 0")
        self._model, self._people, self._max_side = model, people, max_side
        self._device, self._batch = device, batch

    @property
    def source(self) -> Source:
        """Name, version, weights and what changes the result."""
        require()
        need = find(TOOL, self._model)
        params: dict[str, Param] = {
            "people": self._people,
            "max_side": self._max_side,
            "tracks": tracks(),
            "weights": need.fingerprint,
        }
        return Source(tool=TOOL, version=version("deepface"), model=need.model, params=params)

    @property
    def hardware(self) -> Mapping[str, Param]:
        """Device, precision, batch and, on a CPU, threads."""
        device, batch = self._run()
        threads = {"threads": devices.threads()} if device == devices.CPU else {}
        return {"device": device, "dtype": "float32", "batch": batch, **threads}

    def load(self) -> None:
        """Load the model now."""
        self._classifier().load()

    def unload(self) -> None:
        """Remove the model from memory."""
        self._classifier().unload()

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """A clue per span in which a face has a clear class.

        `Unobservable` without a face, or where no class is clear for long enough.
        """
        analysis = read(clip, self._max_side)
        people = [face.person for face in analysis.faces[: self._people]]
        if not people:
            raise Unobservable(why_none(analysis))
        crops = {person.number: face_crops(person, span) for person in people}
        faces = [each.crop.picture for own in crops.values() for each in own]
        classified = iter(self._classifier()(faces) if faces else ())
        outputs = {number: [next(classified) for _ in own] for number, own in crops.items()}
        clues = [
            clue
            for person in people
            for clue in self._clues(person, crops[person.number], outputs[person.number], span,
                                    alone=len(analysis.faces) == 1)
        ]  # fmt: skip
        if not clues:
            raise Unobservable(why_no_class([(crops[n], outputs[n]) for n in crops], labels()))
        return clues

    def _clues(
        self, person: Person, crops: Sequence[FaceCrop], outputs: Sequence[Probabilities],
        span: Span | None, *, alone: bool,
    ) -> list[Clue]:  # fmt: skip
        """The weightiest clues about one person, in order of time."""
        name = "The person's face" if alone else f"Person {person.number}'s face"
        where = "" if alone else f" ({person.where})"
        sentences = [
            (each, quality_of(each.frames))
            for each in classes((name, where), crops, outputs, labels())
        ]
        most = CLUES_CLOSER if span else CLUES_FIRST if person.number == 1 else CLUES_OTHERS
        clear = [pair for pair in sentences if pair[1].score >= LEAST_QUALITY]
        ranked = sorted(clear, key=lambda p: (-p[0].probability * len(p[0].frames), p[0].start))
        return [
            _clue(self.source, person, each, quality)
            for each, quality in sorted(ranked[:most], key=lambda p: p[0].start)
        ]

    def _run(self) -> tuple[str, int]:
        device = devices.pick(self._device)
        return device, self._batch or BATCH[device.partition(":")[0]]

    def _classifier(self) -> Shared[Picture, Probabilities]:
        require()
        return classifier(find(TOOL, self._model), *self._run())


def _clue(source: Source, person: Person, sentence: Sentence, quality: Quality) -> Clue:
    return Clue(
        modality="face",
        span=Span(start=round(sentence.start, 2), end=round(sentence.end, 2)),
        person=f"person {person.number}",
        text=sentence.text,
        confidence=sentence.probability,
        quality=quality,
        source=source,
        data=dict(sentence.data),
    )
