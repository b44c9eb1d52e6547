"""The tool `deepface`: classes of facial expression of tracked people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
from emer.tools.runtime.device import RunOptions, run_options
from emer.tools.runtime.model_pool import PooledModel
from emer.tools.types import Clue, Modality, Param, Quality, Source, Span
from emer.tools.weights.locate import AUTO, find

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
        """Load the model now."""
        self._classifier().load()

    def unload(self) -> None:
        """Remove the model from memory."""
        self._classifier().unload()

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """A clue per span in which a face has a clear class.

        `Unobservable` without a face, or where no class is clear for long enough.
        """
        analysis = read(clip, self.max_side)
        people = [face.person for face in analysis.faces[: self.people]]
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

    def _options(self) -> RunOptions:
        return run_options(self.device, "float32", self.batch, BATCH)

    def _classifier(self) -> PooledModel[Picture, Probabilities]:
        require()
        options = self._options()
        return classifier(find(TOOL, self.model), options.device, options.batch)


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
