"""Kept runs: what is written of them, what is not, and how they are forgotten."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emer.agents.memory.embedder import CueEmbedder
from emer.agents.memory.exemplars import Exemplar, Exemplars
from emer.agents.memory.memory import Memory
from emer.agents.types import Explanation
from emer.tools.errors import ConfigError
from tests.fixtures import clues as kit

QUESTION = "Is she angry?"


@pytest.fixture
def exemplars(tmp_path: Path) -> Exemplars:
    return Exemplars(tmp_path / "exemplars")


def keep(exemplars: Exemplars, run_id: str = "20260101-1", clues=kit.ANGRY) -> Exemplar:  # type: ignore[no-untyped-def]
    return exemplars.add(run_id, QUESTION, clues, kit.explain(*clues))


def test_a_kept_run_is_found_by_clips_like_it(exemplars: Exemplars) -> None:
    exemplar = keep(exemplars)
    assert exemplars.all() == (exemplar,) and exemplar.labels[0] == "angry"
    memory = Memory([e.item for e in exemplars.all()], CueEmbedder())
    like = kit.clue("face", "He furrows his brows and presses his lips together.")
    (match,) = memory.recall([like])
    assert match.item.key == exemplar.key and match.item.source == "run 20260101-1"
    assert memory.recall([kit.SMILE, kit.LIVELY]) == ()


def test_of_a_clip_only_sentences_labels_and_explanation_are_kept(exemplars: Exemplars) -> None:
    exemplar = keep(exemplars)
    stored = json.loads((exemplars.folder / f"{exemplar.key}.json").read_text())
    assert set(stored) == {"key", "run_id", "question", "passage", "labels", "explanation"}
    assert {tuple(line) for line in stored["passage"]["lines"]} == {("modality", "text", "quality")}
    assert not any(clue.id in json.dumps(stored) for clue in kit.ANGRY)


def test_what_is_told_of_it_has_no_times_and_no_ids(exemplars: Exemplars) -> None:
    item = keep(exemplars).item
    for text in (item.en, item.zh):
        assert "furrows the brows strongly" in text and "angry" in text
        assert " s." not in text and "1.0" not in text and "dB" not in text
        assert not any(clue.id in text for clue in kit.ANGRY)
    assert item.en.startswith("Another clip:") and item.zh.startswith("另一个片段")


def test_keeping_a_run_twice_keeps_it_once(exemplars: Exemplars) -> None:
    assert keep(exemplars) == keep(exemplars) and len(exemplars.all()) == 1
    keep(exemplars, "20260101-2")
    assert len(exemplars.all()) == 2


def test_a_run_without_a_label_teaches_nothing(exemplars: Exemplars) -> None:
    with pytest.raises(ConfigError, match="names no emotion"):
        exemplars.add("r1", QUESTION, kit.ANGRY, Explanation())
    with pytest.raises(ConfigError, match="names no emotion"):
        exemplars.add("r1", QUESTION, (), kit.explain(*kit.ANGRY))
    assert not exemplars.folder.exists()


def test_it_is_forgotten_by_its_key_or_a_beginning_of_it(exemplars: Exemplars) -> None:
    one, two = keep(exemplars, "r1"), keep(exemplars, "r2")
    with pytest.raises(ConfigError, match="could be 2 exemplars"):
        exemplars.remove("x")
    for name in ("", "../x", "y1"):
        with pytest.raises(ConfigError, match="is no exemplar"):
            exemplars.remove(name)
    assert exemplars.remove(one.key) == one and exemplars.all() == (two,)
    assert exemplars.remove(two.key[:6]) == two and exemplars.all() == ()


def test_a_damaged_exemplar_is_left_out_and_said(exemplars: Exemplars) -> None:
    whole = keep(exemplars)
    (exemplars.folder / "x0.json").write_text('{"key": "x0"')
    (exemplars.folder / "notes.txt").write_text("mine")
    assert exemplars.all() == (whole,)
    assert len(exemplars.notes) == 1 and "x0.json is no exemplar" in exemplars.notes[0]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be written"):
        keep(Exemplars(tmp_path / "file" / "exemplars"))
