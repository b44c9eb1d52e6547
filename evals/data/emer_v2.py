"""EMER-v2: an explanation of each clip in Chinese and English, taken apart by modality.

The Chinese text has three clauses, split by "；在音频中" and "；在文本中". The English one was
translated by a model that sometimes left its "Input:" and "Output:" in it, or no blank
behind a full stop; that is cleaned before it is split at "In the audio" and "In the text".
"""

# ruff: noqa: RUF001, RUF002  (the full-width marks are Chinese punctuation and are meant)
from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from emer.evals.data.tables import BadTable, Table, read_table
from emer.evals.metrics.emotion_words import Language

COLUMNS = {"name": ("name", "names"), "chinese": ("chinese",), "english": ("english",)}

_BREAK = r"(?<=[.!?;,\"”'’）)])\s*"
_AUDIO = re.compile(_BREAK + r"(?=[Ii]n the audio\b)")
_TEXT = re.compile(_BREAK + r"(?=(?:[Ii]n the (?:text|subtitle)|The subtitle)\w*\b)")
_QUOTED = re.compile(r"[\"“](.*?)[\"”](?=\s|$|[.,;])", re.DOTALL)
_QUOTED_ZH = re.compile(r"[“\"](.*?)[”\"]", re.DOTALL)
_GLUED = re.compile(r"([.!?\"”])(?=(?:In the (?:audio|text|subtitle)|The subtitle)\b)")
_SPLIT_ZH = re.compile(r"；(?=在(?:音频|文本)中)")


@dataclass(frozen=True, slots=True)
class Clauses:
    """An explanation's three clauses; the textual one also holds the inference."""

    visual: str
    acoustic: str
    textual: str

    def subtitle(self, language: Language) -> str:
        """Return the words that the textual clause quotes, "" if it quotes none."""
        found = (_QUOTED if language == "en" else _QUOTED_ZH).search(self.textual)
        return found.group(1).strip() if found else ""


def read_emer_v2(path: Path) -> Table:
    """Return the table of name, chinese and english; `BadTable` where both texts are empty."""
    table = read_table(path, COLUMNS)
    for row in table.rows:
        if not (row["chinese"] or row["english"]):
            raise BadTable(f"{table.where(row, 'english')}: empty, and so is the Chinese text")
    return table


def clean(english: str) -> str:
    """Return the English text without the traces of its translation."""
    before, _, after = english.partition("Output:")
    text = after.strip() or before.strip()
    text = _GLUED.sub(r"\1 ", text.removeprefix("Input:"))
    return " ".join(text.split())


def split_english(text: str) -> Clauses:
    """Return the clauses of a cleaned English explanation; an absent one is ""."""
    before, textual = _cut(text, _TEXT)
    visual, acoustic = _cut(before, _AUDIO)
    return Clauses(_whole(visual), _whole(acoustic), textual)


def split_chinese(text: str) -> Clauses:
    """Return the clauses of a Chinese explanation; an absent one is ""."""
    clauses = {"视频": "", "音频": "", "文本": ""}
    for clause in _SPLIT_ZH.split(text.rstrip("；")):
        kind = next((k for k in clauses if clause.startswith(f"在{k}中")), "视频")
        clauses[kind] += clause
    return Clauses(*(clause.strip("；") for clause in clauses.values()))


def _whole(clause: str) -> str:
    """Return a clause that was cut at a semicolon as a sentence."""
    if not clause.endswith((";", ",")):
        return clause
    return clause[0].upper() + clause[1:].rstrip(" ;,") + "."


def _cut(text: str, at: re.Pattern[str]) -> tuple[str, str]:
    found = at.search(text)
    if found is None:
        return text, ""
    return text[: found.start()], text[found.end() :]
