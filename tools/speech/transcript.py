"""Records of speech recognition, and the clue sentences of transcripts."""

from __future__ import annotations

import zlib
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from emer.tools.speech.vad import RATE, Samples
from emer.tools.types import Span

OPENING, CLOSING = "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、"  # noqa: RUF001
"""Marks that belong to the word after, and before them, by Whisper's libraries."""


@dataclass(frozen=True, slots=True)
class AsrOptions:
    """How a recogniser is run; device, batch and threads do not change the result."""

    device: str
    precision: str
    """float32, float16 ...; for faster-whisper also int8."""
    batch: int
    """Windows decoded at once."""
    beam: int
    translate: bool
    """Whether another language is translated into English, where the model can."""
    threads: int
    """Of the CPU, where it runs there."""
    fit: bool = False
    """Whether windows fit the sound, where the words are then sure."""
    language: str | None = None
    """Code of the language that is given to the model; None to detect it."""

    @property
    def differs(self) -> tuple[Hashable, ...]:
        """The options that change what a loaded model returns."""
        return self.beam, self.translate, self.fit, self.language


@dataclass(frozen=True, slots=True)
class Window:
    """Sound that is decoded at once: mono, 16 kHz, at most 30 s."""

    sound: Samples
    clip: str
    """Windows of one clip are in one language."""
    language: str | None = None
    """Code of the language that is known; None to detect it."""
    expected: str | None = None
    """Code of the clip's likely language, in which to decode while it is detected."""


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word as it is written, with the space before it where the language has one.

    `start` and `end` are seconds, of the window or, later, of the clip.
    """

    text: str
    start: float
    end: float
    probability: float


@dataclass(frozen=True, slots=True)
class ScoredText:
    """Text of a model, and the mean log-probability of its tokens (natural logarithm)."""

    text: str
    logprob: float


@dataclass(frozen=True, slots=True)
class Transcript:
    """The transcript of one window."""

    original: ScoredText
    """In the language that is spoken."""
    words: tuple[TimedWord, ...]
    """Empty where the model gives no times."""
    language: str | None = None
    """Code of the language in which it was decoded."""
    languages: Mapping[str, float] | None = None
    """Probability of each language that the model hears in this window, where it says."""
    no_speech: float | None = None
    """Probability that the window holds no speech, where the model gives one."""
    unfinished: bool = False
    """The model reached the number of tokens that it may write at once."""
    translation: ScoredText | None = None
    """The same in English, where the language is another and the model translates."""


def timed_words(
    words: Iterable[tuple[str, float, float, float]], sound: Samples
) -> tuple[TimedWord, ...]:
    """Words from text, start, end and probability; times end with the sound."""
    length = len(sound) / RATE
    return tuple(
        TimedWord(text, min(float(start), length), min(float(end), length), float(probability))
        for text, start, end, probability in words
        if text.strip()
    )


def distinct_translation(english: ScoredText, original: str) -> ScoredText | None:
    """A translation; None where it is empty or only repeats the original."""
    texts = (english.text.casefold(), original.casefold())
    written, spoken = ("".join(filter(str.isalnum, text)) for text in texts)
    return english if written and written != spoken else None


def compression(text: str) -> float:
    """Compression ratio of a text by zlib; repetitive text has a high one."""
    plain = text.encode()
    return len(plain) / len(zlib.compress(plain)) if plain else 0.0


UNSURE = "low recognition confidence"
"""Marks words that may be wrong, for the reader of the sentence."""
_QUOTES = {ord(mark): "'" for mark in '"“”„«»'}


def quoted(text: str) -> str:
    """The words on one line, without quotation marks that would end the quotation."""
    return " ".join(text.split()).translate(_QUOTES)


def says(text: str, sure: bool, why: str | None = None) -> str:
    """Sentence of an utterance, marked when it may be wrong, with a known reason."""
    if sure:
        return f'The person says: "{quoted(text)}".'
    mark = UNSURE if why is None else f"{UNSURE}: {why}"
    return f'The person may be saying: "{quoted(text)}" ({mark}).'


def translated(text: str, language: str, sure: bool) -> str:
    """The sentence of a translation into English by the recogniser."""
    clause = "the person says" if sure else "the person may be saying"
    mark = "" if sure else f" ({UNSURE})"
    return f'Translated from {language} into English, {clause}: "{quoted(text)}"{mark}.'


def not_recognised(speech: Sequence[Span]) -> str:
    """The reason why there are no words although there is speech."""
    return (
        f"speech is heard at {times(speech)} but the words could not be recognised; "
        "give them with --subtitle"
    )


def times(speech: Sequence[Span]) -> str:
    """The stretches as "0.3-2.1 s, 3.4-5.0 s", the first four of many."""
    shown = ", ".join(f"{s.start:.1f}-{s.end:.1f} s" for s in speech[:4])
    rest = len(speech) - 4
    return f"{shown} and {rest} more time{'s' * (rest > 1)}" if rest > 0 else shown
