"""What is compared: sentences, each with the modality it speaks on."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pydantic import Field

from emer.agents.cues import Reading, read
from emer.tools.types import Clue, Modality, Quality, Record, Source

MOST_LINES = 16
"""Lines of a passage: more would blur it, and run over what a sentence model reads (by us)."""

_SOURCE = Source(tool="memory", version="1")
_QUOTED = re.compile(r"\"[^\"]+\"|“[^”]+”|「[^」]+」")
_ENDS = re.compile(r"(?<=[.!?;])\s+|(?<=[。；！？])|\n+")  # noqa: RUF001
_HEARD = re.compile(
    r"\b(?:voice|pitch|tone|intonation|speech|speaks?|speaking|volume|laughter|sobb?\w*|sighs?"
    r"|heard|sounds?|whisper\w*|shout\w*|loud\w*|paus\w+)\b|声|语|音|叹气|哭腔|停顿"
)


class Line(Record):
    """One sentence, the modality it speaks on, and how well it was measured."""

    modality: Modality
    text: str = Field(min_length=1)
    quality: float = Field(default=1.0, ge=0, le=1)


class Passage(Record):
    """Sentences that belong together: a clip's clues, a card, or what somebody searches."""

    lines: tuple[Line, ...] = ()

    @property
    def text(self) -> str:
        """The sentences, one a line."""
        return "\n".join(line.text for line in self.lines)

    @property
    def readings(self) -> tuple[Reading, ...]:
        """What the cue lexicon reads from the sentences."""
        return read(
            Clue(
                modality=line.modality,
                span=None,
                text=line.text,
                quality=Quality(score=line.quality),
                source=_SOURCE,
            )
            for line in self.lines
        )


def of_clues(clues: Iterable[Clue]) -> Passage:
    """Return the passage of a clip: the clues that state a cue, the best measured first."""
    told = sorted(read(clues), key=lambda r: (not r.mentions, -r.reliability, r.clue.id))
    return Passage(
        lines=tuple(
            Line(modality=r.clue.modality, text=r.clue.text, quality=r.clue.quality.score)
            for r in told[:MOST_LINES]
        )
    )


def of_text(text: str) -> Passage:
    """Return the passage of free text: what is quoted is said, the rest is heard or seen.

    Text in which no cue is seen or heard is taken as words that are said, too.
    """
    said = _QUOTED.findall(text)
    told = (" ".join(part.split()) for part in _ENDS.split(_QUOTED.sub(" ", text)))
    lines = [line for part in told if part for line in _observed(part)]
    if lines and not said and not _states_cues(lines):
        said = [f'"{text}"']
    return Passage(lines=(*lines, *_said(said)))


def _observed(sentence: str) -> list[Line]:
    """Return the sentence as it is heard, as it is seen, or as both where it speaks of both."""
    heard = Line(modality="audio", text=sentence)
    seen = Line(modality="face", text=sentence)
    if not _HEARD.search(sentence.casefold()):
        return [seen]
    return [seen, heard] if _states_cues([seen]) else [heard]


def _states_cues(lines: Iterable[Line]) -> bool:
    return any(reading.mentions for reading in Passage(lines=tuple(lines)).readings)


def _said(quotes: Iterable[str]) -> list[Line]:
    return [Line(modality="text", text=f"The words: {quote}") for quote in quotes]
