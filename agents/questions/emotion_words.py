"""Emotion words of questions: degrees ("happier") and words near to our labels.

A word that the lexicon lacks is read as the nearest label that it has (`near_words.csv`, by
us); only in questions: what a clue says is read with the lexicon's own words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from emer.agents.lexicon.lexicon import LabelWord, lexicon, read_rows

_DEGREE = re.compile(r"\b([a-z]{3,12}?)(?:ier|iest|er|est)\b")
_SIGNS = {r"(?<![微大冷苦假嘲讥含欢可好])笑(?![容意话声点])": "微笑", r"哭(?!泣|声)": "流泪"}
"""Chinese words of questions that name a sign more shortly than a clue does."""
_TABLE = Path(__file__).parent / "near_words.csv"


def known_words(plain: str) -> str:
    """The question (in lower case) with its emotion words as the lexicon has them."""
    for word, label in near_words(plain).items():
        known = _chinese(label) if not word.isascii() else label
        plain = re.sub(_bounded(word), known, plain)
    for bare, sign in _SIGNS.items():
        plain = re.sub(bare, sign, plain)
    return _DEGREE.sub(_without_degree, plain)


def near_words(plain: str) -> Mapping[str, str]:
    """The words of a question that the lexicon lacks, with the nearest labels."""
    return {word: label for word, label in _near().items() if re.search(_bounded(word), plain)}


def label_words(plain: str) -> tuple[LabelWord, ...]:
    """The labels that a question with known words names, in the order of its words."""
    found: list[tuple[int, int, LabelWord]] = []
    for form, label in _forms():
        found += [(m.start(), m.end(), label) for m in re.finditer(_bounded(form), plain)]
    kept = {
        label.name: (start, label)
        for start, end, label in sorted(found, key=lambda f: (-f[0], f[1]))
        if not any(s <= start and end <= e and e - s > end - start for s, e, _ in found)
    }
    return tuple(label for _, label in sorted(kept.values(), key=lambda pair: pair[0]))


def _without_degree(match: re.Match[str]) -> str:
    stem = match[1]
    doubled = stem[:-1] if len(stem) > 3 and stem[-1] == stem[-2] else stem
    names = _names()
    return next((w for w in (f"{stem}y", stem, f"{stem}e", doubled) if w in names), match[0])


def _chinese(name: str) -> str:
    return next(label.words_zh[0] for label in lexicon().labels if label.name == name)


def _bounded(word: str) -> str:
    return rf"\b{re.escape(word)}\b" if word.isascii() else re.escape(word)


@lru_cache(maxsize=1)
def _near() -> Mapping[str, str]:
    return {row["word"]: row["label"] for row in read_rows(_TABLE)}


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(form for form, _ in _forms() if form.isascii())


@lru_cache(maxsize=1)
def _forms() -> tuple[tuple[str, LabelWord], ...]:
    """Every form of every label; a single Chinese character is no word."""
    return tuple(
        (form, label)
        for label in lexicon().labels
        for form in (label.name, *label.words, *(w for w in label.words_zh if len(w) > 1))
    )
