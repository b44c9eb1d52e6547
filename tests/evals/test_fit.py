"""Cue weights from labels: what can be learnt is, what cannot stays as it ships."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from emer.agents.lexicon.lexicon import lexicon
from emer.agents.rules.reasoner import Rules
from emer.evals.cli import app
from emer.evals.data.types import Dataset, Gold, Sample
from emer.evals.fit.cross_validation import Calibration, calibrate, compare, cross_validate, folds
from emer.evals.fit.features import Examples, examples, shipped
from emer.evals.fit.logistic import as_shipped, fit
from emer.evals.runs.runner import RunFile, header_of
from emer.evals.systems.system import Card, Prediction
from tests.fixtures.evals import emotion_wheels, plain_reasoner

RNG = np.random.default_rng(7)
CLIPS = 240


def _made(weights: np.ndarray, rare: int = 2) -> Examples:
    """Return examples whose first family follows known weights; the second is rare."""
    stated = (RNG.random((CLIPS, 3)) < 0.5).astype(float)
    stated[:, 2] = 0.0  # a cue that the data say nothing of
    p = 1 / (1 + np.exp(-(stated @ weights - 0.5)))
    displayed = np.zeros((CLIPS, 2), dtype=bool)
    displayed[:, 0] = RNG.random(CLIPS) < p
    displayed[:rare, 1] = True
    names = tuple(f"c{n}" for n in range(CLIPS))
    return Examples(names, ("a", "b", "c"), ("one", "two"), stated, displayed, {})


TRUE = np.array([2.5, -2.0, 0.0])
OF = _made(TRUE)
PRIOR = np.array([[0.2, 0.7], [0.3, 0.1], [1.3, 0.4]])


def test_what_the_data_say_is_learnt_and_the_rest_is_kept() -> None:
    found = fit(OF, PRIOR, hold=0.1)
    assert found.log_odds[:2, 0] == pytest.approx(TRUE[:2], abs=0.8)
    assert found.log_odds[2, 0] == pytest.approx(1.3)  # never stated
    assert found.log_odds[:, 1] == pytest.approx(PRIOR[:, 1])  # too rare a family
    assert found.learnt == (True, False)


def test_the_harder_the_literature_is_held_to_the_less_moves() -> None:
    away = [np.abs(fit(OF, PRIOR, hold).log_odds - PRIOR).sum() for hold in (0.1, 10, 1e5)]
    assert away[0] > away[1] > away[2] < 0.01


def test_data_and_literature_balance_where_it_settles() -> None:
    hold = 3.0
    found = fit(OF, PRIOR, hold)
    p = 1 / (1 + np.exp(-found.scores(OF.stated)[:, 0]))
    pull = OF.stated.T @ (p - OF.displayed[:, 0])
    assert pull == pytest.approx(-hold * (found.log_odds[:, 0] - PRIOR[:, 0]), abs=0.02)


def test_offsets_of_the_shipped_weights_make_the_shares_come_true() -> None:
    scores = as_shipped(OF, PRIOR).scores(OF.stated)
    assert (1 / (1 + np.exp(-scores))).mean(axis=0) == pytest.approx(OF.displayed.mean(axis=0))


def test_calibration_finds_the_line_that_was_bent() -> None:
    z = RNG.normal(0, 2, (4000, 1))
    displayed = RNG.random((4000, 1)) < 1 / (1 + np.exp(-(0.5 * z - 1)))
    line = calibrate(z, displayed)
    assert (line.scale, line.offset) == (pytest.approx(0.5, abs=0.08), pytest.approx(-1, abs=0.1))
    assert Calibration(1, 0).probability(np.zeros(1))[0] == 0.5


def test_folds_are_even_and_seeded() -> None:
    place = folds(25, 4, seed=3)
    assert sorted(np.bincount(place)) == [6, 6, 6, 7]
    assert (folds(25, 4, seed=3) == place).all()
    assert (folds(25, 4, seed=4) != place).any()


def test_left_out_clips_say_whether_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emer.evals.fit.cross_validation.shipped", lambda of: PRIOR)
    learnt, held_out = cross_validate(OF, 4, seed=0)
    found = compare(OF, learnt, held_out)
    assert found["difference_log_loss"].high < 0  # better than weights that are wrong
    true = np.stack([TRUE, TRUE], axis=1)
    monkeypatch.setattr("emer.evals.fit.cross_validation.shipped", lambda of: true)
    learnt, held_out = cross_validate(OF, 4, seed=0)
    assert compare(OF, learnt, held_out)["difference_log_loss"].value > -0.01  # truth is not beaten


def test_examples_are_read_as_the_reasoner_reads() -> None:
    lines = (("The person smiles.", "The brows are furrowed."), ("The person does not smile.",))
    clues = [[plain_reasoner.clue(text) for text in texts] for texts in lines]
    of = examples(["a", "b"], clues, [("Happy", "nonsense"), ("mad",)])
    smile = of.cues.index("smile")
    assert of.stated[0, smile] > 0 > of.stated[1, smile]
    assert of.displayed[0, of.families.index("happy")]
    assert of.displayed[1, of.families.index("angry")]
    assert of.unknown == {"nonsense": 1}
    weight = lexicon().weights["smile"]["happy"]
    assert shipped(of)[smile, of.families.index("happy")] == weight


def test_a_run_of_ones_own_becomes_a_weights_file(tmp_path: Path) -> None:
    emotion_wheels.write_files(tmp_path / "data")
    names = [f"c{n}" for n in range(40)]
    labels = ["happy" if n % 2 else "angry" for n in range(40)]
    rows = "".join(f"{name},{label}\n" for name, label in zip(names, labels, strict=True))
    (tmp_path / "gold.csv").write_text("name,openset\n" + rows)
    run = RunFile(tmp_path / "run.jsonl")
    golds = {n: Gold(labels=(x,)) for n, x in zip(names, labels, strict=True)}
    mine = Dataset(name="gold", samples=tuple(Sample(name=n) for n in names), golds=golds)
    run.begin(header_of(Card(name="agent", input="clip", what="x"), mine))
    for name, label in zip(names, labels, strict=True):
        text = "The person nods." if label == "happy" else "The person shakes the head."
        run.add(Prediction(name=name, labels=(label,), clues=(plain_reasoner.clue(text),)))
    out, gold, data = (str(tmp_path / name) for name in ("w", "gold.csv", "data"))
    words = ["fit", "--out", out, "--gold", gold, "--data", data, "--run", str(run.path)]
    words += ["--folds", "4", "--json"]
    found = CliRunner().invoke(app, words)
    assert found.exit_code == 0, found.output
    about = json.loads((tmp_path / "w" / "weights.json").read_text())
    with (tmp_path / "w" / "weights.csv").open() as file:
        weights = {(r["cue"], r["family"]): float(r["log_odds"]) for r in csv.DictReader(file)}
    before = lexicon().weights.get("nod", {}).get("happy", 0.0)
    assert weights["nod", "happy"] > before + 0.3
    assert weights["head_shake", "angry"] > lexicon().weights["head_shake"].get("angry", 0.0)
    assert about["name"] == "fit:gold"
    assert about["data"]["clips"] == 40
    assert len(about["weights_sha256"]) == len(about["lexicon_sha256"]) == 64
    assert about["calibration"].keys() == {"scale", "offset"}
    assert Rules(out).name.startswith("rules, fit:gold@")
    assert Rules(out).weighting.log_odds("nod", "happy") == weights["nod", "happy"]
    again = CliRunner().invoke(app, words)
    assert again.exit_code == 2
    assert "holds weights already" in again.stderr
