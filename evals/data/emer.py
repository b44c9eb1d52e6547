"""EMER versions 1 and 2, with labels and the human clues per modality.

Version 2 explains each clip in Chinese and English. The Chinese text has three clauses, split by
"；在音频中" and "；在文本中". The English one was translated by a model that sometimes left its
"Input:" and "Output:" in it, or no blank behind a full stop; that is cleaned before it is split
at "In the audio" and "In the text".

Emotion words are taken out of masked descriptions, so that they cannot give the label away: the
forms of the 2026 wheel lexicon (English), and our own list (Chinese, which no official lexicon
covers).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from emer.evals.data.clips import read_gold
from emer.evals.data.locations import DataFolder
from emer.evals.data.tables import BadTable, Row, Table, read_table
from emer.evals.data.types import Dataset, Described, Gold, Sample
from emer.evals.data.wheels import read_forms
from emer.evals.metrics.emotion_words import Language, emotion_words, word_pattern

# ruff: noqa: RUF001, RUF002  (the full-width marks are Chinese punctuation and are meant)
_BREAK = r"(?<=[.!?;,\"”'’）)])\s*"
_AUDIO = re.compile(_BREAK + r"(?=[Ii]n the audio\b)")
_TEXT = re.compile(_BREAK + r"(?=(?:[Ii]n the (?:text|subtitle)|The subtitle)\w*\b)")
_QUOTED: Mapping[Language, re.Pattern[str]] = {
    "en": re.compile(r"[\"“](.*?)[\"”](?=\s|$|[.,;])", re.DOTALL),
    "zh": re.compile(r"[“\"](.*?)[”\"]", re.DOTALL),
}
_GLUED = re.compile(r"([.!?\"”])(?=(?:In the (?:audio|text|subtitle)|The subtitle)\b)")
_SPLIT_ZH = re.compile(r"；(?=在(?:音频|文本)中)")
_WORD = re.compile(r"[A-Za-z]+(?:['\u2019-][A-Za-z]+)*")
_CLUES = ("visual", "acoustic", "subtitle", "visual_masked", "acoustic_masked")
_CLUES_ZH = ("visual_zh", "acoustic_zh", "subtitle_zh")


def clean(english: str) -> str:
    """English text without the traces of its translation."""
    before, _, after = english.partition("Output:")
    text = after.strip() or before.strip()
    text = _GLUED.sub(r"\1 ", text.removeprefix("Input:"))
    return " ".join(text.split())


def split_english(text: str) -> Described:
    """Clauses of a cleaned English explanation; an absent one is ""."""
    before, textual = _cut(text, _TEXT)
    visual, acoustic = map(_sentence, _cut(before, _AUDIO))
    return _described("en", visual, acoustic, textual)


def split_chinese(text: str) -> Described:
    """Clauses of a Chinese explanation; an absent one is ""."""
    clauses = {"视频": "", "音频": "", "文本": ""}
    for clause in _SPLIT_ZH.split(text.rstrip("；")):
        kind = next((k for k in clauses if clause.startswith(f"在{k}中")), "视频")
        clauses[kind] += clause
    return _described("zh", *(clause.strip("；") for clause in clauses.values()))


def _described(language: Language, visual: str, acoustic: str, textual: str) -> Described:
    """Clauses as a description; its subtitle is what the textual clause quotes."""
    quote = _QUOTED[language].search(textual)
    return Described(
        language=language, masked=False, visual=visual, acoustic=acoustic,
        subtitle=quote.group(1).strip() if quote else "",
    )  # fmt: skip


def _sentence(clause: str) -> str:
    # a clause that was cut at a semicolon
    if not clause.endswith((";", ",")):
        return clause
    return clause[0].upper() + clause[1:].rstrip(" ;,") + "."


def _cut(text: str, at: re.Pattern[str]) -> tuple[str, str]:
    match = at.search(text)
    return (text[: match.start()], text[match.end() :]) if match else (text, "")


def read_version2(folder: DataFolder) -> Dataset:
    """EMER-v2 with its open-vocabulary labels and, where available, its human clues.

    The clues are those of oracle_clues.csv, else cut out of the explanations (the test
    suite holds the two equal); the masked ones need the 2026 wheel lexicon.
    """
    labels = read_table(
        folder.path("emer_v2_labels"), {"name": ("name", "names"), "labels": ("openset",)}
    )
    texts = None
    if "emer_v2" in folder.files:
        columns = {"name": ("name", "names"), "chinese": ("chinese",), "english": ("english",)}
        texts = read_table(folder.path("emer_v2"), columns)
        for row in texts.rows:
            if not (row["chinese"] or row["english"]):
                place = texts.where(row, "english")
                raise BadTable(f"{place}: empty, and so is the Chinese text")
    clues, notes = _clues(folder, texts)
    golds = {row["name"]: read_gold(labels, row) for row in labels.rows}
    if texts is not None:
        rows = {row["name"]: row for row in texts.rows}
        for name, gold in golds.items():
            text = rows.get(name)
            written = {"en": clean(text["english"]), "zh": text["chinese"]} if text else {}
            golds[name] = gold.model_copy(update={"explanations": written})
    described = {name: clues.get(name, ()) for name in golds}
    return Dataset(
        name="emer-v2",
        samples=tuple(
            Sample(name=name, subtitle=forms[0].subtitle if forms else "", described=forms)
            for name, forms in described.items()
        ),
        golds=golds,
        files=tuple(folder.files[k] for k in ("emer_v2_labels", "emer_v2") if k in folder.files),
        notes=(*labels.notes, *(texts.notes if texts else ()), *notes),
    )


def read_version1(folder: DataFolder) -> Dataset:
    """EMER-v1: one label, the subtitle and the explanation in two languages."""
    columns = {"name": ("names", "name"), "basic": ("emotions",), "subtitle": ("subtitles",),
               "reason": ("reasons",)}  # fmt: skip
    english = read_table(folder.path("emer_v1_en"), columns)
    chinese = {row["name"]: row for row in read_table(folder.path("emer_v1_zh"), columns).rows}
    golds: dict[str, Gold] = {}
    for row in english.rows:
        if (name := row["name"]) not in chinese:
            raise BadTable(f"{english.where(row, 'name')}: {name!r} has no Chinese row")
        texts = {"en": row["reason"], "zh": chinese[name]["reason"]}
        golds[name] = read_gold(english, row).model_copy(update={"explanations": texts})
    return Dataset(
        name="emer-v1",
        samples=tuple(Sample(name=r["name"], subtitle=r["subtitle"]) for r in english.rows),
        golds=golds,
        files=(folder.path("emer_v1_en"), folder.path("emer_v1_zh")),
        notes=english.notes,
    )


def _clues(
    folder: DataFolder, texts: Table | None
) -> tuple[dict[str, tuple[Described, ...]], tuple[str, ...]]:
    """Human clues of each clip, and notes on them."""
    if "oracle_clues" in folder.files:
        columns = {c: (c,) for c in ("name", *_CLUES)}
        table = read_table(folder.path("oracle_clues"), columns, {c: (c,) for c in _CLUES_ZH})
        return {row["name"]: _from_table(row) for row in table.rows}, table.notes
    if texts is None:
        return {}, (f"{folder.root}: no emer_v2.csv, so there are no human clues",)
    words = read_forms(folder.path("forms_2026")) if "forms_2026" in folder.files else None
    note = () if words else (f"{folder.root}: no 2026 wheel lexicon, so no clue is masked",)
    return {row["name"]: _from_text(row, words) for row in texts.rows}, note


def _from_table(row: Row) -> tuple[Described, ...]:
    english = Described(language="en", masked=False, **{key: row[key] for key in _CLUES[:3]})
    masked = _masked(english, row["visual_masked"], row["acoustic_masked"])
    zh = {key.removesuffix("_zh"): row[key] for key in _CLUES_ZH}
    return (english, masked, *_chinese(Described(language="zh", masked=False, **zh)))


def _from_text(row: Row, words: Collection[str] | None) -> tuple[Described, ...]:
    english = split_english(clean(row["english"]))
    forms = [english]
    if words is not None:
        visual, acoustic = (
            _WORD.sub(lambda m: " " if m.group().lower() in words else m.group(), text)
            for text in (english.visual, english.acoustic)
        )
        forms.append(_masked(english, " ".join(visual.split()), " ".join(acoustic.split())))
    return (*forms, *_chinese(split_chinese(row["chinese"])))


def _chinese(whole: Described) -> tuple[Described, ...]:
    if not (whole.visual or whole.acoustic or whole.subtitle):
        return ()
    words = word_pattern(emotion_words("zh"), "zh")
    texts = (re.sub(words, "", text) for text in (whole.visual, whole.acoustic))
    return whole, _masked(whole, *texts)


def _masked(whole: Described, visual: str, acoustic: str) -> Described:
    return whole.model_copy(update={"masked": True, "visual": visual, "acoustic": acoustic})
