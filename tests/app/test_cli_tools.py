"""`emer tools`: the list, and the check that authors of tools run."""

from __future__ import annotations

import json

from tests.fixtures.trusted import write_trusted


def test_list_names_each_slot_and_what_is_not_ready(emer, monkeypatch):
    monkeypatch.setenv("EMER_TOOLS__FACE__USE", "cli_tools:Smile")
    monkeypatch.setenv("EMER_TOOLS__SCENE__USE", "cli_tools:Absent")
    entries = {e["name"]: e for e in json.loads(emer("tools", "list", "--json").stdout)}
    assert entries["cli_tools:Smile"]["slots"] == ["face"]
    assert entries["cli_tools:Smile"]["ready"] and entries["subtitle"]["ready"]
    assert entries["cli_tools:Absent"]["fix"] == "pip install moonlight"
    shown = emer("tools", "list").stdout
    assert "not ready: pip install moonlight" in shown and "subtitle" in shown


def test_check_passes_a_good_tool_and_fails_a_sloppy_one(emer, clip):
    good = emer("tools", "check", "cli_tools:Smile", "--clip", clip)
    assert good.exit_code == 0 and "✗" not in good.stdout
    bad = emer("tools", "check", "cli_tools:Sloppy", "--clip", clip)
    assert bad.exit_code == 1 and "✗" in bad.stdout
    findings = json.loads(
        emer("tools", "check", "cli_tools:Sloppy", "--clip", clip, "--json").stdout
    )
    assert not all(finding["ok"] for finding in findings)


def test_list_and_check_make_a_tool_with_what_the_settings_say(emer, clip, tmp_path):
    file = tmp_path / "mine.toml"
    write_trusted(file, '[tools.face]\nuse = "cli_tools:Told"\nword = "smiles"\n')
    without = emer("tools", "check", "cli_tools:Told", "--clip", clip)
    assert without.exit_code == 2 and "told.word is not set" in without.stderr
    done = emer("tools", "check", "cli_tools:Told", "--clip", clip, "--settings", file)
    assert done.exit_code == 0, done.output
    listed = json.loads(emer("tools", "list", "--json", "--settings", file).stdout)
    assert next(e for e in listed if e["name"] == "cli_tools:Told")["ready"]
    write_trusted(file, '[tools.face]\nuse = "cli_tools:Told"\nwords = "smiles"\n')
    wrong = emer("tools", "check", "cli_tools:Told", "--clip", clip, "--settings", file)
    assert wrong.exit_code == 2 and "cli_tools:Told.words: Told has no such" in wrong.stderr
