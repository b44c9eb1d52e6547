"""Weights that somebody learnt: what they change, and what is refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from emer.agents.lexicon.cue_parser import read
from emer.agents.lexicon.lexicon import load_weighting, weighting_of
from emer.agents.pipeline import examine
from emer.agents.rules.fusion import weigh
from emer.agents.rules.reasoner import Rules
from emer.agents.types import Explanation, Label
from emer.tools.errors import ConfigError
from tests.fixtures import clues as kit

ROWS = "cue,family,log_odds,source\nnod,angry,2.4,fit:mine\nnod,happy,-0.5,fit:mine\n"
NODS = kit.clue("face", "The person nods.", (1.0, 2.0))


def write(folder: Path, rows: str = ROWS, **about: object) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "weights.csv").write_text(rows, encoding="utf-8")
    digest = hashlib.sha256(rows.encode()).hexdigest()
    told = {"name": "fit:mine", "weights_sha256": digest, **about}
    (folder / "weights.json").write_text(json.dumps(told))
    return str(folder)


def probabilities(weights: str) -> dict[str, float]:
    return {s.family: s.probability for s in weigh(read([NODS]), load_weighting(weights))}


def test_learnt_weights_stand_in_for_those_they_name(tmp_path: Path) -> None:
    learnt, shipped = probabilities(write(tmp_path / "w")), probabilities("")
    assert learnt["angry"] > 0.5 > shipped["angry"]
    assert learnt["happy"] < shipped["happy"]
    assert learnt["surprised"] == shipped["surprised"]


def test_the_rules_name_what_the_weights_say_and_it_is_checked_by_them(tmp_path: Path) -> None:
    mine, plain = Rules(write(tmp_path / "w")), Rules()
    inquiry = kit.inquiry(NODS)
    written = mine.explain(inquiry, mine.decide(inquiry))
    assert written.labels[0].name == "angry"
    assert examine(mine, inquiry, written, last=True).holds
    claimed = Explanation(labels=(Label(name="angry", band="low", clue_ids=(NODS.id,)),))
    assert not examine(plain, inquiry, claimed, last=True).holds
    assert plain.name == "rules"
    assert mine.name.startswith("rules, fit:mine@")
    assert len(weighting_of(mine).name) == len("fit:mine@") + 8


@pytest.mark.parametrize(
    ("rows", "about", "said"),
    [
        ("cue,family,log_odds\nnod,angry,1\n", {}, "lacks the column source"),
        ("cue,family,log_odds,source\nwag,angry,1,x\n", {}, "row 2: this lexicon has no cue 'wag'"),
        ("cue,family,log_odds,source\nnod,grumpy,1,x\n", {}, "row 2: this lexicon has no family"),
        ("cue,family,log_odds,source\nnod,angry,much,x\n", {}, "log_odds: 'much' is no number"),
        ("cue,family,log_odds,source\nnod,angry,nan,x\n", {}, "log_odds: 'nan' is no number"),
        (ROWS, {"weights_sha256": "0" * 64}, "is not the table that weights.json tells of"),
        (ROWS, {"name": ""}, "lacks a name"),
        (ROWS, {"name": "two\nlines"}, "lacks a name"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_used_is_told_on_one_line(
    rows: str, about: dict[str, object], said: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as error:
        load_weighting(write(tmp_path / "w", rows, **about))
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_folder_that_is_not_there_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"weights\.json: No such file .*emer-eval fit --out"):
        load_weighting(str(tmp_path / "nowhere"))
    folder = tmp_path / "odd"
    write(folder)
    (folder / "weights.json").write_text("[]")
    with pytest.raises(ConfigError, match="is no object"):
        load_weighting(str(folder))
    (folder / "weights.json").write_text("{")
    with pytest.raises(ConfigError, match="is not JSON"):
        load_weighting(str(folder))
