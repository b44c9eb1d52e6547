"""The lexicon's tables, and weightings from a folder."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from pathlib import Path

import pytest

from emer.agents.lexicon.cue_parser import mentions_in, read
from emer.agents.lexicon.lexicon import (
    CHANNELS,
    FOLDER,
    WORD_CUES,
    lexicon,
    load_weighting,
    weighting_of,
)
from emer.agents.pipeline import examine
from emer.agents.rules.fusion import weigh
from emer.agents.rules.reasoner import Rules
from emer.agents.types import Explanation, Label
from emer.agents.utterances.tables import FOLDER as WORDS
from emer.tools.errors import ConfigError
from tests.fixtures import clues as kit

ROWS = "cue,family,log_odds,source\nnod,angry,2.4,fit:mine\nnod,happy,-0.5,fit:mine\n"
NODS = kit.clue("face", "The person nods.", (1.0, 2.0))
TABLES = sorted(
    path for path in (*FOLDER.glob("*.csv"), *WORDS.glob("*.csv")) if path.stem != "sources"
)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("path", TABLES, ids=lambda p: p.stem)
def test_every_row_names_a_known_source(path: Path) -> None:
    known = {row["source"] for row in rows(FOLDER / "sources.csv")}
    assert rows(path)
    assert [row for row in rows(path) if row["source"] not in known] == []


def test_every_source_says_what_it_is_and_is_used() -> None:
    used = {row["source"] for path in TABLES for row in rows(path)}
    for row in rows(FOLDER / "sources.csv"):
        assert row["reference"] and row["used for"]
        assert row["source"] in used


def test_every_pattern_compiles_belongs_to_a_cue_and_matches_no_empty_text() -> None:
    lexical = lexicon()
    for channel in CHANNELS:
        for cue, pattern in lexical.patterns[channel]:
            assert cue in lexical.cues
            assert not pattern.search("")
            assert "<" not in re.sub(r"\(\?<[!=]", "", pattern.pattern), cue


def test_every_cue_has_a_pattern_in_both_languages() -> None:
    spoken = rows(FOLDER / "patterns.csv") + rows(WORDS / "words.csv")
    found = {(row["cue"], row["lang"]) for row in spoken if row["pattern"]}
    for row in rows(FOLDER / "cues.csv"):
        if row["cue"] == "question":  # by its mark
            continue
        assert (row["cue"], "en") in found
        assert (row["cue"], "zh") in found


def test_weights_name_known_cues_and_families_once() -> None:
    lexical = lexicon()
    keys = set(lexical.cues) | {combo.key for combo in lexical.combos}
    seen = set()
    for row in rows(FOLDER / "weights.csv"):
        assert row["cue"] in keys
        assert row["family"] in lexical.families
        assert (row["cue"], row["family"]) not in seen
        seen.add((row["cue"], row["family"]))
        assert -2.5 <= float(row["log_odds"]) <= 2.5


def test_every_cue_and_combination_weighs_something() -> None:
    lexical = lexicon()
    for key in [*lexical.cues, *(combo.key for combo in lexical.combos)]:
        assert lexical.weights[key], key


def test_references_between_cues_exist() -> None:
    lexical = lexicon()
    for cue in lexical.cues.values():
        assert set(cue.opposites) | set(cue.unless) <= set(lexical.cues)
    for combo in lexical.combos:
        assert len(combo.members) == 2
        assert set(combo.members) <= set(lexical.cues)
    for label in lexical.labels:
        assert set(label.cues) <= set(lexical.cues) | {c.key for c in lexical.combos}
    assert set(lexical.arousal) <= set(lexical.cues)


def test_every_family_has_a_plain_label_and_no_label_is_in_two() -> None:
    lexical = lexicon()
    assert [lexical.label_of(family) for family in lexical.families]
    words = [label.name for label in lexical.labels]
    assert len(words) == len(set(words))
    for label in lexical.labels:
        assert 0 <= label.low < label.high <= 1
        assert lexical.family_of(label.name) == label.family


def test_each_cue_is_read_back_from_the_name_we_give_it() -> None:
    for cue in lexicon().cues.values():
        if cue.channel != "text" and not cue.key.startswith(WORD_CUES):
            named = mentions_in(cue.phrase, cue.channel, False)
            assert cue.key in {m.cue for m in named if not m.negated}, cue.phrase


def test_the_name_of_a_combination_states_its_members_and_nothing_else() -> None:
    lexical = lexicon()
    for combo in lexical.combos:
        channel = lexical.cues[combo.members[0]].channel
        named = {m.cue for m in mentions_in(combo.phrase, channel)}
        assert set(combo.members) <= named
        groups = {lexical.cues[key].group for key in combo.members}
        assert {lexical.cues[key].group for key in named} <= groups, combo.key


def test_scene_and_light_weigh_nothing() -> None:
    for text in ("The picture is dark.", "A close-up shows one person.", "The camera moves."):
        assert mentions_in(text, "visual") == ()
    assert mentions_in("The background music is sad and loud.", "audio") == ()


def test_no_text_of_the_emer_clips_is_in_the_tables(shared: Path) -> None:
    """No run of six words or ten Chinese characters of the clips' texts occurs in a table."""
    ours = " ".join(path.read_text(encoding="utf-8").casefold() for path in TABLES)
    runs = set(re.findall(r"(?=\b((?:[a-z']+ ){5}[a-z']+))", ours))
    runs |= set(re.findall(r"(?=([\u4e00-\u9fff]{10}))", ours))
    text = (shared / "data/emer/oracle_clues.csv").read_text(encoding="utf-8").casefold()
    assert [run for run in runs if run in text] == []


