"""The face specialist: mediapipe's mesh, followed and read as movements of the face."""

from __future__ import annotations

from collections.abc import Sequence

from emer.tools.clip import Clip
from emer.tools.errors import ToolMissing
from emer.tools.face.network import brings_networks
from emer.tools.face.reading import MAX_SIDE, VERSION, read
from emer.tools.face.telling import tell
from emer.tools.registry import register
from emer.tools.types import Clue, Modality, Param, Source, Span

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
