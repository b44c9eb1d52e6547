"""EMER itself: version 1, and version 2 with its labels and the human clues per modality."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from emer.evals.data.clips import read_gold
from emer.evals.data.emer_v2 import clean, read_emer_v2, split_chinese, split_english
from emer.evals.data.locations import DataFolder
from emer.evals.data.masking import mask_chinese, mask_english
from emer.evals.data.records import Dataset, Described, Gold, Sample
from emer.evals.data.tables import BadTable, Row, Table, read_table
from emer.evals.data.wheels import read_forms
from emer.evals.metrics.emotion_words import emotion_words

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
