"""What is compared; valence of its words.

What is compared: sentences, each with the modality it speaks on.

Words that stand in nearly every clue sentence and make no two of them alike.

How pleasant and how stirred the emotion words of a text are; a denied word is turned round.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from pydantic import Field

from emer.agents.lexicon.cue_parser import Reading, is_negated, read
from emer.agents.lexicon.lexicon import lexicon
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


_WORDS = """
a about above after again also and appears are before being but clearly corner corners during
every for from has have he head heard her his in into is it its looks mouth moves much not of
once one other over person person's reads says she shows slightly some speaks strongly subtitle
than that the their them then there they this throughout to tone very visible voice was were
what when which while who with words you your
"""


@cache
def common() -> frozenset[str]:
    """Return the words, in lower case."""
    return frozenset(_WORDS.split())


TABLE = Path(__file__).parent / "polarity.csv"
"""Words beside those of the lexicon, ours: 1 pleasant, -1 unpleasant."""

_PRIVATIVE = re.compile(r"^(?:un|dis|non-?)(?=[a-z]{4})|(?<=[a-z]{3})less(?:ly|ness)?$")
_WORD = re.compile(r"[a-z][a-z'-]+|[\u4e00-\u9fff]{2,4}")
_CLAUSE = re.compile(r"[,;:.!?，；：。！？]|\b(?:but|and|while|then)\b|但|而|却")  # noqa: RUF001


class Affect(NamedTuple):
    """Valence and arousal, each in [-1, 1]."""

    valence: float
    arousal: float

    @property
    def turned(self) -> Affect:
        """What denying it says: the opposite, as far as anything."""
        return Affect(-self.valence, -self.arousal)


def affects(text: str) -> Iterator[Affect]:
    """Yield the affect of each word of the text that has one."""
    plain = " ".join(text.casefold().replace("’", "'").split())  # noqa: RUF001
    for word, start in _words(plain):
        found = of_word(word)
        if found is not None:
            before = _CLAUSE.split(plain[:start])[-1]
            yield found.turned if is_negated(before) else found


def of_word(word: str) -> Affect | None:
    """Return the affect of a word, None where neither it nor what it denies is known."""
    known = _known()
    if word in known:
        return known[word]
    bare = _PRIVATIVE.sub("", word)
    for stem in (bare, f"{bare}ful") if bare != word else ():
        if stem in known:
            return known[stem].turned
    return None


def _words(plain: str) -> Iterator[tuple[str, int]]:
    """Yield words with their places; of Chinese, every known run of characters."""
    for match in _WORD.finditer(plain):
        if match.group().isascii():
            yield match.group(), match.start()
    for word in _known_chinese():
        for match in re.finditer(word, plain):
            yield word, match.start()


@lru_cache(maxsize=1)
def _known() -> Mapping[str, Affect]:
    with TABLE.open(newline="", encoding="utf-8") as file:
        ours = {row["word"]: Affect(float(row["valence"]), 0.0) for row in csv.DictReader(file)}
    labels = {
        form: Affect(label.valence, label.arousal)
        for label in reversed(lexicon().labels)
        for form in (*label.words, *label.words_zh, label.name)
    }
    return ours | labels


@lru_cache(maxsize=1)
def _known_chinese() -> tuple[str, ...]:
    return tuple(sorted(word for word in _known() if not word.isascii() and len(word) > 1))
