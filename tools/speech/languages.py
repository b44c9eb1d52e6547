"""Languages of speech models: codes, names, detection, decoding, script."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, NamedTuple

from emer.tools.errors import ConfigError
from emer.tools.runtime.native import importing
from emer.tools.speech.transcript import TimedWord, Transcript, Window, distinct_translation

ENGLISH = "en"
AUTO = "auto"
CHINESE = "zh"
MULTILINGUAL = 51865
"""Vocabulary size from which a Whisper model is multilingual (openai-whisper)."""
CLEAR = 0.7
"""Lead of the likeliest language over the next below which the clip's language is in doubt.

Measured with whisper-base on short clips, clean and in noise: right in 149 of 153 clips with at
least this lead, in 16 of 45 with less (evals/LOG.md, 2026-11-30)."""
Task = Literal["transcribe", "translate"]
"""What a model writes: the words, or their translation into English."""


class LanguageGuess(NamedTuple):
    """A language to decode in, and the probability of each where it was detected."""

    language: str
    probabilities: Mapping[str, float] | None


@cache
def languages() -> Mapping[str, str]:
    """English name by code: of ISO 639, with Whisper's jw for Javanese."""
    with Path(__file__).with_name("languages.csv").open(newline="", encoding="utf-8") as file:
        return {row["code"]: row["name"] for row in csv.DictReader(file)}


def name_of(code: str) -> str:
    """English name of a language, or its code where it is unknown."""
    return languages().get(code, code)


def code_of(wanted: str, key: str) -> str | None:
    """Code of a language given by code or name; None for "auto".

    `ConfigError` names the argument `key` for an unknown language.
    """
    plain = wanted.strip().casefold()
    if plain == AUTO:
        return None
    for code, name in languages().items():
        if plain in (code, name.casefold()):
            return code
    raise ConfigError(f"{key}: there is no language {wanted!r}; write auto, de, German, ...")


def translates(multilingual: bool, encoder_layers: int, decoder_layers: int) -> bool:
    """Whether a Whisper model was trained to translate, by its layers.

    By its README turbo was not; turbo and the distilled models have fewer layers in the
    decoder than in the encoder.
    """
    return multilingual and decoder_layers >= encoder_layers


def require_language(
    tool: str, model: str, wanted: str | None, known: Collection[str] | None
) -> None:
    """Raise `ConfigError` for a language that the model does not know.

    Args:
        tool: Name of the tool, for the message.
        model: Name of the model, for the message.
        wanted: Code of the language; None where it is detected.
        known: Codes that the model knows; None where the model does not say.
    """
    if wanted is None or known is None or wanted in known:
        return
    alone = set(known) == {ENGLISH}
    more, other = (", only English", "a multilingual model") if alone else ("", "one that does")
    raise ConfigError(
        f"{tool}.language: the model {model} does not know {name_of(wanted)}{more}; "
        f'leave language = "auto" or take {other}'
    )


@dataclass(frozen=True, slots=True)
class SpokenLanguage:
    """The language of a clip's speech, and the one that is next most likely."""

    code: str
    probability: float
    """Mean over the clip's speech, weighted by its seconds."""
    other: str
    other_probability: float

    @property
    def is_clear(self) -> bool:
        """Whether it is ahead of the next by `CLEAR`."""
        return self.probability - self.other_probability >= CLEAR

    @property
    def doubt(self) -> str | None:
        """What is said of a language that is not clear: "the language is Dutch or German"."""
        if self.is_clear:
            return None
        return f"the language may be {name_of(self.code)} or {name_of(self.other)}"


def spoken_language(
    heard: Iterable[tuple[float, Mapping[str, float] | None]],
) -> SpokenLanguage | None:
    """Language of a clip from the seconds and probabilities of its windows.

    None where no window has probabilities.
    """
    total: dict[str, float] = defaultdict(float)
    length = 0.0
    for seconds, probabilities in heard:
        if probabilities:
            length += seconds
            for code, probability in probabilities.items():
                total[code] += seconds * probability
    if not length:
        return None
    ranked = sorted(total, key=lambda code: (-total[code], code))
    first, second = (*ranked, ENGLISH)[:2]
    return SpokenLanguage(first, total[first] / length, second, total.get(second, 0.0) / length)


def detect_languages(
    windows: Sequence[Window], detect: Callable[[list[int]], Sequence[Mapping[str, float]]] | None
) -> list[LanguageGuess]:
    """Language to decode each window in, and probabilities where it is unknown.

    `detect` returns, for windows by their index, the probability of each language; None of a
    model for English alone. What is expected is decoded in even where this window alone sounds
    like another language: the clip's is decided over all of its speech.
    """
    if detect is None:
        return [LanguageGuess(ENGLISH, None)] * len(windows)
    unknown = [place for place, window in enumerate(windows) if window.language is None]
    rows = dict(zip(unknown, detect(unknown) if unknown else (), strict=True))
    likely = {
        clip: spoken_language((len(windows[n].sound), rows[n]) for n in unknown
                              if windows[n].clip == clip)
        for clip in {windows[n].clip for n in unknown}
    }  # fmt: skip
    guesses = []
    for place, window in enumerate(windows):
        found = likely.get(window.clip)
        code = window.language or window.expected or (found.code if found else ENGLISH)
        guesses.append(LanguageGuess(code, rows.get(place)))
    return guesses


def decode_by_language(
    guesses: Sequence[LanguageGuess],
    write: Callable[[str, list[int], Task], Sequence[Transcript]],
    translate: bool = False,
) -> list[Transcript]:
    """Transcripts in order, with their language.

    `write` gets the windows of one language by index; with `translate` it is asked for the
    translation of those with words, too, where the language is not English.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for place, guess in enumerate(guesses):
        groups[guess.language].append(place)
    transcripts: dict[int, Transcript] = {}
    for language, places in groups.items():
        for place, each in zip(places, write(language, places, "transcribe"), strict=True):
            transcripts[place] = replace(
                each,
                language=language or None,
                languages=guesses[place].probabilities,
            )
        spoken = [place for place in places if transcripts[place].original.text]
        if not translate or language in ("", ENGLISH) or not spoken:
            continue
        for place, each in zip(spoken, write(language, spoken, "translate"), strict=True):
            words = transcripts[place].original.text
            english = distinct_translation(each.original, words)
            transcripts[place] = replace(transcripts[place], translation=english)
    return [transcripts[place] for place in range(len(guesses))]


def converts() -> bool:
    """Whether OpenCC is installed; without it characters stay as they were written.

    Whisper writes Mandarin in simplified or traditional characters, from clip to clip; subtitles
    and the lexicon are in simplified ones.
    """
    return find_spec("opencc") is not None


def simplified(text: str) -> str:
    """The text in simplified characters."""
    return str(_converter().convert(text)) if converts() else text


def simplified_words(words: Sequence[TimedWord], language: str | None) -> tuple[TimedWord, ...]:
    """The words of a transcript, those of Mandarin in simplified characters."""
    if language != CHINESE or not converts():
        return tuple(words)
    return tuple(replace(word, text=simplified(word.text)) for word in words)


@cache
def _converter() -> Any:
    with importing():
        from opencc import OpenCC
    return OpenCC("t2s")
