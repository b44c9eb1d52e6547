"""EMER v1, v2, masking.

EMER-v2: an explanation of each clip in Chinese and English, taken apart by modality.

The Chinese text has three clauses, split by "；在音频中" and "；在文本中". The English one was
translated by a model that sometimes left its "Input:" and "Output:" in it, or no blank
behind a full stop; that is cleaned before it is split at "In the audio" and "In the text".

Emotion words taken out of a description, so that it cannot give the label away.

The words are the forms of the 2026 wheel lexicon (English), and those of our own list of
emotion words (Chinese, which no official lexicon covers).

EMER itself: version 1, and version 2 with its labels and the human clues per modality.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from emer.evals.data.clips import read_gold
from emer.evals.data.locations import DataFolder
from emer.evals.data.tables import BadTable, Row, Table, read_table
from emer.evals.data.types import Dataset, Described, Gold, Sample
from emer.evals.data.wheels import read_forms
from emer.evals.metrics.emotion_words import Language, emotion_words

# ruff: noqa: RUF001, RUF002  (the full-width marks are Chinese punctuation and are meant)


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


_WORD = re.compile(r"[A-Za-z]+(?:['\u2019-][A-Za-z]+)*")


def mask_english(text: str, words: Collection[str]) -> str:
    """Return the text without the words (lower case) that are in `words`."""
    kept = _WORD.sub(lambda m: " " if m.group().lower() in words else m.group(), text)
    return " ".join(kept.split())


def mask_chinese(text: str, words: Collection[str]) -> str:
    """Return the text without the words, the longer ones first."""
    longest = sorted(words, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest)), "", text) if longest else text


_CLUES = ("visual", "acoustic", "subtitle", "visual_masked", "acoustic_masked")
_CLUES_ZH = ("visual_zh", "acoustic_zh", "subtitle_zh")


def read_version2(folder: DataFolder) -> Dataset:
    """Return EMER-v2 with its open-vocabulary labels and, where it can be had, its clues.

    The clues are those of oracle_clues.csv, else cut out of the explanations (the test
    suite holds the two equal); the masked ones need the 2026 wheel lexicon.
    """
    labels = read_table(
        folder.path("emer_v2_labels"), {"name": ("name", "names"), "labels": ("openset",)}
    )
    texts = read_emer_v2(folder.path("emer_v2")) if "emer_v2" in folder.files else None
    clues, notes = _clues(folder, texts)
    golds = {row["name"]: read_gold(labels, row) for row in labels.rows}
    if texts is not None:
        golds = _with_texts(golds, texts)
    return Dataset(
        name="emer-v2",
        samples=tuple(_sample(name, clues.get(name, ())) for name in golds),
        golds=golds,
        files=tuple(folder.files[k] for k in ("emer_v2_labels", "emer_v2") if k in folder.files),
        notes=(*labels.notes, *(texts.notes if texts else ()), *notes),
    )


def read_version1(folder: DataFolder) -> Dataset:
    """Return EMER-v1: one label, the subtitle and the explanation in two languages."""
    columns = {
        "name": ("names", "name"),
        "basic": ("emotions",),
        "subtitle": ("subtitles",),
        "reason": ("reasons",),
    }
    english = read_table(folder.path("emer_v1_en"), columns)
    chinese = read_table(folder.path("emer_v1_zh"), columns).by_name()
    return Dataset(
        name="emer-v1",
        samples=tuple(Sample(name=r["name"], subtitle=r["subtitle"]) for r in english.rows),
        golds={row["name"]: _version1(english, row, chinese) for row in english.rows},
        files=(folder.path("emer_v1_en"), folder.path("emer_v1_zh")),
        notes=english.notes,
    )


def _version1(table: Table, row: Row, chinese: Mapping[str, Row]) -> Gold:
    gold = read_gold(table, row)
    if row["name"] not in chinese:
        raise BadTable(f"{table.where(row, 'name')}: {row['name']!r} has no Chinese row")
    texts = {"en": row["reason"], "zh": chinese[row["name"]]["reason"]}
    return gold.model_copy(update={"explanations": texts})


def _sample(name: str, described: tuple[Described, ...]) -> Sample:
    words = next((d.subtitle for d in described), "")
    return Sample(name=name, subtitle=words, described=described)


def _with_texts(golds: Mapping[str, Gold], texts: Table) -> dict[str, Gold]:
    found = {row["name"]: {"en": clean(row["english"]), "zh": row["chinese"]} for row in texts.rows}
    return {
        name: gold.model_copy(update={"explanations": found.get(name, {})})
        for name, gold in golds.items()
    }


def _clues(
    folder: DataFolder, texts: Table | None
) -> tuple[dict[str, tuple[Described, ...]], tuple[str, ...]]:
    """Return the human clues of each clip, and what is to be said of them."""
    if "oracle_clues" in folder.files:
        columns = {c: (c,) for c in ("name", *_CLUES)}
        table = read_table(folder.path("oracle_clues"), columns, {c: (c,) for c in _CLUES_ZH})
        return {row["name"]: _as_given(row) for row in table.rows}, table.notes
    if texts is None:
        return {}, (f"{folder.root}: no emer_v2.csv, so there are no human clues",)
    words = read_forms(folder.path("forms_2026")) if "forms_2026" in folder.files else None
    note = () if words else (f"{folder.root}: no 2026 wheel lexicon, so no clue is masked",)
    return {row["name"]: _as_cut(row, words) for row in texts.rows}, note


def _as_given(row: Row) -> tuple[Described, ...]:
    english = Described(
        language="en", masked=False,
        visual=row["visual"], acoustic=row["acoustic"], subtitle=row["subtitle"],
    )  # fmt: skip
    masked = english.model_copy(
        update={"masked": True, "visual": row["visual_masked"], "acoustic": row["acoustic_masked"]}
    )
    return (english, masked, *_chinese(row["visual_zh"], row["acoustic_zh"], row["subtitle_zh"]))


def _as_cut(row: Row, words: Collection[str] | None) -> tuple[Described, ...]:
    clauses = split_english(clean(row["english"]))
    english = Described(
        language="en", masked=False, visual=clauses.visual, acoustic=clauses.acoustic,
        subtitle=clauses.subtitle("en"),
    )  # fmt: skip
    found = [english]
    if words is not None:
        update = {
            "masked": True,
            "visual": mask_english(english.visual, words),
            "acoustic": mask_english(english.acoustic, words),
        }
        found.append(english.model_copy(update=update))
    zh = split_chinese(row["chinese"])
    return (*found, *_chinese(zh.visual, zh.acoustic, zh.subtitle("zh")))


def _chinese(visual: str, acoustic: str, subtitle: str) -> tuple[Described, ...]:
    """Return the Chinese clues, whole and without the emotion words of our own list."""
    if not (visual or acoustic or subtitle):
        return ()
    whole = Described(
        language="zh", masked=False, visual=visual, acoustic=acoustic, subtitle=subtitle
    )
    words = emotion_words("zh")
    update = {
        "masked": True,
        "visual": mask_chinese(visual, words),
        "acoustic": mask_chinese(acoustic, words),
    }
    return whole, whole.model_copy(update=update)
