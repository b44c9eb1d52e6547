"""`emer memory`: keeping a run, finding it, forgetting it; what is wrong is one line."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.fixtures.command_line import environment
from tests.fixtures.trusted import write_trusted

HOME = "EMER_HOME"


def output(done) -> object:
    """Return what was printed as JSON."""
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.fixture
def exemplar_key(ask, emer) -> str:
    """Return the key of a run that was explained and kept."""
    assert ask("--json").exit_code == 0
    record = output(emer("memory", "add", "last", "--json"))
    assert record["labels"] and record["run_id"]
    return str(record["key"])


def test_a_kept_run_is_listed_found_and_forgotten(emer, exemplar_key):
    listed = output(emer("memory", "list", "--json"))
    assert [entry["key"] for entry in listed if entry["kind"] == "exemplar"] == [exemplar_key]
    found = output(emer("memory", "search", "She smiles. The voice is louder.", "--json"))
    assert found[0]["key"] == exemplar_key and found[0]["score"] > 0.9
    assert found[0]["source"].startswith("run ")
    shown = emer("memory", "remove", exemplar_key[:5])
    assert shown.exit_code == 0 and f"Deleted {exemplar_key}" in shown.stdout
    assert exemplar_key not in emer("memory", "list").stdout


def test_nothing_of_the_clips_file_is_kept(emer, exemplar_key, clip):
    folder = Path(os.environ[HOME]) / "memory"
    for path in (folder / "exemplars").iterdir():
        text = path.read_text()
        assert clip.name not in text and clip.stem not in text and str(clip.parent) not in text


def test_searching_shows_scores_texts_and_sources(emer):
    shown = emer("memory", "search", "smiles and looks down")
    assert shown.exit_code == 0
    for part in ("bashful_smile", "Keltner 1995", "No proof of", "near"):
        assert part in shown.stdout
    found = output(emer("memory", "search", "smiles and looks down", "--most", "1", "--json"))
    assert len(found) == 1 and found[0]["reference"].startswith("Keltner")
    nothing = emer("memory", "search", " ")
    assert nothing.exit_code == 2 and "nothing to look for" in nothing.stderr
    assert output(emer("memory", "search", "zzz", "--json")) == []
    assert "Nothing in the memory is near" in emer("memory", "search", "zzz").stdout


def test_an_emotion_does_not_find_its_opposite(emer):
    for word, opposite in (("joyful", {-1}), ("sorrowful", {1})):
        for entry in output(emer("memory", "search", word, "--most", "20", "--json")):
            assert _signs(entry["labels"]) != opposite, (word, entry["key"])


def _signs(families) -> set[int]:
    pleasant, not_so = {"happy", "amused", "affectionate", "calm"}, {
        "angry", "disgusted", "contemptuous", "sad", "worried", "embarrassed", "tired",
    }  # fmt: skip
    return {1 for f in families if f in pleasant} | {-1 for f in families if f in not_so}


def test_the_status_needs_no_file_and_ignores_the_index_of_earlier_versions(emer):
    folder = Path(os.environ[HOME]) / "memory"
    status = output(emer("memory", "status", "--json"))
    assert status["index"] == "in memory" and status["cards"] >= 40 and status["exemplars"] == 0
    before = emer("memory", "search", "tears").stdout
    assert not folder.exists()
    folder.mkdir(parents=True)
    (folder / "index").write_bytes(b'{"emer": "emer memory 1"}\nold')
    assert emer("memory", "search", "tears").stdout == before
    assert output(emer("memory", "status", "--json")) == status


def test_a_damaged_exemplar_is_said_and_left_out(emer, exemplar_key):
    path = Path(os.environ[HOME]) / "memory" / "exemplars" / f"{exemplar_key}.json"
    path.write_text("{")
    shown = emer("memory", "status")
    text = " ".join(shown.stdout.split())  # the length of the path decides where the line breaks
    assert shown.exit_code == 0 and "is no exemplar and is left out" in text


def test_another_embedder_is_a_setting(emer, tmp_path):
    settings = tmp_path / "e.toml"
    text = '[memory]\non = false\n[memory.embedder]\nuse = "cli_tools:Letters"\n'
    write_trusted(settings, text)
    status = output(emer("memory", "status", "--json", "--settings", settings))
    assert status["embedder"] == "cli_tools:Letters" and status["used"].startswith("no")
    found = output(emer("memory", "search", "The person smiles.", "--json", "--settings", settings))
    assert found and found[0]["kind"] == "card"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("memory add last", "no runs"),
        ("memory add nothing", "no runs"),
        ("memory remove x1", "is no exemplar"),
        ("memory remove tears", "is a card"),
        ("memory search tears --most 0", "--help"),
        ("memory search", "--help"),
        ("memory list --settings {0}/moon.toml", "no embedder is called 'moon'"),
        ("memory list --settings {0}/odd.toml", "memory.nearest"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(emer, tmp_path, words, message):
    (tmp_path / "moon.toml").write_text('[memory.embedder]\nuse = "moon"\n')
    (tmp_path / "odd.toml").write_text("[memory]\nnearest = 0\n")
    done = emer(*words.format(tmp_path).split())
    assert done.exit_code == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and message in done.stderr


def test_a_run_that_abstained_teaches_nothing(ask, emer):
    silent = ("face=none", "prosody=none", "scene=none", "speech=none")
    assert ask(tools=silent).exit_code == 0
    done = emer("memory", "add", "last")
    assert done.exit_code == 2 and "names no emotion" in done.stderr


def test_it_works_as_a_process_of_its_own_and_offline(spawn):
    blocked = environment(http_proxy="http://127.0.0.1:9", https_proxy="http://127.0.0.1:9")
    done = spawn("memory", "search", "tears", "--json", env=blocked)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["key"] == "tears"
