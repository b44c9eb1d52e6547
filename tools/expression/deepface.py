"""The emotion of faces by deepface's model, on the people that the mesh follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version

from emer.tools.errors import ConfigError, Unobservable
from emer.tools.expression.classifier import (
    TOOL,
    Picture,
    Probabilities,
    Shown,
    classifier,
    labels,
    quality_of,
    require,
    shown,
)
from emer.tools.expression.sentences import Said, classes, untold
from emer.tools.face.analysis import MAX_SIDE, read, tracks, why_none
from emer.tools.face.people import Person
from emer.tools.media.clip import Clip
from emer.tools.runtime import device as devices
from emer.tools.runtime.model_pool import Shared
from emer.tools.types import Clue, Modality, Param, Quality, Source, Span
from emer.tools.weights.locate import AUTO, find

BATCH = {"cpu": 16, "mps": 32, "cuda": 64}
CLUES_FIRST, CLUES_OTHERS, CLUES_CLOSER = 4, 2, 6
WORTH_SAYING = 0.1
"""Faces seen worse than this are left unsaid (chosen by us)."""


class DeepFaceEmotion:
    """Classifies each person's face with deepface's model of seven emotions.

    `model` is a name of the catalogue, a .pth file, or "auto". Faces and people are those that
    the mesh follows in pictures of at most `max_side` pixels, `people` of them at most.
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
        """Let go of the model."""
        self._classifier().unload()

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """Return which class of emotion each face is given, and when.

        `Unobservable` without a face, or where no class is clear for long enough.
        """
        analysis = read(clip, self._max_side)
        people = [face.person for face in analysis.faces[: self._people]]
        if not people:
            raise Unobservable(why_none(analysis))
        frames = {person.number: shown(person, span) for person in people}
        faces = [each.crop.picture for own in frames.values() for each in own]
        judged = iter(self._classifier()(faces) if faces else ())
        found = {number: [next(judged) for _ in own] for number, own in frames.items()}
        clues = [
            clue
            for person in people
            for clue in self._tell(person, frames[person.number], found[person.number], span,
                                   alone=len(analysis.faces) == 1)
        ]  # fmt: skip
        if not clues:
            raise Unobservable(untold([(frames[n], found[n]) for n in frames], labels()))
        return clues

    def _tell(
        self, person: Person, frames: Sequence[Shown], found: Sequence[Probabilities],
        span: Span | None, *, alone: bool,
    ) -> list[Clue]:  # fmt: skip
        """Return the weightiest clues about one person, in order of time."""
        name = "The person's face" if alone else f"Person {person.number}'s face"
        where = "" if alone else f" ({person.where})"
        said = [
            (each, quality_of(each.frames))
            for each in classes((name, where), frames, found, labels())
        ]
        most = CLUES_CLOSER if span else CLUES_FIRST if person.number == 1 else CLUES_OTHERS
        clear = [pair for pair in said if pair[1].score >= WORTH_SAYING]
        told = sorted(clear, key=lambda p: (-p[0].probability * len(p[0].frames), p[0].start))
        return [
            _clue(self.source, person, each, quality)
            for each, quality in sorted(told[:most], key=lambda p: p[0].start)
        ]

    def _run(self) -> tuple[str, int]:
        device = devices.pick(self._device)
        return device, self._batch or BATCH[device.partition(":")[0]]

    def _classifier(self) -> Shared[Picture, Probabilities]:
        require()
        return classifier(find(TOOL, self._model), *self._run())


def _clue(source: Source, person: Person, said: Said, quality: Quality) -> Clue:
    return Clue(
        modality="face",
        span=Span(start=round(said.start, 2), end=round(said.end, 2)),
        person=f"person {person.number}",
        text=said.text,
        confidence=said.probability,
        quality=quality,
        source=source,
        data=dict(said.data),
    )
