"""Tables of words: feelings of oneself, qualities of things, acts of speech.

`words.csv` gives to each cue the words that state it, by form:

- `self`: a feeling, stated where the speaker says it of oneself ("I am angry", "so angry");
- `thing`: a quality, stated where anything is said to have it ("that is disgusting");
- `act`: a regular expression, stated by its words alone ("forgive me");
- `asked`, `declared`: the same in a question only, or in anything but a question;
- `topic`: what is spoken of, also in a question, a condition or the words of others.

`function_words.csv` holds the closed classes around them: pronouns, copulas, adverbs of degree
with their factor, negations, modal verbs.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

FOLDER = Path(__file__).parent
Form = Literal["self", "thing", "act", "asked", "declared", "topic"]
FORMS: tuple[Form, ...] = get_args(Form)
PREDICATES: tuple[Form, ...] = ("self", "thing")


@dataclass(frozen=True, slots=True)
class Words:
    """Words of a cue: a pattern, and the form in which they state it."""

    cue: str
    form: Form
    pattern: re.Pattern[str]


def read_table(name: str) -> list[dict[str, str]]:
    """The rows of a table of this folder."""
    with (FOLDER / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@lru_cache(maxsize=1)
def words() -> tuple[Words, ...]:
    """All rows of `words.csv`, compiled."""
    return tuple(
        Words(row["cue"], form, re.compile(_bounded(row["pattern"], row["lang"])))
        for row in read_table("words")
        for form in FORMS
        if row["form"] == form
    )


@lru_cache(maxsize=8)
def alternatives(forms: tuple[Form, ...], language: str) -> str:
    """All words of some forms in a language, as one alternative."""
    rows = (r for r in read_table("words") if r["form"] in forms and r["lang"] == language)
    return "|".join(f"(?:{row['pattern']})" for row in rows)


Kinds = Mapping[str, tuple[str, float]]


@lru_cache(maxsize=1)
def function_words() -> tuple[tuple[re.Pattern[str], Kinds], ...]:
    """The closed classes of each language, to be found at the end of a text.

    With each pattern come the kind and the factor of its groups.
    """
    return tuple(_closed_classes(language) for language in ("en", "zh"))


def _closed_classes(language: str) -> tuple[re.Pattern[str], Kinds]:
    rows = [row for row in read_table("function_words") if row["lang"] == language]
    groups = (f"(?P<w{n}>{_bounded(row['words'], language)})" for n, row in enumerate(rows))
    kinds = {f"w{n}": (row["kind"], float(row["factor"] or 1.0)) for n, row in enumerate(rows)}
    return re.compile(rf"(?:{_either(groups)})\s*$"), kinds


def _either(patterns: Iterable[str]) -> str:
    return "|".join(patterns)


def _bounded(pattern: str, language: str) -> str:
    """The pattern between word boundaries, where the language has them."""
    return rf"(?<![\w'])(?:{pattern})(?![\w'])" if language == "en" else f"(?:{pattern})"
