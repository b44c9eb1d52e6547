"""`emer trace`: runs listed, shown, drawn and compared."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from xml.etree import ElementTree

from tests.fixtures.command_line import FAKES


def test_list_is_newest_first(ask, emer):
    first, second = (json.loads(ask("--json").stdout)["run_id"] for _ in range(2))
    listed = [card["run_id"] for card in json.loads(emer("trace", "list", "--json").stdout)]
    assert set(listed) == {first, second} and listed == sorted(listed, reverse=True)
    assert all(run in emer("trace", "list").stdout for run in listed)


def test_list_without_runs_says_how_to_begin(emer):
    done = emer("trace", "list")
    assert done.exit_code == 0 and "emer demo" in done.stdout
    assert json.loads(emer("trace", "list", "--json").stdout) == []


def test_show_tells_tools_decisions_verdicts_and_why_it_stopped(ask, emer):
    ask("What is shown?")
    ask("What is shown?")
    shown = emer("trace", "show").stdout
    assert "What is shown?" in shown and "round 1" in shown
    assert re.search(r"✓ face +smile, whole clip +1 clue +from the store", shown)
    assert re.search(r"happy +0\.\d\d +━+ +\d for, \d against", shown)
    assert "follow from their clues" in shown and "stops: " in shown
    assert re.search(r"finished after .* s: ", shown)


def test_show_finds_a_run_by_the_beginning_of_its_id(ask, emer):
    run = json.loads(ask("--json").stdout)["run_id"]
    assert json.loads(emer("trace", "show", run[:-2], "--json").stdout)["header"]["run_id"] == run


def test_show_draws_a_picture(ask, emer, tmp_path):
    ask()
    picture = tmp_path / "run.svg"
    assert emer("trace", "show", "--svg", picture).exit_code == 0
    assert "@font-face" not in picture.read_text()
    drawn = "".join(ElementTree.fromstring(picture.read_text()).itertext()).replace("\xa0", " ")
    assert "smile, whole clip" in drawn
    done = emer("trace", "show", "--svg", tmp_path / "no" / "run.svg")
    assert done.exit_code == 2 and "run.svg" in done.stderr


def test_show_of_a_run_that_was_cut_off(ask, emer):
    ask()
    trace = next(Path(os.environ["EMER_HOME"]).glob("traces/*.jsonl"))
    lines = trace.read_text().splitlines(keepends=True)
    trace.write_text("".join(lines[:-1]) + '{"event": "fin')
    done = emer("trace", "show")
    assert done.exit_code == 0 and "did not end" in done.stdout


def test_diff_of_a_run_with_itself_and_with_another_tool(ask, emer):
    ask()
    assert "Nothing differs." in emer("trace", "diff", "last", "last").stdout
    one = json.loads(ask("--json").stdout)["run_id"]
    other = json.loads(ask("--json", tools=("face=Smile", *["prosody=none"], *FAKES[2:])).stdout)
    shown = emer("trace", "diff", one, other["run_id"]).stdout
    assert re.search(r"- a[0-9a-f]{8} .*The voice is louder", shown)
    found = json.loads(emer("trace", "diff", one, other["run_id"], "--json").stdout)
    assert [change["key"] for change in found["tools"]] == ["prosody"]
    assert found["clues_only_b"] == []


def test_diff_says_in_plain_words_what_explains_it(ask, emer, tmp_path):
    script = tmp_path / "replies.json"
    script.write_text(json.dumps(["nothing", "of", "use", "here"]))
    one = json.loads(ask("--json").stdout)["run_id"]
    model = ("--llm", f"script:{script}", "--llm-when", "always")
    other = json.loads(ask("--json", *model).stdout)["run_id"]
    shown = " ".join(emer("trace", "diff", one, other).stdout.split())
    assert f"• Another reasoner: rules → llm (script:{script}, always)." in shown
    assert "• The clues are the same (2)." in shown
    assert re.search(r"models ─+ requests unusable read written", shown)
    found = json.loads(emer("trace", "diff", one, other, "--json").stdout)
    assert found["because"][1] == "The clues are the same (2)."
    assert found["usage_b"]["requests"] > 0 and found["usage_a"]["requests"] == 0


def test_show_says_what_each_request_to_a_model_took(ask, emer, tmp_path, monkeypatch):
    monkeypatch.setenv("EMER_REASONER__USE", "llm")
    monkeypatch.setenv("EMER_REASONER__PRICE_IN", "1000.0")
    script = tmp_path / "replies.json"
    script.write_text(json.dumps(["nothing", "of", "use", "here"]))
    ask("--json", "--llm", f"script:{script}", "--llm-when", "always")
    shown = " ".join(emer("trace", "show", "last").stdout.split())
    assert re.search(r"writer script.*? [1-9]\d* tokens in, \d+ out, \d+\.\d+, ", shown), shown


def test_whatif_shows_what_changes_without_a_tool(ask, emer, clip):
    run = json.loads(ask("--json").stdout)["run_id"]
    clip.unlink()
    shown = emer("trace", "whatif", run, "--without", "face").stdout
    assert "+ without face" in shown and "reasoned anew by rules, no tool run" in shown
    assert re.search(r"• The labels change: .*happy.* → ", shown)
    assert re.search(r"- f[0-9a-f]{8} +0.2-0.8 s +The person smiles", shown)
    found = json.loads(emer("trace", "whatif", run, "--without", "face", "--json").stdout)
    assert found["without"] == ["face"] and len(found["removed"]) == 1
    assert found["rest"]["explanation"]["missing"][0]["modality"] == "face"
    assert emer("trace", "list").stdout.count(run) == 1


def test_whatif_takes_out_single_clues_and_names_what_it_does_not_know(ask, emer):
    record = json.loads(ask("--json").stdout)
    ids = [clue["id"] for clue in record["clues"]]
    out = [word for id in ids for word in ("--without-clue", id)]
    found = json.loads(emer("trace", "whatif", *("last", *out), "--rules", "--json").stdout)
    assert found["rest"]["stop_reason"] == "no_evidence"
    for words in (["--without", "nose"], ["--without-clue", "f0"], []):
        done = emer("trace", "whatif", "last", *words)
        assert done.exit_code == 2 and done.stderr.count("\n") == 1 and done.stdout == ""
