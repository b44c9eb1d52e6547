"""Prompts and sentence templates: one Markdown file each, `$name` for a value."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from string import Template
from typing import Literal

Language = Literal["en", "zh"]

FOLDER = Path(__file__).parent
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_LATIN = re.compile(r"[a-z]{2}", re.IGNORECASE)


class Prompt:
    """A message with placeholders, which values must fill exactly."""

    def __init__(self, name: str, text: str) -> None:
        self.name, self.text = name, text
        self._template = Template(text)

    @property
    def placeholders(self) -> frozenset[str]:
        return frozenset(self._template.get_identifiers())

    def substitute(self, **values: str) -> str:
        """The message with its values; `KeyError` names those missing or unknown.

        Values are inserted literally: a `$` inside a value is not expanded.
        """
        missing = sorted(self.placeholders - values.keys())
        unknown = sorted(values.keys() - self.placeholders)
        if missing or unknown:
            raise KeyError(
                f"prompt {self.name!r}: missing {missing or 'nothing'}, "
                f"unknown {unknown or 'nothing'}"
            )
        return self._template.substitute(values)


def language_in(text: str) -> Language | None:
    """The language of a text: Chinese if it has such characters; None without words."""
    if _CHINESE.search(text):
        return "zh"
    return "en" if _LATIN.search(text) else None


@lru_cache
def load(name: str) -> Prompt:
    """The message of this name, as "rules/therefore"; `KeyError` lists the names."""
    if name not in names():
        raise KeyError(f"no prompt is called {name!r}; known: {', '.join(names())}")
    return Prompt(name, (FOLDER / f"{name}.md").read_text("utf-8").strip())


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """Return the names of all messages, sorted."""
    found = (path.relative_to(FOLDER).with_suffix("") for path in FOLDER.rglob("*.md"))
    return tuple(sorted(path.as_posix() for path in found))


def digest(name: str) -> str:
    """Return the sha256 (hex) of a message's text, for the trace."""
    return hashlib.sha256(load(name).text.encode()).hexdigest()


def term(name: str, language: Language) -> str:
    """A short word of the rules' sentences, such as "medium" or "in the middle"."""
    return _terms()[name][language]


def translated_reason(why: str, language: Language) -> str:
    """A tool's reason for missing evidence; one that the table lacks stays as it is."""
    if language == "en":
        return why
    for pattern, chinese in _reasons():
        why = pattern.sub(chinese, why)
    return why


def has_term(name: str) -> bool:
    """True for a word of the table `rules/terms.csv`."""
    return name in _terms()


@lru_cache(maxsize=1)
def _terms() -> Mapping[str, Mapping[str, str]]:
    return {row["term"]: row for row in _rows("terms")}


@lru_cache(maxsize=1)
def _reasons() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(row["en"]), row["zh"]) for row in _rows("reasons"))


def _rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / "rules" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
