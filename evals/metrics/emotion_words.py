"""Emotion words in free text, English and Chinese, from a list of our own.

For scoring texts that come without a label list. It is not the reasoner's lexicon: a metric
made of that would miss the words that the reasoner lacks.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

Language = Literal["en", "zh"]
TABLE = Path(__file__).parent / "emotion_words.csv"

_DENIED = re.compile(
    r"(?:\b(?:not|no|never|without|neither|nor|cannot|hardly|lack of|rather than)\b|n['\u2019]t\b)"
    r"(?:[^\w.,;:!?]+\w+){0,3}[^\w.,;:!?]*$"
)
_DENIED_ZH = re.compile("(?:没有|不是|并非|并不|毫无|没|未|不|无)[^，。；、！？]{0,3}$")  # noqa: RUF001
_HAN = re.compile(r"[\u4e00-\u9fff]")


@cache
def emotion_words(language: Language) -> Mapping[str, str]:
    """Each word of a language and the label it stands for."""
    return {word: row["label"] for row in rows_of(TABLE) for word in row[language].split()}


@cache
def label_groups() -> Mapping[str, str]:
    """Each label's wider group ("joy", "anger", ...), chosen by us."""
    return {row["label"]: row["kin"] for row in rows_of(TABLE)}


@lru_cache(maxsize=20_000)
def labels_in(text: str) -> tuple[str, ...]:
    """Labels of the emotion words of a text, each once, in order of appearance.

    A word that is denied just before it ("not angry") does not count.
    """
    language = language_of(text)
    lowered = text.lower()
    words = emotion_words(language)
    matches = _pattern(language).finditer(lowered)
    labels = (words[m.group()] for m in matches if not is_denied(lowered[: m.start()], language))
    return tuple(dict.fromkeys(labels))


def is_denied(before: str, language: Language) -> bool:
    """Whether the end of a text denies what follows it."""
    denial = _DENIED if language == "en" else _DENIED_ZH
    return denial.search(before[-40:]) is not None


def language_of(text: str) -> Language:
    """Chinese ("zh") for a text with more than a few Chinese characters, else "en"."""
    return "zh" if 3 * len(_HAN.findall(text)) > len(text) / 2 else "en"


@cache
def rows_of(table: Path) -> tuple[dict[str, str], ...]:
    """Rows of a CSV file of this package."""
    with table.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


@cache
def _pattern(language: Language) -> re.Pattern[str]:
    return re.compile(word_pattern(emotion_words(language), language))


def word_pattern(words: Iterable[str], language: Language) -> str:
    """Regular expression of any of the words, the longer ones first."""
    joined = "|".join(sorted(map(re.escape, words), key=len, reverse=True))
    return rf"\b(?:{joined})\b" if language == "en" else joined