def write_weights(folder: Path, rows: str = ROWS, **about: object) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "weights.csv").write_text(rows, encoding="utf-8")
    digest = hashlib.sha256(rows.encode()).hexdigest()
    provenance = {"name": "fit:mine", "weights_sha256": digest, **about}
    (folder / "weights.json").write_text(json.dumps(provenance))
    return str(folder)


def probabilities(weights: str) -> dict[str, float]:
    return {s.family: s.probability for s in weigh(read([NODS]), load_weighting(weights))}


def test_fitted_weights_replace_those_they_name(tmp_path: Path) -> None:
    fitted, default = probabilities(write_weights(tmp_path / "w")), probabilities("")
    assert fitted["angry"] > 0.5 > default["angry"]
    assert fitted["happy"] < default["happy"]
    assert fitted["surprised"] == default["surprised"]


def test_labels_follow_the_weights_and_are_verified_with_them(tmp_path: Path) -> None:
    mine, plain = Rules(write_weights(tmp_path / "w")), Rules()
    inquiry = kit.inquiry(NODS)
    written = mine.explain(inquiry, mine.decide(inquiry))
    assert written.labels[0].name == "angry"
    assert kit.holds(examine(mine, inquiry, written, last=True))
    claimed = Explanation(labels=(Label(name="angry", band="low", clue_ids=(NODS.id,)),))
    assert not kit.holds(examine(plain, inquiry, claimed, last=True))
    assert plain.name == "rules"
    assert mine.name.startswith("rules, fit:mine@")
    assert len(weighting_of(mine).name) == len("fit:mine@") + 8


@pytest.mark.parametrize(
    ("rows", "about", "message"),
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
    rows: str, about: dict[str, object], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as error:
        load_weighting(write_weights(tmp_path / "w", rows, **about))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_folder_that_is_not_there_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"weights\.json: No such file .*emer-eval fit --out"):
        load_weighting(str(tmp_path / "nowhere"))
    folder = tmp_path / "odd"
    write_weights(folder)
    (folder / "weights.json").write_text("[]")
    with pytest.raises(ConfigError, match="is no object"):
        load_weighting(str(folder))
    (folder / "weights.json").write_text("{")
    with pytest.raises(ConfigError, match="is not JSON"):
        load_weighting(str(folder))
