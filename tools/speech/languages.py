"""Languages of speech models: codes, names, detection, decoding by language."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from emer.tools.errors import ConfigError
from emer.tools.speech.transcript import Transcript, Window, distinct_translation

ENGLISH = "en"
AUTO = "auto"
MULTILINGUAL = 51865
"""Vocabulary size from which a Whisper model is multilingual (openai-whisper)."""
Task = Literal["transcribe", "translate"]
"""What a model writes: the words, or their translation into English."""


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


class LanguageGuess(NamedTuple):
    """A language by its code, and its probability where it was detected."""

    language: str
    probability: float | None


def detect_languages(
    windows: Sequence[Window], detect: Callable[[list[int]], Sequence[Mapping[str, float]]] | None
) -> list[LanguageGuess]:
    """Language of each window: the one given, else one for all windows of a clip.

    `detect` returns, for windows by their index, the probability of each language; None of a
    model for English alone. The language of a clip is the one with the largest mean.
    """
    if detect is None:
        return [LanguageGuess(ENGLISH, None)] * len(windows)
    unknown = [place for place, window in enumerate(windows) if window.language is None]
    clips: dict[str, list[Mapping[str, float]]] = defaultdict(list)
    for place, probabilities in zip(unknown, detect(unknown) if unknown else (), strict=True):
        clips[windows[place].clip].append(probabilities)
    guesses = {}
    for clip, rows in clips.items():
        mean = {code: sum(each[code] for each in rows) / len(rows) for code in rows[0]}
        best = max(mean, key=mean.__getitem__)
        guesses[clip] = LanguageGuess(best, mean[best])
    return [
        guesses[window.clip] if window.language is None else LanguageGuess(window.language, None)
        for window in windows
    ]


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
                language_probability=guesses[place].probability,
            )
        spoken = [place for place in places if transcripts[place].original.text]
        if not translate or language in ("", ENGLISH) or not spoken:
            continue
        for place, each in zip(spoken, write(language, spoken, "translate"), strict=True):
            words = transcripts[place].original.text
            english = distinct_translation(each.original, words)
            transcripts[place] = replace(transcripts[place], translation=english)
    return [transcripts[place] for place in range(len(guesses))]
