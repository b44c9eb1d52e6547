"""Names of languages by their code (ISO 639, with Whisper's jw for Javanese)."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from emer.tools.errors import ConfigError

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
