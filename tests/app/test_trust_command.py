"""Folders and traces of strangers on the command line: nothing runs, one line says why."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest

from tests.fixtures.command_line import swaps
from tests.fixtures.servers.openai_chat import serving

OFF = [word for slot in ("scene", "prosody", "speech") for word in ("--tool", f"{slot}=none")]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a stranger's folder: its settings name a module of it, which leaves a marker."""
    place = tmp_path / "a stranger's"
    place.mkdir()
    (place / "payload.py").write_text(
        f"import pathlib\npathlib.Path({str(tmp_path / 'ran')!r}).touch()\n"
        "from cli_tools import Smile as Tool\n"
    )
    (place / "emer.toml").write_text('[tools.face]\nuse = "payload:Tool"\n')
    monkeypatch.chdir(place)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "payload", raising=False)
    return place


COMMANDS = (
    ("doctor",),
    ("tools", "list"),
    ("tools", "check", "subtitle"),
    ("memory", "status"),
    ("trace", "list"),
)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_command_runs_what_a_folder_names(emer, folder, words):
    found = emer(*words, "--json")
    assert not (folder.parent / "ran").exists()
    (line,) = found.stderr.splitlines()
    assert "emer.toml is not trusted; not taken from it: tools.face.use; " in line
    assert f"to allow it: emer trust {shlex.quote(str(folder))}; or name it" in line


def test_a_folder_s_tool_runs_once_it_is_named_or_trusted(emer, clip, folder):
    command = ("ask", clip, *OFF, "--json")
    refused = json.loads(emer(*command, "--tool", "face=none").stdout)
    assert refused["clues"] == [] and not (folder.parent / "ran").exists()
    shown = emer("trust")
    assert (
        shown.exit_code == 0 and "tools.face.use = 'payload:Tool': code that is run" in shown.stdout
    )
    assert not (folder.parent / "ran").exists(), "to show it does not run it"
    done = emer(*command)
    assert done.stderr == "" and json.loads(done.stdout)["clues"]
    assert (folder.parent / "ran").exists()


def test_a_tool_of_the_command_line_needs_no_trust(emer, clip, folder):
    done = emer("ask", clip, "--tool", "face=payload:Tool", *OFF, "--json")
    assert json.loads(done.stdout)["clues"] and done.stderr == ""


def test_neither_evidence_nor_a_key_goes_where_a_folder_says(emer, clip, folder, monkeypatch):
    monkeypatch.setenv("EMER_LLM_KEY", "secret")
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    with serving() as server:
        model = f'[reasoner]\nuse = "llm"\nwhen = "always"\nmodel = "x@{server.url}"\n'
        Path("emer.toml").write_text(model)
        done = emer("ask", clip, *swaps("face=Smile"), *OFF, "--json")
        assert done.exit_code == 0 and len(done.stderr.splitlines()) == 1
        assert any("reasoner.model" in note for note in json.loads(done.stdout)["notes"])
        assert server.asked == [] == server.keys and server.listed == 0
        emer("trust", ".")
        emer("ask", clip, *swaps("face=Smile"), *OFF, "--json")
        assert set(server.keys) == {"Bearer secret"}, "its own key, once it is trusted"


def test_a_list_of_what_is_trusted_and_its_end(emer, folder):
    file = str(folder / "emer.toml")
    assert "No file is trusted" in emer("trust", "--list").stdout
    record = json.loads(emer("trust", folder, "--json").stdout)
    assert record["file"] == file and record["allows"][0]["key"] == "tools.face.use"
    assert json.loads(emer("trust", "--list", "--json").stdout) == [
        {"file": file, "state": "trusted"}
    ]
    (folder / "emer.toml").write_text("parallel = 2\n")
    assert "changed" in emer("trust", "--list").stdout
    assert emer("trust", "--remove", folder).exit_code == 0
    again = emer("trust", "--remove", folder)
    assert again.exit_code == 2 and "not among the trusted files" in again.stderr
    absent = emer("trust", folder.parent)
    assert absent.exit_code == 2 and "there is no settings file" in absent.stderr


def received(trace: str, reasoner: dict[str, str]) -> Path:
    """Write what a stranger would send: the trace with another reasoner in its header."""
    first, *rest = Path(trace).read_text().splitlines()
    header = json.loads(first)
    header["settings"]["reasoner"] = reasoner
    copy = Path("received.jsonl").absolute()
    copy.write_text("\n".join([json.dumps(header), *rest, ""]))
    return copy


def test_a_received_trace_runs_nothing_at_whatif_and_review(emer, ask, folder):
    Path("emer.toml").unlink()
    asked = json.loads(ask("--json").stdout)
    trace = received(asked["trace"], {"use": "payload:Tool"})
    found = emer("trace", "whatif", trace, "--without", "face", "--json")
    assert json.loads(found.stdout)["reasoner"] == "rules"
    assert found.stderr.count("\n") == 1 and "reasoner.use; to allow it: --trust" in found.stderr
    waits = json.loads(ask("--review", "--json").stdout)
    trace = received(waits["trace"], {"use": "payload:Tool"})
    done = emer("review", trace, "--accept", "--json")
    assert not (folder.parent / "ran").exists() and "reasoner.use" in done.stderr
    chosen = emer("trace", "whatif", trace, "--without", "face", "--trust", "--json")
    assert (folder.parent / "ran").exists(), "--trust takes it"
    assert chosen.exit_code == 2 and "no decide and explain" in chosen.stderr


def test_a_run_of_one_s_own_takes_no_code_from_the_folder_it_is_reviewed_in(
    emer, clip, folder, tmp_path, monkeypatch
):
    """The tool of the first folder is meant, not a module of the same name in the second."""
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "only_there.py").write_text("from cli_tools import Smile as Tool\n")
    (folder / "only_there.py").write_text((folder / "payload.py").read_text())
    monkeypatch.chdir(mine)
    waits = emer("ask", clip, "--tool", "face=only_there:Tool", *OFF, "--review", "--json")
    assert waits.exit_code == 0, waits.output
    sys.modules.pop("only_there")
    sys.path.remove(str(mine))
    monkeypatch.chdir(folder)
    done = emer("review", json.loads(waits.stdout)["run_id"], "--accept", "--json")
    assert done.exit_code == 0, done.output
    assert not (folder.parent / "ran").exists()
