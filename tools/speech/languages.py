"""Language codes, detection, abilities.

Names of languages by their code (ISO 639, with Whisper's jw for Javanese).

What a speech model is able to do, by its own facts: the languages it knows, and translating.

The language of each window: what was given, else one for all windows of a clip.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from emer.tools.errors import ConfigError
from emer.tools.speech.transcript import Window

FILE = Path(__file__).parent / "languages.csv"
ENGLISH = "en"
AUTO = "auto"


@cache
def languages() -> Mapping[str, str]:
    """Return the English name of each language by its code."""
    with FILE.open(newline="", encoding="utf-8") as file:
        return {row["code"]: row["name"] for row in csv.DictReader(file)}


def name_of(code: str) -> str:
    """Return the English name of a language, or its code where it is unknown."""
    return languages().get(code, code)


def code_of(wanted: str, key: str) -> str | None:
    """Return the code of a language given by code or name; None for "auto".

    `ConfigError` names the argument `key` for a language nobody knows.
    """
    plain = wanted.strip().casefold()
    if plain == AUTO:
        return None
    for code, name in languages().items():
        if plain in (code, name.casefold()):
            return code
    raise ConfigError(f"{key}: there is no language {wanted!r}; write auto, de, German, ...")


MULTILINGUAL = 51865
"""Tokens from which a Whisper model knows other languages than English (openai-whisper's rule)."""


def translates(multilingual: bool, hears: int, writes: int) -> bool:
    """Tell whether a Whisper model was trained to translate, by its layers.

    Its README says that turbo was not; turbo and the distilled ones have fewer layers to
    write with than to hear with.
    """
    return multilingual and writes >= hears


def require_language(
    tool: str, model: str, wanted: str | None, known: Collection[str] | None
) -> None:
    """Raise `ConfigError` for a language that the model does not know.

    `wanted` is None where it is to be found out, `known` None where the model does not say.
    """
    if wanted is None or known is None or wanted in known:
        return
    alone = set(known) == {ENGLISH}
    more, other = (", only English", "a multilingual model") if alone else ("", "one that does")
    raise ConfigError(
        f"{tool}.language: the model {model} does not know {name_of(wanted)}{more}; "
        f'leave language = "auto" or take {other}'
    )


class Guess(NamedTuple):
    """A language by its code, and its probability where it was found out."""

    language: str
    probability: float | None


def guess(
    windows: Sequence[Window], ask: Callable[[list[int]], Sequence[Mapping[str, float]]]
) -> list[Guess]:
    """Return each window's language.

    `ask` gives, for windows by their place, the probability of each language. The windows of
    one clip are one language: that with the largest mean.
    """
    unknown = [place for place, window in enumerate(windows) if window.language is None]
    found = ask(unknown) if unknown else []
    clips: dict[str, list[Mapping[str, float]]] = defaultdict(list)
    for place, probabilities in zip(unknown, found, strict=True):
        clips[windows[place].clip].append(probabilities)
    means = {clip: _mean(given) for clip, given in clips.items()}
    return [
        means[window.clip] if window.language is None else Guess(window.language, None)
        for window in windows
    ]


def by_language(guesses: Sequence[Guess]) -> dict[str, list[int]]:
    """Return the places of the windows of each language."""
    groups: dict[str, list[int]] = defaultdict(list)
    for place, found in enumerate(guesses):
        groups[found.language].append(place)
    return dict(groups)


def _mean(given: Sequence[Mapping[str, float]]) -> Guess:
    mean = {code: sum(g[code] for g in given) / len(given) for code in given[0]}
    best = max(mean, key=lambda code: mean[code])
    return Guess(best, mean[best])
