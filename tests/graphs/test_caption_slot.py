"""A captioner in a run: swapped by flag, file and from Python; only it runs again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emer.agents.lexicon.cue_parser import read
from emer.agents.rules.fusion import gather
from emer.graphs.ask import ask
from emer.graphs.settings import Choice, load_settings
from emer.tools.runtime.model_pool import POOL
from tests.fixtures.checkpoints.caption import CAPTION, room, write_pictures, write_smolvlm
from tests.fixtures.graph_runs import FAKES, events, trace_of
from tests.fixtures.packages import needs
from tests.fixtures.servers.openai_chat import serving
from tests.fixtures.trusted import write_trusted

pytestmark = [needs("transformers", "openai"), pytest.mark.slow]

QUESTION = "What is displayed?"


@pytest.fixture
def clip_path(tmp_path: Path) -> Path:
    return write_pictures(tmp_path / "clip.mp4", [room(1 + n // 10) for n in range(20)])


@pytest.fixture
def folder(tmp_path: Path):
    yield write_smolvlm(tmp_path / "model")
    POOL.unload()


def test_swapping_the_captioner_runs_it_alone_again(clip_path, folder):
    none = dict.fromkeys(("face", "prosody", "speech", "ocr"), "none")
    first = load_settings(tools={**none, "caption": "captioner"})
    tools = {**first.tools, "caption": Choice(use="captioner", model=str(folder))}
    one = ask(clip_path, QUESTION, settings=first.model_copy(update={"tools": tools}))
    assert any(CAPTION in clue.text for clue in one.clues)
    assert trace_of(one).header.hardware["caption"]["device"] == "cpu"
    with serving() as server:
        server.after = "A man nods."
        tools["caption"] = Choice(use="vision-api", model="tiny", url=server.url)
        two = ask(clip_path, QUESTION, settings=first.model_copy(update={"tools": tools}))
    assert any("a man nods" in clue.text for clue in two.clues)
    assert not any(CAPTION in clue.text for clue in two.clues)
    ran = {e.slot: e.cached for e in events(two, "tool_finished") if e.round == 0}
    assert ran == {"scene": True, "caption": False}
    host = f"http://127.0.0.1:{server.server_address[1]}"
    assert trace_of(two).header.tools["caption"].params["host"] == host


def test_looking_closer_at_what_was_described_adds_no_evidence(clip_path):
    none = {slot: "none" for slot in ("face", "scene", "prosody", "speech", "caption")}
    settings = load_settings(tools=none).model_copy(
        update={"reasoner": Choice(use=f"{FAKES}Asking")}
    )
    with serving() as server:
        server.after = "A woman smiles."
        choice = Choice(use="vision-api", model="tiny", url=server.url)
        tools = {**settings.tools, "caption": choice}
        answer = ask(clip_path, QUESTION, settings=settings.model_copy(update={"tools": tools}))
    clues = [clue for event in events(answer, "tool_finished") for clue in event.clues]
    (first,) = answer.clues
    assert len({clue.id for clue in clues}) > 1 and "closer" not in first.data
    assert trace_of(answer).clues == answer.clues
    assert len(gather(read(clues))) > len(gather(read(answer.clues))) == 1
    assert answer.stop_reason == "no_new_clues"


def test_a_flag_and_the_file_choose_it_and_missing_weights_are_one_line(
    clip_path, folder, tmp_path, monkeypatch
):
    from typer.testing import CliRunner

    from emer.app.cli import app

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    off = [arg for slot in ("face", "prosody", "speech") for arg in ("--tool", f"{slot}=none")]
    command = ["ask", str(clip_path), "--json", *off]
    text = f'[tools.caption]\nuse = "captioner"\nmodel = "{folder}"\n'
    write_trusted(tmp_path / "emer.toml", text)
    output = json.loads(CliRunner().invoke(app, command).stdout)
    assert CAPTION in json.dumps(output["clues"])
    plain = CliRunner().invoke(app, [*command, "--tool", "caption=none"])
    assert plain.exit_code == 0 and CAPTION not in plain.stdout
    (tmp_path / "emer.toml").unlink()
    bare = CliRunner().invoke(app, [*command, "--tool", "caption=captioner"])
    assert bare.exit_code == 0
    assert "emer models pull captioner-smolvlm-500m" in bare.stdout
