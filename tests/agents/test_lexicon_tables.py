"""The lexicon's integrity: sources, patterns, and references between the tables."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from emer.agents.lexicon.cue_parser import mentions_in
from emer.agents.lexicon.lexicon import CHANNELS, FOLDER, lexicon

TABLES = sorted(path for path in FOLDER.glob("*.csv") if path.stem != "sources")
OWN = ("named_", "heard_", "said_")


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
    spoken = rows(FOLDER / "patterns.csv") + rows(FOLDER / "words.csv")
    found = {(row["cue"], row["lang"]) for row in spoken if row["pattern"]}
    for row in rows(FOLDER / "cues.csv"):
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
        if cue.channel != "text" and not cue.key.startswith(OWN):
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
