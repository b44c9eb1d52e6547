"""Emotion-wheel scores: by hand on small wheels, and every number of the official scorer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emer.evals.data.clips import parse_labels
from emer.evals.data.locations import DataFolder, DataMissing
from emer.evals.data.predictions import read_predictions
from emer.evals.data.tables import read_table
from emer.evals.data.wheels import EDITIONS, Edition
from emer.evals.metrics.open_vocabulary import exact, m_average, mapped, wheel_overlaps
from tests.fixtures.evals import emotion_wheels as kit
from tests.fixtures.evals.emotion_wheels import percent

LEXICON = kit.small_lexicon()
WHEEL = LEXICON.wheels[0]


def test_a_label_goes_to_the_first_word_it_is_a_form_of() -> None:
    assert LEXICON.m1(" Gladly ") == "glad"  # a form of glad and of merry
    assert LEXICON.m1("merrily") == "merry"
    assert LEXICON.m1("happy;sad") is None


def test_a_word_goes_to_the_first_of_its_synonyms() -> None:
    assert LEXICON.m2("merrily") == "bliss"
    assert LEXICON.m2("gladly") == "joy"  # through glad, M1's choice, not through merry


def test_the_wheel_step_tries_every_word_and_synonym() -> None:
    assert LEXICON.m3("gladly", LEXICON.wheels[1], 1) == "bliss"  # merry's, though M1 says glad
    assert LEXICON.m3("merry", WHEEL, 2) == "glow"
    assert LEXICON.m3("upset", LEXICON.wheels[1], 1) is None  # not on that wheel


def test_of_two_parents_the_later_one_wins_and_an_inner_word_has_its_first_child() -> None:
    assert WHEEL.level1["grief"] == "anger"
    assert WHEEL.level2["grief"] == "heat"
    assert WHEEL.level2["joy"] == "calm"


def test_files_give_the_same_lexicon(tmp_path: Path) -> None:
    read = DataFolder(kit.write_files(tmp_path)).lexicon("2026")
    assert {f: set(w) for f, w in read.forms.items()} == {
        f: set(w) for f, w in LEXICON.forms.items()
    }
    for word, found in LEXICON.synonyms.items():
        assert set(read.synonyms[word]) - {word} == set(found) - {word}
    assert read.wheels[0] == LEXICON.wheels[0]
    assert read.wheels[1].rings == LEXICON.wheels[1].rings


def test_precision_recall_and_f_by_hand() -> None:
    gold = [["joy", "grief"], ["sorrow"], [], ["gladly"]]
    predicted = [["bliss"], [], ["joy"], ["merry", "nonsense", "upset"]]
    found = wheel_overlaps(LEXICON, gold, predicted)["level1_wheel1"]
    # clip 1: {joy, anger} and {joy}; 2: empty prediction; 3: no gold; 4: {joy} and {joy, anger}
    assert percent(found.precision, 4) == pytest.approx(100 * (1 + 0 + 0.5) / 3)
    assert percent(found.recall, 4) == pytest.approx(100 * (0.5 + 0 + 1) / 3)
    assert percent(found.f, 4) == pytest.approx(50.0)


def test_a_clip_whose_gold_the_wheel_lacks_is_left_out() -> None:
    found = wheel_overlaps(LEXICON, [["rage"], ["zest"]], [["rage"], ["zest"]])
    for name in ("level1_wheel1", "level1_wheel2", "level1"):  # wheel 2 has a class for one
        assert percent(found[name].f, 2) == 100


def test_nothing_right_is_zero_and_not_nan() -> None:
    found = wheel_overlaps(LEXICON, [["joy"]], [["unheard-of"]])
    assert percent(found["level1"].f, 1) == 0


def test_exact_match_folds_case_only() -> None:
    assert percent(exact([["Happy"]], [["happy "]]).f, 1) == 100
    assert percent(exact([["happiness"]], [["happy"]]).f, 1) == 0


def test_m_average_is_the_mean_of_m1_m2_and_each_wheel_at_both_levels() -> None:
    found = wheel_overlaps(LEXICON, [["joy"]], [["bliss"]])
    # m1 and m2 miss, wheel 1 hits at level 1 only (calm, glow), wheel 2 has no class for joy
    single = [o for name, o in found.items() if name not in ("level1", "level2")]
    assert len(single) == 6
    assert percent(m_average({"m1": found["m1"], "a": found["level1_wheel1"]}), 1) == 50


def test_a_prediction_compared_with_itself_is_perfect() -> None:
    lists = [["joy", "upset"], ["merry"]]
    assert percent(mapped(lists, lists, LEXICON.m2).f, 2) == 100


def test_without_the_wheel_files_one_line_says_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match=r"wheel1\.xlsx.*emer-eval data pull") as caught:
        DataFolder(tmp_path).lexicon()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("edition", EDITIONS)
def test_every_number_of_the_official_scorer(shared: Path, edition: Edition) -> None:
    folder = DataFolder(shared / "data" / "emer")
    expected = json.loads((folder.root / "expected_ew.json").read_text())[f"lexicon_{edition}"]
    columns = {"name": ("name",), "openset": ("openset",)}
    rows = read_table(folder.path("emer_v2_labels"), columns).rows
    names, gold = [r["name"] for r in rows], [parse_labels(r["openset"]) for r in rows]
    lexicon, compared = folder.lexicon(edition), 0
    for system, scores in expected.items():
        found = wheel_overlaps(lexicon, gold, _answers(folder, system, names))
        for key, wanted in scores.items():
            one = found[{"case1": "m1", "case2": "m2"}.get(key, key)]
            ours = {"f": one.f, "p": one.precision, "r": one.recall}
            for part, number in wanted.items():
                assert percent(ours[part], len(names)) == pytest.approx(number, abs=5.1e-5), (
                    system, key, part,
                )  # fmt: skip
                compared += 1
    assert compared == 20 * 14 * 3


def _answers(folder: DataFolder, system: str, names: list[str]) -> list[tuple[str, ...]]:
    constant = {"constant_happy": ("happy",), "constant_angry_happy": ("angry", "happy")}
    if system in constant:
        return [constant[system]] * len(names)
    found = read_predictions(folder.root / "predictions" / f"{system}.csv")
    return [found.labels[name] for name in names]
