"""What the memory compares: passages, the affect of their words, and their stance.

Embedding distance does not separate antonyms: sentence models put joyful near sorrowful,
since both occur in the same contexts. With any embedder, two passages are neighbours only
if they share something that can be named (a sign, a family, a cue or a word) and do not
point opposite ways.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from pydantic import Field

from emer.agents.lexicon.cue_parser import Reading, is_negated, normal_text, read
from emer.agents.lexicon.lexicon import lexicon, read_rows
from emer.agents.rules.fusion import POLAR, weigh
from emer.agents.rules.labels import RIVAL_SHARE
from emer.tools.types import Clue, Modality, Quality, Record, Source

MOST_LINES = 16
"""Lines of a passage: more would blur it, and exceed what a sentence model reads (by us)."""
POLARITY = Path(__file__).parent / "polarity.csv"
"""Valence of words that the lexicon lacks, ours: 1 pleasant, -1 unpleasant."""

POSSIBLE = 0.35
"""Probability from which a passage speaks for a family (as the rules list hypotheses), if
it is nearly that of the leading one."""
PLEASANT = 0.25
"""Valence of a word from which it has a sign (chosen by us)."""
AROUSED = 0.35
"""Absolute arousal of a word from which it counts as high or low (chosen by us)."""
ATTENTION = "alert"
"""The kin of surprise, interest and confusion, which have no sign of their own."""
STEM = 6
"""Characters of a word that are compared."""

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
_LONG_WORD = re.compile(r"[a-z]{4,}|[\u4e00-\u9fff]{2}")
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


@dataclass(frozen=True, slots=True)
class Stance:
    """Families, signs of valence and arousal, cues and words of a passage."""

    families: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    signs: frozenset[int] = frozenset()
    """1 for a pleasant display, -1 for an unpleasant one."""
    arousal: frozenset[int] = frozenset()
    """1 for a word of high arousal, -1 for one of low."""
    cues: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()


def stance_of(passage: Passage, families: Sequence[str] = (), labels: Sequence[str] = ()) -> Stance:
    """Stance of a passage; `families` or `labels` take precedence over its text."""
    readings = passage.readings
    named = (lexicon().family_of(label) for label in labels)
    asserted = frozenset((*families, *(name for name in named if name)))
    denied: frozenset[str] = frozenset()
    observed = (line.text for line in passage.lines if line.modality != "text")
    text = " . ".join(labels if asserted or labels else observed)  # transcripts count by their cues
    if not (asserted or labels):
        standings = weigh(readings)
        enough = max(POSSIBLE, RIVAL_SHARE * standings[0].probability)
        asserted = frozenset(s.family for s in standings if s.supports and s.probability >= enough)
        denied = (
            frozenset(s.family for s in standings if s.contradicts and not s.supports) - asserted
        )
    words = tuple(affects(text))
    stems = _LONG_WORD.findall(passage.text.casefold())
    return Stance(
        families=asserted,
        denied=denied,
        signs=_signs(asserted, denied, words),
        arousal=frozenset(1 if a.arousal > 0 else -1 for a in words if abs(a.arousal) >= AROUSED),
        cues=frozenset(m.cue for r in readings for m in r.mentions if not m.negated),
        words=frozenset(word[:STEM] for word in stems if word not in stop_words()),
    )


def opposed(one: Stance, other: Stance) -> bool:
    """True if two passages point opposite ways, in valence or in arousal.

    Arousal opposes only pleasant passages, as calm and excited: unpleasant displays of
    high and low arousal occur together.
    """
    if one.signs and other.signs and one.signs.isdisjoint(other.signs):
        return True
    if one.signs == other.signs == {1} and one.arousal and other.arousal:
        return one.arousal.isdisjoint(other.arousal)
    return any(a.families and a.families <= b.denied for a, b in ((one, other), (other, one)))


def akin(one: Stance, other: Stance) -> bool:
    """True if two passages share a sign, a family, a cue or a word."""
    return bool(
        one.signs & other.signs
        or one.families & other.families
        or one.cues & other.cues
        or one.words & other.words
    )


def _signs(
    families: frozenset[str], denied: frozenset[str], words: Sequence[Affect]
) -> frozenset[int]:
    """Return the signs of families and words, or the opposite of what is denied."""
    valences = [*_valences(families), *(a.valence for a in words if abs(a.valence) >= PLEASANT)]
    if not valences and not families:
        valences = [-valence for valence in _valences(denied)]
    return frozenset(1 if valence > 0 else -1 for valence in valences)


def _valences(families: Iterable[str]) -> list[float]:
    """Return the valences of the polar families; attention has no sign."""
    table = lexicon().families
    entries = (table[family] for family in families)
    return [f.valence for f in entries if f.kin != ATTENTION and abs(f.valence) >= POLAR]
