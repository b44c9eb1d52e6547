"""The face tools: MediaPipe's mesh, and the mesh with 52 blendshapes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from typing import Final

import numpy as np

from emer.tools.errors import ConfigError, ToolMissing
from emer.tools.face.analysis import (
    MAX_SIDE,
    REMEMBERED,
    VERSION,
    ClipAnalysis,
    Person,
    analyse_face,
    read,
    tracks,
)
from emer.tools.face.blendshape_units import Scores, agreed, mirrored, scores_at
from emer.tools.face.detector import (
    CROP_MARGIN,
    CROP_PX,
    INSTALL,
    TOOL,
    Image,
    Landmarker,
    Region,
    brings_networks,
    upright,
)
from emer.tools.face.sentences import face_clues
from emer.tools.media.clip import Clip
from emer.tools.registry import register
from emer.tools.runtime.device import CPU
from emer.tools.runtime.memo import Memo
from emer.tools.runtime.model_pool import Key, PooledModel
from emer.tools.types import Clue, Modality, Param, Source, Span
from emer.tools.weights.locate import AUTO, Need, find

MODEL: Final = "mediapipe 0.10.21 face_landmark_with_attention"
PER_S: Final = 15.0
"""Pictures scored per second: a movement lasts 0.2 s or more (chosen by us)."""
BATCH: Final = 16
MIRROR_EACH: Final = 3
"""Of so many pictures one is scored as its mirror image, too: a third of the cost again."""

Shapes = Mapping[str, float]
"""The scores of one picture by name; empty without a face in it."""


@register("mesh", slot="face", rank=20)
class FaceMesh:
    """Action units, blinks, gaze, head and mouth of each person, by landmarks alone."""

    modality: Modality = "face"
    description = (
        "Follows every face and reports smiles, brow, eye and mouth movements with onset and "
        "apex, blinks, coarse gaze and head movements, measured against the person's own rest."
    )

    def __init__(self, max_side: int = MAX_SIDE, people: int = 4) -> None:
        """Use pictures of at most `max_side` pixels and report on at most `people`."""
        self._max_side, self._people = max_side, people

    @property
    def source(self) -> Source:
        """Name, version, model, parameters; `ToolMissing` on mediapipe 1.x."""
        if not brings_networks():
            raise ToolMissing("mesh", "the networks of mediapipe 0.10", INSTALL)
        params: dict[str, Param] = {"max_side": self._max_side, "people": self._people}
        return Source(tool="mesh", version=VERSION, model=MODEL, params=params)

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """Clues about the faces in the clip, or in `span` of it.

        In a span more and weaker movements are reported, still measured against the person's
        rest in the whole clip. `Unobservable` when no face could be measured.
        """
        return face_clues(self.source, read(clip, self._max_side), self._people, span)


@register("blendshapes", slot="face", rank=10)
class Blendshapes:
    """The clues of `FaceMesh`, with the action units that blendshapes add to them.

    `model` is a `.task` file, a name of the catalogue, or "auto".
    """

    modality: Modality = "face"
    description = (
        "Follows every face as the mesh does, and also reads nose, cheeks, lids and lips from 52 "
        "blendshapes, each action unit with how well it can be seen so."
    )

    def __init__(self, model: str = AUTO, max_side: int = MAX_SIDE, people: int = 4) -> None:
        """Use pictures of at most `max_side` pixels and report on at most `people`."""
        if people < 1:
            raise ConfigError(f"{TOOL}: people must be at least 1")
        self._model, self._max_side, self._people = model, max_side, people

    @property
    def source(self) -> Source:
        """Name, version, weights and result-changing parameters."""
        try:
            library = version("mediapipe")
        except PackageNotFoundError as error:
            raise ToolMissing(TOOL, "mediapipe", INSTALL) from error
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
        """Always the CPU: MediaPipe's Python interface runs there."""
        return {"device": CPU, "dtype": "float32", "batch": BATCH}

    def load(self) -> None:
        _scorer(find(TOOL, self._model)).load()

    def unload(self) -> None:
        _scorer(find(TOOL, self._model)).unload()

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """Clues about the faces in the clip, or in `span` of it, as `FaceMesh.observe`."""
        source = self.source
        key = (clip.sha256, source.version, *source.params.values())
        analysis = _ANALYSES.get(key, partial(self._analyse, clip), clip.is_complete)
        return face_clues(source, analysis, self._people, span)

    def _analyse(self, clip: Clip) -> ClipAnalysis:
        analysis = read(clip, self._max_side, self._model)
        people = [face.person for face in analysis.faces[: self._people]]
        if not people:
            return analysis
        score = _scorer(find(TOOL, self._model))
        pictures = _face_images(clip, people, self._max_side)
        scores = _scores(pictures, people, score)
        scored = [analyse_face(person, scores[person.number]) for person in people]
        return replace(analysis, faces=(*scored, *analysis.faces[self._people :]))


_ANALYSES: Memo[ClipAnalysis] = Memo(REMEMBERED)


def _face_images(
    clip: Clip, people: Sequence[Person], max_side: int
) -> Iterator[tuple[int, float, Image]]:
    for frame in clip.frames(fps=PER_S):
        for person in people:
            m = person.measures
            at = min(int(np.searchsorted(m.times, frame.time - 1e-3)), len(m) - 1)
            if abs(m.times[at] - frame.time) < 1e-3:
                x, y = m.centre[at]
                turn = -float(np.radians(m.roll[at]))
                region = Region(float(x), float(y), float(m.size[at]) * CROP_MARGIN, turn)
                yield (
                    person.number,
                    frame.time,
                    upright(frame.rgb(max_side), region, CROP_PX).picture,
                )


def _scores(
    pictures: Iterator[tuple[int, float, Image]],
    people: Sequence[Person],
    score: PooledModel[Image, Shapes],
) -> Mapping[int, Scores]:
    """Blendshape scores of each person, of pictures and their mirror images together."""
    own: dict[int, list[tuple[float, Shapes]]] = defaultdict(list)
    of_mirror: dict[int, list[tuple[float, Shapes]]] = defaultdict(list)
    counts: Counter[int] = Counter()
    while batch := list(islice(pictures, BATCH)):
        turned = []
        for (number, time, picture), shapes in zip(
            batch, score([p for *_, p in batch]), strict=True
        ):
            if shapes:
                own[number].append((time, shapes))
            if counts[number] % MIRROR_EACH == 0:
                turned.append((number, time, np.ascontiguousarray(picture[:, ::-1])))
            counts[number] += 1
        for (number, time, _), shapes in zip(turned, score([p for *_, p in turned]), strict=True):
            of_mirror[number].append((time, mirrored(shapes)))
    times = {person.number: person.measures.times for person in people}
    return {
        number: agreed(scores_at(at, own[number]), scores_at(at, of_mirror[number]))
        for number, at in times.items()
    }


def _scorer(need: Need) -> PooledModel[Image, Shapes]:
    return PooledModel(
        Key(TOOL, str(need.path), CPU, (("is", need.fingerprint),)),
        partial(Landmarker, need, shapes=True),
        _score,
        batch=BATCH,
        gigabytes=need.gigabytes,
    )


def _score(landmarker: Landmarker, pictures: Sequence[Image]) -> list[Shapes]:
    faces = (landmarker.faces(picture) for picture in pictures)
    return [found[0].shapes if found else {} for found in faces]
