"""Face tools with a model, taken by flag, by emer.toml, from Python and by themselves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emer.graphs.ask import ask
from emer.graphs.components import choose
from emer.graphs.settings import load_settings
from emer.tools.runtime.device import configure
from emer.tools.runtime.model_pool import POOL
from emer.tools.weights.catalogue import named
from emer.tools.weights.download import verify
from emer.tools.weights.locate import target
from tests.fixtures.checkpoints.landmarker import by_mouth, write_task
from tests.fixtures.faces import write_emotion, write_portrait
from tests.fixtures.packages import needs

pytestmark = [needs("deepface"), pytest.mark.slow]

OTHERS = ("--tool", "scene=none", "--tool", "prosody=none", "--tool", "speech=none")


@pytest.fixture(autouse=True)
def own_machine(tmp_path, monkeypatch):
    """Have no library's own cache of weights in sight, and nothing in memory afterwards."""
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.delenv("DEEPFACE_HOME", raising=False)
    monkeypatch.setenv("EMER_WEIGHTS", str(tmp_path / "weights"))
    configure(None)
    yield
    POOL.unload()


@pytest.fixture
def pulled() -> tuple[Path, Path]:
    """Lay weights where `emer models pull` does."""
    task, emotion = (target(named(name)) for name in ("face-landmarker", "face-emotion"))
    task.parent.mkdir(parents=True)
    return write_task(task, *by_mouth("noseSneerLeft", "noseSneerRight")), write_emotion(emotion)


@pytest.fixture(scope="module")
def portrait(tmp_path_factory) -> Path:
    return write_portrait(tmp_path_factory.mktemp("clips") / "portrait.mp4", seconds=1.6)


def test_by_flag_each_writes_its_clues_and_the_reasoner_reads_them(emer, pulled, portrait):
    words = ("--tool", "face=blendshapes", "--tool", "expression=deepface", *OTHERS)
    done = emer("ask", portrait, *words, "--json")
    assert done.exit_code == 0, done.output
    output = json.loads(done.stdout)
    by_tool = {clue["source"]["tool"]: clue for clue in output["clues"]}
    assert set(by_tool) == {"blendshapes", "deepface"}
    assert "classified as happy" in by_tool["deepface"]["text"]
    label = output["hypotheses"][0]
    assert label["label"] in ("happy", "pleased", "joyful", "content", "cheerful")
    assert by_tool["deepface"]["id"] in label["supports"]


def test_by_file_and_from_python(pulled, portrait, tmp_path):
    file = tmp_path / "emer.toml"
    quiet = "".join(f'[tools.{slot}]\nuse = "none"\n' for slot in ("scene", "prosody", "speech"))
    file.write_text(f'[tools.face]\nuse = "auto"\n[tools.expression]\nuse = "deepface"\n{quiet}')
    answer = ask(portrait, settings=load_settings(file))
    assert {clue.source.tool for clue in answer.clues} == {"blendshapes", "deepface"}


def test_auto_takes_the_blendshapes_where_their_weights_are(pulled):
    ready = choose(load_settings(profile="auto"))
    assert ready.settings.tools["face"].use == "blendshapes"
    assert ready.settings.tools["expression"].use == "deepface"


def test_auto_takes_the_mesh_and_says_what_the_blendshapes_need():
    ready = choose(load_settings(profile="auto"))
    assert ready.settings.tools["face"].use == "mesh"
    assert "blendshapes needs the weights face-landmarker (4 MB)" in ready.reasons["face"]
    assert "deepface needs the weights face-emotion (6 MB)" in ready.reasons["expression"]


def test_the_page_names_the_tools_and_what_one_command_would_improve(emer, portrait):
    quiet = [word for slot in ("scene", "prosody", "speech") for word in ("--tool", f"{slot}=none")]
    bare = emer("ask", portrait, *quiet)
    line = "Faces by mesh: `emer models pull recommended` sees nose, cheeks and lips."
    assert line in bare.stdout.splitlines()
    assert "Faces by" not in emer("ask", portrait, *quiet, "--brief").stdout
    chosen = emer("ask", portrait, *quiet, "--tool", "face=mesh", "--json")
    record = json.loads(chosen.stdout)
    assert record["advice"] is None, "the user chose the tool"
    assert [use["tool"] for use in record["tools"]] == ["mesh"]


def test_the_page_names_the_recommended_tools_where_they_are_used(emer, pulled, portrait):
    quiet = [
        word
        for slot in ("expression", "scene", "prosody", "speech")
        for word in ("--tool", f"{slot}=none")
    ]
    assert "Faces by blendshapes." in emer("ask", portrait, *quiet).stdout.splitlines()


def test_a_file_that_is_not_the_published_one_is_found_out(pulled, emer):
    task, emotion = (verify(named(name)) for name in ("face-landmarker", "face-emotion"))
    assert task.outcome == "damaged" and task.fix == "emer models pull face-landmarker"
    assert emotion.outcome == "unknown", "nobody published a checksum of it"
    assert emer("models", "verify", "face-landmarker").exit_code != 0


def test_the_conformance_suite_is_run_on_them_by_name(emer, pulled, portrait):
    done = emer("tools", "check", "deepface", "--clip", portrait)
    assert done.exit_code == 0, done.output
