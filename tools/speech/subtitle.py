"""The subtitle tool: words that are given with the clip, as clues."""

from __future__ import annotations

from collections.abc import Sequence

from emer.tools.errors import Unobservable
from emer.tools.media.clip import Clip
from emer.tools.media.subtitles import SubtitleCue
from emer.tools.registry import register
from emer.tools.speech.transcript import quoted
from emer.tools.types import Clue, Modality, Quality, Source, Span


@register("subtitle", slot="speech")
class Subtitle:
    """Reads the given subtitle; its words and times are trusted."""

    modality: Modality = "text"
    description = "Reads the words given as the clip's subtitle, with their times if they have any."

    @property
    def source(self) -> Source:
        """Name and version; the words themselves are part of the clip."""
        return Source(tool="subtitle", version="1")

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """A clue per cue in `span` or without time; `Unobservable` when there is none."""
        if not clip.subtitle:
            raise Unobservable("no subtitle is given")
        within = span or Span(start=0, end=clip.duration)
        end = clip.duration
        clues = [self._clue(cue, end) for cue in clip.subtitle if _is_inside(cue, within)]
        if not clues:
            raise Unobservable("the subtitle has no words there")
        return clues

    def _clue(self, cue: SubtitleCue, duration: float) -> Clue:
        text = " ".join(cue.text.split())
        timed = float(cue.span is not None)
        who = f" ({cue.speaker})" if cue.speaker else ""
        told = f'The subtitle reads{who}: "{quoted(text)}".'
        sound = f'The subtitle tells of a sound: "{quoted(text)}".'
        data = {"sound": text} if cue.is_sound else {"transcript": text}
        return Clue(
            modality="text",
            span=cue.span and Span(start=cue.span.start, end=min(cue.span.end, duration)),
            text=sound if cue.is_sound else told,
            quality=Quality(score=0.9 + 0.1 * timed, factors={"timed": timed}),
            source=self.source,
            data={**data, **({"speaker": cue.speaker} if cue.speaker else {})},
            kind="transcribed",
        )


def _is_inside(cue: SubtitleCue, within: Span) -> bool:
    if not cue.text.strip():
        return False
    return cue.span is None or (cue.span.start < within.end and cue.span.end > within.start)
