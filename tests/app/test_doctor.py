"""`emer doctor` says what works by making it work."""

from __future__ import annotations

import json
import re
import socket

import pytest

from tests.fixtures.checkpoints.caption import write_smolvlm
from tests.fixtures.servers.openai_chat import serving


@pytest.fixture
def fakes(monkeypatch):
    for slot, name in (
        ("face", "Smile"),
        ("prosody", "Loud"),
        ("scene", "none"),
        ("speech", "none"),
    ):
        use = name if name == "none" else f"cli_tools:{name}"
        monkeypatch.setenv(f"EMER_TOOLS__{slot.upper()}__USE", use)


def checks(done):
    return {check["name"]: check for check in json.loads(done.stdout)["checks"]}


def test_the_embedded_profile_is_ready_here(spawn):
    done = spawn("doctor", "--json")
    assert done.returncode == 0, done.stdout
    found = checks(done)
    assert {"face = mesh", "scene = camera", "prosody = egemaps", "speech = pocketsphinx"} <= {
        *found
    }
    assert {"av", "mediapipe", "langgraph", "opensmile"} <= {*found}
    assert found["av"]["detail"][0].isdigit()


@pytest.mark.parametrize(
    ("name", "cure"),
    [("Absent", "pip install moonlight"), ("Crash", "the lens fell off"), ("Nobody", "Nobody")],
)
def test_a_tool_that_does_not_work_is_told_with_its_cure(emer, fakes, monkeypatch, name, cure):
    monkeypatch.setenv("EMER_TOOLS__SCENE__USE", f"cli_tools:{name}")
    done = emer("doctor")
    assert done.exit_code == 1
    assert cure in done.stdout and "is not ready: 1 to mend" in done.stdout


