"""What may be told of one caption, and the clue that tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from emer.tools.caption.burnt_in import Band
from emer.tools.caption.wording import plain
from emer.tools.types import Clue, Quality, Source, Span

KEPT = 400
"""Characters of what a model wrote that a clue keeps."""


@dataclass(frozen=True, slots=True)
class Told:
    """A caption that passed its guards."""

    text: str
    """Cleaned, and with feelings told as looks."""
    sure: bool
    time: float
    quality: Quality
    written: str
    """As the model wrote it, without the sentences that name somebody."""
    felt: tuple[str, ...]
    """The words of feeling in it: the model's inference."""

    @property
    def what(self) -> tuple[str, bool]:
        """What two frames must share to be told in one sentence."""
        return self.text, self.sure


def clue_of(
    source: Source,
    text: str,
    span: Span,
    told: Told,
    band: Band | None,
    more: Mapping[str, JsonValue],
) -> Clue:
    """Return the clue; `band` is what was blanked out of the frames, in pixels."""
    data: dict[str, JsonValue] = {**more, "caption": plain(told.written)[:KEPT]}
    if told.felt:
        data["inferred"] = list(told.felt)
    if band is not None:
        data["blanked"] = {"top": band.top, "bottom": band.bottom}
    return Clue(
        modality="scene", span=span, text=text, quality=told.quality, source=source, data=data
    )
