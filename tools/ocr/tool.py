"""The OCR tool: reads the subtitles that are burnt into the picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Final

from emer.tools.errors import Unobservable
from emer.tools.media.clip import Clip
from emer.tools.ocr.band import LEGIBLE, UNREAD, Subtitle, legible, read_line, subtitles
from emer.tools.ocr.line_tracks import FPS, LineFollower
from emer.tools.ocr.networks import TOOL, Networks
from emer.tools.registry import register
from emer.tools.runtime.memo import Memo
from emer.tools.text import one_line
from emer.tools.types import Clue, Modality, Param, Quality, Source, Span

CACHED: Final = 8
"""Clips whose subtitles are cached for calls about a span."""
MOST_UNREAD: Final = 0.34
"""Share of letters that could not be read up to which the words are stated."""
LEAST_SURE: Final = 0.75
"""Mean probability of the letters from which the words are stated (chosen by us)."""
QUOTES: Final = {ord(mark): "'" for mark in '"“”„«»'}


@register("ocr", slot="ocr", rank=10)
class Ocr:
    """Reads burnt-in subtitles in Chinese and English with PP-OCR."""

    modality: Modality = "text"
    description = (
        "Reads the subtitles that are burnt into the picture, with their times; logos, running "
        "text and writing in the scene are left out."
    )

    def __init__(self) -> None:
        """Load nothing; the packages are looked for by `source`."""
        self._clips: Memo[Sequence[Subtitle]] = Memo(CACHED)

    @property
    def source(self) -> Source:
        """Name, version and networks; `ToolMissing` where the packages are absent."""
        networks = Networks()
        names = f"{networks.detector.stem}, {networks.recogniser.stem}"
        return Source(tool=TOOL, version=f"1, rapidocr {version('rapidocr')}", model=names)

    @property
    def hardware(self) -> Mapping[str, Param]:
        return {"device": "cpu", "threads": 1}

    def load(self) -> None:
        Networks().load()

    def unload(self) -> None:
        Networks().unload()

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """A clue per subtitle; none where there is no picture, or none is burnt in.

        A clip without subtitles lacks no evidence; `Unobservable` is for a span without one.
        """
        if not clip.video:
            return ()
        found = self._clips.get(clip.sha256, lambda: _subtitles(clip), clip.is_complete)
        source = self.source
        clues = [_clue(each, source) for each in found if span is None or each.span.overlaps(span)]
        if span is not None and not clues:
            raise Unobservable("no burnt-in subtitle stands there")
        return clues


def _subtitles(clip: Clip) -> Sequence[Subtitle]:
    """The subtitles of a clip; each stands to the middle between two pictures."""
    networks = Networks()
    follower = LineFollower(networks.detect, networks.read)
    lines = [read_line(line, networks.read) for line in follower.lines(clip.frames(fps=FPS))]
    half, end = 0.5 / FPS, clip.duration
    return tuple(
        replace(
            each,
            span=Span(start=max(0.0, each.span.start - half), end=min(end, each.span.end + half)),
        )
        for each in subtitles(lines)
    )


def _plain(letter: str) -> str:
    """A letter that neither ends a quotation nor steers a terminal."""
    return one_line(letter).translate(QUOTES) or " "


def _clue(subtitle: Subtitle, source: Source) -> Clue:
    letters = subtitle.letters
    unread = sum(each < LEGIBLE for each in letters.probabilities) / len(letters.text)
    words = one_line(legible(letters)).translate(QUOTES)
    limit = f" ({UNREAD}: not readable)" if UNREAD in words else ""
    factors = {
        "ocr_probability": round(letters.mean, 3),
        "unread_share": round(unread, 3),
        "letter_height": round(subtitle.height, 3),
    }
    pairs = zip(letters.text, letters.probabilities, strict=True)
    return Clue(
        modality="text",
        span=subtitle.span,
        text=f'The burnt-in subtitle reads: "{words}"{limit}.',
        quality=Quality(score=round(letters.mean * (1 - unread), 3), factors=factors),
        source=source,
        data={
            "transcript": words,
            # Cleaned one by one, since sentences are made of them again (`agents/same_words.py`).
            "letters": [[_plain(letter), round(sure, 2)] for letter, sure in pairs],
            "middle": round(subtitle.middle, 3),
        },
        kind="transcribed",
        certainty="stated" if letters.mean >= LEAST_SURE and unread <= MOST_UNREAD else "doubtful",
    )