def test_a_store_that_cannot_be_written_is_told(emer, fakes, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("EMER_HOME", str(tmp_path / "file" / "home"))
    done = emer("doctor", "--json")
    assert done.exit_code == 1
    wrong = [check for check in checks(done).values() if not check["ok"]]
    assert [check["area"] for check in wrong] == ["store"] and "EMER_HOME" in wrong[0]["fix"]


def test_a_missing_package_is_told_with_the_line_that_brings_it(emer, fakes, monkeypatch):
    monkeypatch.setattr("emer.app.commands.doctor.required_packages", lambda: ["moonlight"])
    found = checks(emer("doctor", "--json"))["moonlight"]
    assert (found["ok"], found["fix"]) == (False, "pip install moonlight")


@pytest.mark.slow
def test_the_memory_is_looked_into_where_a_model_reasons(emer, fakes, monkeypatch, tmp_path):
    script = tmp_path / "script.json"
    script.write_text("[]")
    assert "cues" not in checks(emer("doctor", "--json"))
    monkeypatch.setenv("EMER_REASONER__USE", "llm")
    monkeypatch.setenv("EMER_REASONER__MODEL", f"script:{script}")
    found = checks(emer("doctor", "--json"))["cues"]
    assert found["ok"] and "remembered" in found["detail"]
    monkeypatch.setitem(__import__("sys").modules, "faiss", None)
    found = checks(emer("doctor", "--json"))["cues"]
    assert not found["ok"] and found["fix"] == "pip install 'emer[llm]'"


@pytest.fixture
def endpoint(monkeypatch):
    """Return a server that `vision-api` is set to."""
    pytest.importorskip("openai", reason="needs emer[llm]")
    with serving() as server:
        monkeypatch.setenv("EMER_TOOLS__CAPTION__USE", "vision-api")
        monkeypatch.setenv("EMER_VISION_URL", server.url)
        monkeypatch.setenv("EMER_VISION_MODEL", "tiny")
        yield server


@pytest.mark.slow
def test_a_vision_endpoint_is_asked_whether_it_is_there(emer, fakes, endpoint):
    endpoint.models = ["tiny"]
    found = checks(emer("doctor", "--json"))["caption = vision-api"]
    assert found["ok"] and found["detail"].endswith(f"tiny ({endpoint.url[:-3]} has it)")
    assert endpoint.listed == 1 and endpoint.asked == [], "no picture is sent"
    endpoint.models = 401
    result = emer("doctor")
    assert result.exit_code == 1 and "EMER_VISION_KEY" in result.stdout


@pytest.mark.slow
def test_a_vision_endpoint_that_is_dead_is_not_ready(emer, fakes, endpoint, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("EMER_VISION_URL", f"http://127.0.0.1:{port}/v1")
    done = emer("doctor", "--json")
    found = checks(done)["caption = vision-api"]
    assert done.exit_code == 1 and not found["ok"]
    assert f"nobody answers at http://127.0.0.1:{port}" in found["detail"]


@pytest.mark.slow
def test_a_captioner_writes_of_the_second_and_is_let_go(emer, fakes, monkeypatch, tmp_path):
    pytest.importorskip("transformers", reason="transformers is not installed")
    from emer.tools.caption import captioner
    from emer.tools.runtime.model_pool import POOL

    def broken(*_: object) -> None:
        raise RuntimeError("no kernel image for this GPU")

    monkeypatch.setenv("EMER_TOOLS__CAPTION__USE", "captioner")
    monkeypatch.setenv("EMER_TOOLS__CAPTION__MODEL", str(write_smolvlm(tmp_path / "model")))
    assert checks(emer("doctor", "--json"))["caption = captioner"]["ok"]
    monkeypatch.setattr(captioner, "joined", broken)
    found = checks(emer("doctor", "--json"))["caption = captioner"]
    assert not found["ok"] and "no kernel image" in found["detail"]
    assert "captioner" not in {key.kind for key in POOL.held()}


@pytest.mark.slow
def test_the_second_shows_a_face_so_that_face_models_run(tmp_path):
    pytest.importorskip("deepface", reason="deepface is not installed")
    from emer.app.commands.doctor import trial_clip
    from emer.tools.expression.deepface import DeepFaceEmotion
    from emer.tools.media.clip import Clip
    from tests.fixtures.faces import write_emotion

    clip = Clip.open(trial_clip(tmp_path / "second.mp4"))
    tool = DeepFaceEmotion(model=str(write_emotion(tmp_path / "happy.pth")))
    clues = tool.observe(clip)
    tool.unload()
    assert "happ" in clues[0].text


def test_a_tool_in_a_slot_for_something_else_is_not_ready(emer, fakes, monkeypatch):
    monkeypatch.setenv("EMER_TOOLS__SPEECH__USE", "mesh")
    found = checks(emer("doctor", "--json"))["speech = mesh"]
    assert (
        not found["ok"] and "mesh observes the face, this slot is for the text" in found["detail"]
    )


def test_it_says_where_words_are_stored_and_who_can_open_them(ask, emer, fakes, clip, own_home):
    own_home.mkdir(mode=0o755)
    (own_home / "letter.txt").touch()
    assert ask("--json").exit_code == 0
    done = emer("doctor", "--json")
    checks = json.loads(done.stdout)["checks"]
    stored = {check["name"]: check["detail"] for check in checks if check["area"] == "stored"}
    assert set(stored) == {"traces", "observations", "states of threads"}
    assert re.search(rf"^1, \d+ kB, oldest \d{{4}}-.*, in {own_home}/traces$", stored["traces"])
    assert stored["states of threads"].startswith("1, ")
    (privacy,) = (check for check in checks if check["area"] == "privacy")
    assert privacy["fix"] == f"chmod go= {own_home}" and privacy["ok"]
    assert privacy["fix"] in emer("doctor").stdout
    own_home.chmod(0o700)
    done = emer("doctor", "--json")
    assert "privacy" not in {check["area"] for check in json.loads(done.stdout)["checks"]}
