"""What a recogniser with a model is given and gives: windows of sound, and the words in them."""

from __future__ import annotations

import zlib
from collections.abc import Hashable
from dataclasses import dataclass

from emer.tools.speech.vad import Samples


@dataclass(frozen=True, slots=True)
class Run:
    """How a recogniser is run; device, batch and threads do not touch what comes out."""

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
    """Whether only the sound and a little silence is encoded, where the words are then sure."""
    language: str | None = None
    """Code of the language that the model is told, None where it is to be found out."""

    @property
    def differs(self) -> tuple[Hashable, ...]:
        """What of it changes what comes out of a loaded model."""
        return self.beam, self.translate, self.fit, self.language


@dataclass(frozen=True, slots=True)
class Window:
    """Sound to be decoded at once: mono, 16 kHz, at most 30 s."""

    sound: Samples
    clip: str
    """Windows of one clip are in one language."""
    language: str | None = None
    """Code of the language, None where it is to be found out."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A word as it is written, with the space before it where the language has one.

    `start` and `end` are seconds, of the window or, later, of the clip.
    """

    text: str
    start: float
    end: float
    probability: float


@dataclass(frozen=True, slots=True)
class Text:
    """Words as the model wrote them, and the mean log-probability of their tokens (natural)."""

    text: str
    logprob: float


@dataclass(frozen=True, slots=True)
class Heard:
    """What is heard in a window."""

    said: Text
    words: tuple[Spoken, ...]
    """Empty where the model gives no times."""
    language: str | None = None
    language_probability: float | None = None
    no_speech: float | None = None
    """Probability that nobody speaks, where the model says."""
    unfinished: bool = False
    """The model had more to write than it may at once."""
    translation: Text | None = None
    """The same in English, where the language is another and the model translates."""


def differing(english: Text | None, said: str) -> Text | None:
    """Return a translation, None where the model only wrote the same again, or nothing."""
    if english is None or not _letters(english.text) or _letters(english.text) == _letters(said):
        return None
    return english


def _letters(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def compression(text: str) -> float:
    """Return how much smaller zlib makes a text: text that repeats itself, much smaller."""
    plain = text.encode()
    return len(plain) / len(zlib.compress(plain)) if plain else 0.0
