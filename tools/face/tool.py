"""The face tools: mesh, blendshapes.

The face specialist: mediapipe's mesh, followed and read as movements of the face.

Faces by the mesh and by MediaPipe's 52 blendshapes, which see what geometry cannot carry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from typing import Final, NamedTuple

import numpy as np

from emer.tools.errors import ConfigError, ToolMissing
from emer.tools.face.analysis import MAX_SIDE, REMEMBERED, VERSION, Reading, read, read_face, tracks
from emer.tools.face.blendshape_units import Scores, along
from emer.tools.face.detector import (
    LOOK_PX,
    ROOM,
    TOOL,
    Image,
    Landmarker,
    Region,
    brings_networks,
    upright,
)
from emer.tools.face.people import Person
from emer.tools.face.sentences import tell
from emer.tools.media.clip import Clip
from emer.tools.registry import register
from emer.tools.runtime.device import CPU
from emer.tools.runtime.memo import Memo
from emer.tools.runtime.model_pool import Key, PooledModel
from emer.tools.types import Clue, Modality, Param, Source, Span
from emer.tools.weights.locate import AUTO, Need, find

MODEL = "mediapipe 0.10.21 face_landmark_with_attention"
INSTALL = "pip install mediapipe==0.10.21"


@register("mesh", slot="face", rank=20)
class FaceMesh:
    """Watches faces: action units, blinks, gaze, head and mouth, person by person."""

    modality: Modality = "face"
    description = (
        "Follows every face and reports smiles, brow, eye and mouth movements with onset and "
        "apex, blinks, coarse gaze and head movements, measured against the person's own rest."
    )

    def __init__(self, max_side: int = MAX_SIDE, people: int = 4) -> None:
        """Look at pictures of at most `max_side` pixels and report on at most `people`."""
        self._max_side, self._people = max_side, people

    @property
    def source(self) -> Source:
        """Name, version, model and result-changing parameters; `ToolMissing` on mediapipe 1.x."""
        if not brings_networks():
            raise ToolMissing("mesh", "the networks of mediapipe 0.10", INSTALL)
        params: dict[str, Param] = {"max_side": self._max_side, "people": self._people}
        return Source(tool="mesh", version=VERSION, model=MODEL, params=params)

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """Return clues about the faces in the clip, or a closer look at `span` of it.

        A closer look reports more and weaker movements, still measured against the
        person's rest in the whole clip. `Unobservable` when no face could be measured.
        """
        source = self.source
        return tell(source, read(clip, self._max_side), self._people, span)


PER_S: Final = 15.0
"""Pictures of a face that are looked at in a second: a movement lasts 0.2 s or more (chosen by
us)."""
BATCH: Final = 16

Shapes = Mapping[str, float]
"""The scores of one picture by name; empty where no face was seen in it."""


class _Look(NamedTuple):
    person: int
    time: float
    picture: Image


@register("blendshapes", slot="face", rank=10)
class Blendshapes:
    """All that the mesh tells of faces, with the action units that blendshapes add to it.

    `model` is a `.task` file, a name of the catalogue, or "auto".
    """

    modality: Modality = "face"
    description = (
        "Follows every face as the mesh does, and also reads nose, cheeks, lids and lips from 52 "
        "blendshapes, each action unit with how well it can be seen so."
    )

    def __init__(self, model: str = AUTO, max_side: int = MAX_SIDE, people: int = 4) -> None:
        """Look at pictures of at most `max_side` pixels and report on at most `people`."""
        if people < 1:
            raise ConfigError(f"{TOOL}: people must be at least 1")
        self._model, self._max_side, self._people = model, max_side, people

    @property
    def source(self) -> Source:
        """Name, version, weights and what changes the result."""
        try:
            library = version("mediapipe")
        except PackageNotFoundError as error:
            raise ToolMissing(TOOL, "mediapipe", "pip install mediapipe==0.10.21") from error
        need = find(TOOL, self._model)
        params: dict[str, Param] = {
            "max_side": self._max_side,
            "people": self._people,
            "tracks": tracks(self._model),
            "weights": need.fingerprint,
        }
        return Source(tool=TOOL, version=library, model=need.model, params=params)

    @property
    def hardware(self) -> Mapping[str, Param]:
        """Always the CPU: MediaPipe's Python runs there."""
        return {"device": CPU, "dtype": "float32", "batch": BATCH}

    def load(self) -> None:
        """Load the model now."""
        _scorer(find(TOOL, self._model)).load()

    def unload(self) -> None:
        """Let go of the model."""
        _scorer(find(TOOL, self._model)).unload()

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """Return clues about the faces in the clip, or a closer look at `span` of it.

        `Unobservable` when no face could be measured.
        """
        source = self.source
        made = partial(self._read, clip)
        key = (clip.sha256, source.version, *source.params.values())
        return tell(source, _READINGS.get(key, made), self._people, span)

    def _read(self, clip: Clip) -> Reading:
        reading = read(clip, self._max_side, self._model)
        people = [portrait.person for portrait in reading.portraits[: self._people]]
        if not people:
            return reading
        scores = scores_of(clip, people, find(TOOL, self._model), self._max_side)
        read_again = [read_face(person, scores[person.number]) for person in people]
        others = reading.portraits[self._people :]
        return replace(reading, portraits=(*read_again, *others))


_READINGS: Memo[Reading] = Memo(REMEMBERED)


def scores_of(clip: Clip, people: Sequence[Person], need: Need, max_side: int) -> dict[int, Scores]:
    """Return each person's blendshapes at the times of the person's measures, by number."""
    score = _scorer(need)
    times: dict[int, list[float]] = {person.number: [] for person in people}
    found: dict[int, list[Shapes]] = {person.number: [] for person in people}
    looks = _looks(clip, people, max_side)
    while batch := list(islice(looks, BATCH)):
        for look, shapes in zip(batch, score([look.picture for look in batch]), strict=True):
            if shapes:
                times[look.person].append(look.time)
                found[look.person].append(shapes)
    return {p.number: along(p.measures.times, times[p.number], found[p.number]) for p in people}


def _looks(clip: Clip, people: Sequence[Person], max_side: int) -> Iterator[_Look]:
    """Yield each person's face, set upright, in the pictures that are looked at."""
    for frame in clip.frames(fps=PER_S):
        for person in people:
            m = person.measures
            at = min(int(np.searchsorted(m.times, frame.time - 1e-3)), len(m) - 1)
            if abs(m.times[at] - frame.time) < 1e-3:
                x, y = m.centre[at]
                turn = -float(np.radians(m.roll[at]))
                region = Region(float(x), float(y), float(m.size[at]) * ROOM, turn)
                yield _Look(
                    person.number, frame.time, upright(frame.rgb(max_side), region, LOOK_PX).picture
                )


def _scorer(need: Need) -> PooledModel[Image, Shapes]:
    """Return what scores pictures of faces with a `.task` file; nothing is loaded."""
    return PooledModel(
        Key(TOOL, str(need.path), CPU, (("is", need.fingerprint),)),
        partial(Landmarker, need, shapes=True),
        _score,
        batch=BATCH,
        gigabytes=need.gigabytes,
    )


def _score(landmarker: Landmarker, pictures: Sequence[Image]) -> list[Shapes]:
    """Return the scores of the first face in each picture."""
    seen = (landmarker.see(picture) for picture in pictures)
    return [faces[0].shapes if faces else {} for faces in seen]
