"""Synonym groups, hit rate, weighted F1, calibration and confusion, by hand."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest
from openpyxl import Workbook

from emer.evals.data import tables
from emer.evals.data.predictions import read_predictions
from emer.evals.data.tables import BadTable
from emer.evals.data.wheels import read_groups, read_synonyms
from emer.evals.metrics.bootstrap import value
from emer.evals.metrics.calibration import Judged, judge_first
from emer.evals.metrics.open_vocabulary import (
    NO_GROUPS,
    ByWheel,
    StoredGroups,
    confusion,
    set_level,
)
from emer.evals.metrics.single_label import class_f1, hit_rate, polarity, sentiment_f1
from emer.evals.metrics.wheel import Lexicon, Wheel
from tests.fixtures.evals import emotion_wheels
from tests.fixtures.evals.emotion_wheels import percent

LEXICON = emotion_wheels.small_lexicon()
BASIC = Lexicon(
    edition="2026",
    forms={w: (w,) for w in ("happy", "glad", "mad", "sad", "angry")} | {"happiness": ("happy",)},
    synonyms={"happy": ("happy",), "glad": ("happy",), "mad": ("mad",), "sad": ("sad",),
              "angry": ("mad",)},
    wheels=(Wheel("wheel1", {w: {w: (w,)} for w in ("mad", "sad", "happy")}),),
)  # fmt: skip


def test_labels_of_one_group_count_as_one() -> None:
    grouper = StoredGroups("mine", {"a": [["Happy", "glad"], ["sad", "low"]]})
    found = set_level(["a", "b"], [["glad", "sad"], ["x"]], [["happy", "new"], ["x"]], grouper)
    assert percent(found.precision, 2) == pytest.approx(100 * (1 / 2 + 1) / 2)
    assert percent(found.recall, 2) == pytest.approx(100 * (1 / 2 + 1) / 2)
    alone = set_level(["a"], [["glad"]], [["happy"]], NO_GROUPS)
    assert percent(alone.f, 1) == 0
    by_wheel = set_level(["a"], [["merrily"]], [["bliss"]], ByWheel(LEXICON))
    assert percent(by_wheel.f, 1) == 100


def test_stored_groups_are_read_and_pickles_are_not(tmp_path: Path) -> None:
    def member(value: object) -> bytes:
        data = BytesIO()
        np.save(data, np.array(value), allow_pickle=True)
        return data.getvalue()

    good, bad, odd = (tmp_path / name for name in ("good.zip", "bad.zip", "odd.zip"))
    for path, content in ((good, "[['joy', \"it's\"], ['sad']]"), (odd, "[1")):
        with ZipFile(path, "w") as archive:
            archive.writestr("groups/clip1.npy", member(content))
    with ZipFile(bad, "w") as archive:
        archive.writestr("clip1.npy", member(np.array([{"a": 1}], dtype=object)))
    assert read_groups(good).groups("clip1", []) == [["joy", "it's"], ["sad"]]
    for path in (bad, odd):
        with pytest.raises(BadTable, match=rf"{path.name}, .*clip1\.npy: not a list"):
            read_groups(path)
    (tmp_path / "no.zip").write_bytes(b"no")
    with pytest.raises(BadTable, match="is not a zip"):
        read_groups(tmp_path / "no.zip")


def test_files_that_unpack_without_end_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "MOST_BYTES", 50_000)
    bomb, deep, long = (tmp_path / name for name in ("b.npz", "deep.zip", "long.csv"))
    with ZipFile(bomb, "w", ZIP_DEFLATED) as archive:
        archive.writestr("clip1.npy", bytes(50_001))
    with ZipFile(deep, "w") as archive:
        np.save(data := BytesIO(), np.array("[" * 5_000))
        archive.writestr("clip1.npy", data.getvalue())
    assert bomb.stat().st_size < 1_000
    long.write_text("name,openset\n" * 4_000)
    for read in (read_groups, read_predictions, read_synonyms):
        with pytest.raises(BadTable, match="50,001 bytes, unpacked; at most"):
            read(bomb)
    with pytest.raises(BadTable, match="52,000 bytes"):
        read_predictions(long)
    with pytest.raises(BadTable, match="not a list of label"):
        read_groups(deep)


def test_a_sheet_of_billions_of_cells_is_read_to_a_bound(tmp_path: Path) -> None:
    book = Workbook()
    book.active.cell(1_048_576, 16_384, "x")
    book.save(tmp_path / "huge.xlsx")
    with pytest.raises(BadTable, match="no column"):
        read_synonyms(tmp_path / "huge.xlsx")


def test_a_hit_needs_one_label_of_the_gold_class_and_neutral_takes_no_part() -> None:
    gold = ["happy", "neutral", "angry"]
    found = hit_rate(BASIC, gold, [("glad", "sad"), ("happy",), ("sad",)])
    assert value(found.hits, 3) == 0.5
    # sad is no class of the gold, so that clip 1 names one candidate class and hits it
    assert value(found.sharpness, 3) == 0.5


def test_many_labels_raise_hits_and_lower_sharpness() -> None:
    found = hit_rate(BASIC, ["happy", "sad"], [("happy", "sad", "mad")] * 2)
    assert value(found.hits, 2) == 1
    assert value(found.sharpness, 2) == 0.5


def test_weighted_f1_weighs_classes_by_how_common_they_are() -> None:
    gold = ["happy", "happy", "sad", "neutral", None]
    f1 = class_f1(BASIC, gold, [("happiness",), ("sad",), ("sad",), (), ("sad",)])
    # happy: 1 hit, 2 gold, 1 predicted; sad: 1 hit, 1 gold, 2 predicted; neutral: perfect
    assert value(f1, 5) == pytest.approx((2 * 2 / 3 + 1 * 2 / 3 + 1) / 4)


def test_sentiment_leaves_out_zero_and_counts_neutral_as_negative() -> None:
    f1 = sentiment_f1(BASIC, [1.0, 0.0, -2.0, None, 3.0], [("glad",), (), (), (), ()])
    # gold + - +, predicted + - -: F1 of + is 2/3 (weight 2), of - is 2/3 (weight 1)
    assert value(f1, 5) == pytest.approx(2 / 3)
    assert polarity(BASIC, ["glad", "mad", "angry"]) == -1


def test_calibration_by_hand() -> None:
    judged = Judged(np.array([0.95, 0.85, 0.45, np.nan]), np.array([1.0, 0.0, 1.0, np.nan]))
    assert judged.n == 3
    assert value(judged.accuracy, 4) == pytest.approx(2 / 3)
    assert value(judged.brier, 4) == pytest.approx((0.05**2 + 0.85**2 + 0.55**2) / 3)
    assert value(judged.ece, 4) == pytest.approx((0.05 + 0.85 + 0.55) / 3)
    assert judged.risk_coverage() == [(0.25, 1.0), (0.5, 0.5), (0.75, pytest.approx(2 / 3))]
    assert [n for _, _, n in judged.bins()] == [1, 1, 1]


def test_stated_shares_that_come_true_have_no_error() -> None:
    stated = np.repeat([0.25, 0.75], 400)
    right = np.concatenate([np.arange(400) % 4 == 0, np.arange(400) % 4 != 0]).astype(float)
    assert value(Judged(stated, right).ece, 800) == pytest.approx(0, abs=1e-12)


def test_the_first_label_is_right_when_its_class_is_among_the_human_ones() -> None:
    gold = [["joy", "grim"], ["unheard-of"], ["rage"], ["joy"]]
    first = [("sorrow", 0.9), ("joy", 0.5), ("joy", None), None]
    found = judge_first(LEXICON, gold, first)
    assert found.right.tolist()[0] == 1
    assert found.right.tolist()[2] == 0
    assert np.isnan(found.right[[1, 3]]).all()
    assert found.n == 1  # no probability is stated for the third
    assert value(found.accuracy, 4) == 0.5


def test_confusion_says_what_is_taken_for_what() -> None:
    gold, predicted = [["joy"], ["joy", "rage"], ["grim"]], [["rage"], ["bliss"], []]
    found = confusion(LEXICON, LEXICON.wheels[0], gold, predicted)
    assert found.classes == ("joy", "sorrow", "anger")
    assert found.weights.tolist() == [1.5, 1.0, 0.5]
    assert found.shares[0].tolist() == pytest.approx([1 / 3, 0, 2 / 3, 0])
    assert found.shares[1].tolist() == [0, 0, 0, 1]
    assert found.shares[2].tolist() == [1, 0, 0, 0]
