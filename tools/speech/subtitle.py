"""The words that were given with the clip, as clues."""

from __future__ import annotations

from collections.abc import Sequence

from emer.tools.clip import Clip
from emer.tools.errors import Unobservable
from emer.tools.subtitles import SubtitleCue
from emer.tools.types import Clue, Modality, Quality, Source, Span


class Subtitle:
    """Reads the given subtitle; it is taken at its word, its times too."""

    modality: Modality = "text"
    description = "Reads the words given as the clip's subtitle, with their times if they have any."

    @property
    def source(self) -> Source:
        """Name and version; the words themselves are part of the clip."""
        return Source(tool="subtitle", version="1")

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """Return a clue per cue (in `span`, or untimed); `Unobservable` when there is none."""
        if not clip.subtitle:
            raise Unobservable("no subtitle is given")
        cues = [c for c in clip.subtitle if span is None or c.span is None or c.span.overlaps(span)]
        said = [clue for cue in cues if (clue := self._clue(cue)) is not None]
        if not said:
            raise Unobservable("the subtitle has no words there")
        return said

    def _clue(self, cue: SubtitleCue) -> Clue | None:
        text = " ".join(cue.text.split())
        if not text:
            return None
        return Clue(
            modality="text",
            span=cue.span,
            text=f'The subtitle reads: "{text}"',
            quality=Quality(score=1.0 if cue.span else 0.9, factors={"timed": float(cue.span is not None)}),
            source=self.source,
            data={"transcript": text},
        )
