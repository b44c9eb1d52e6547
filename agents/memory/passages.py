"""What the memory compares: passages of sentences, and the affect of their words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from pydantic import Field

from emer.agents.lexicon.cue_parser import Reading, is_negated, normal_text, read
from emer.agents.lexicon.lexicon import lexicon, read_rows
from emer.tools.types import Clue, Modality, Quality, Record, Source

MOST_LINES = 16
"""Lines of a passage: more would blur it, and exceed what a sentence model reads (by us)."""
POLARITY = Path(__file__).parent / "polarity.csv"
"""Valence of words that the lexicon lacks, ours: 1 pleasant, -1 unpleasant."""

_STOP_WORDS = """
a about above after again also and appears are before being but clearly corner corners during
every for from has have he head heard her his in into is it its looks mouth moves much not of
once one other over person person's reads says she shows slightly some speaks strongly subtitle
than that the their them then there they this throughout to tone very visible voice was were
what when which while who with words you your
"""
_SOURCE = Source(tool="memory", version="1")
_QUOTED = re.compile(r"\"[^\"]+\"|“[^”]+”|「[^」]+」")
_ENDS = re.compile(r"(?<=[.!?;])\s+|(?<=[。；！？])|\n+")  # noqa: RUF001
_VOCAL = re.compile(
    r"\b(?:voice|pitch|tone|intonation|speech|speaks?|speaking|volume|laughter|sobb?\w*|sighs?"
    r"|heard|sounds?|whisper\w*|shout\w*|loud\w*|paus\w+)\b|声|语|音|叹气|哭腔|停顿"
)
_PRIVATIVE = re.compile(r"^(?:un|dis|non-?)(?=[a-z]{4})|(?<=[a-z]{3})less(?:ly|ness)?$")
_WORD = re.compile(r"[a-z][a-z'-]+|[\u4e00-\u9fff]{2,4}")
_CLAUSE = re.compile(r"[,;:.!?，；：。！？]|\b(?:but|and|while|then)\b|但|而|却")  # noqa: RUF001


class Line(Record):
    """One sentence with its modality and the quality of its measurement."""

    modality: Modality
    text: str = Field(min_length=1)
    quality: float = Field(default=1.0, ge=0, le=1)


class Passage(Record):
    """Sentences that belong together: a clip's clues, a card, or a search text."""

    lines: tuple[Line, ...] = ()

    @property
    def text(self) -> str:
        """The sentences, one a line."""
        return "\n".join(line.text for line in self.lines)

    @property
    def readings(self) -> tuple[Reading, ...]:
        """Cues that the lexicon reads from the sentences."""
        return _readings(self)


class Affect(NamedTuple):
    """Valence and arousal, each in [-1, 1]."""

    valence: float
    arousal: float

    @property
    def negated(self) -> Affect:
        """The affect of the denied word: both signs flipped."""
        return Affect(-self.valence, -self.arousal)


def of_clues(clues: Iterable[Clue]) -> Passage:
    """Passage of a clip: clues that state a cue first, then by quality."""
    ranked = sorted(read(clues), key=lambda r: (not r.mentions, -r.reliability, r.clue.id))
    return Passage(
        lines=tuple(
            Line(modality=r.clue.modality, text=r.clue.text, quality=r.clue.quality.score)
            for r in ranked[:MOST_LINES]
        )
    )


def of_text(text: str) -> Passage:
    """Passage of free text: quotations are speech, the rest is heard or seen.

    Text that states no visible or audible cue counts as spoken words as well.
    """
    quotes = _QUOTED.findall(text)
    sentences = (" ".join(part.split()) for part in _ENDS.split(_QUOTED.sub(" ", text)))
    lines = [line for part in sentences if part for line in _observed(part)]
    if lines and not quotes and not _states_cues(lines):
        quotes = [f'"{text}"']
    spoken = (Line(modality="text", text=f"The words: {quote}") for quote in quotes)
    return Passage(lines=(*lines, *spoken))


@cache
def stop_words() -> frozenset[str]:
    """Lower-case words of nearly every clue sentence, which carry no likeness."""
    return frozenset(_STOP_WORDS.split())


def affects(text: str) -> Iterator[Affect]:
    """Yield the affect of each emotion word of a text; negation flips its signs."""
    plain = normal_text(text)
    for word, start in _words(plain):
        affect = _affect_of(word)
        if affect is not None:
            before = _CLAUSE.split(plain[:start])[-1]
            yield affect.negated if is_negated(before) else affect


@lru_cache(maxsize=4_096)
def _readings(passage: Passage) -> tuple[Reading, ...]:
    return read(
        Clue(
            modality=line.modality,
            span=None,
            text=line.text,
            quality=Quality(score=line.quality),
            source=_SOURCE,
        )
        for line in passage.lines
    )


def _observed(sentence: str) -> list[Line]:
    """Return the sentence as audio, as face, or as both where it states cues of both."""
    audio = Line(modality="audio", text=sentence)
    face = Line(modality="face", text=sentence)
    if not _VOCAL.search(sentence.casefold()):
        return [face]
    return [face, audio] if _states_cues([face]) else [audio]


def _states_cues(lines: Iterable[Line]) -> bool:
    return any(reading.mentions for reading in Passage(lines=tuple(lines)).readings)


def _words(plain: str) -> Iterator[tuple[str, int]]:
    """Yield words with their positions; of Chinese, every known run of characters."""
    for match in _WORD.finditer(plain):
        if match.group().isascii():
            yield match.group(), match.start()
    for word in () if plain.isascii() else _chinese_words():
        for match in re.finditer(word, plain):
            yield word, match.start()


def _affect_of(word: str) -> Affect | None:
    """Return a word's affect, or the negated affect of a stem that its affix denies."""
    table, bare = _affect_table(), _PRIVATIVE.sub("", word)
    if word in table or bare == word:
        return table.get(word)
    stem = next((stem for stem in (bare, f"{bare}ful") if stem in table), None)
    return table[stem].negated if stem else None


@cache
def _affect_table() -> Mapping[str, Affect]:
    ours = {row["word"]: Affect(float(row["valence"]), 0.0) for row in read_rows(POLARITY)}
    labels = {
        form: Affect(label.valence, label.arousal)
        for label in reversed(lexicon().labels)
        for form in (*label.words, *label.words_zh, label.name)
    }
    return ours | labels


@cache
def _chinese_words() -> tuple[str, ...]:
    return tuple(sorted(w for w in _affect_table() if not w.isascii() and len(w) > 1))
