"""`emer doctor` says what works by making it work."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def fakes(monkeypatch):
    for slot, name in (
        ("face", "Smile"),
        ("prosody", "Loud"),
        ("scene", "none"),
        ("speech", "none"),
    ):
        use = name if name == "none" else f"app_fakes:{name}"
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
    ("name", "told"),
    [("Absent", "pip install moonlight"), ("Crash", "the lens fell off"), ("Nobody", "Nobody")],
)
def test_a_tool_that_does_not_work_is_told_with_its_cure(emer, fakes, monkeypatch, name, told):
    monkeypatch.setenv("EMER_TOOLS__SCENE__USE", f"app_fakes:{name}")
    done = emer("doctor")
    assert done.exit_code == 1
    assert told in done.stdout and "is not ready: 1 to mend" in done.stdout


def test_a_store_that_cannot_be_written_is_told(emer, fakes, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("EMER_HOME", str(tmp_path / "file" / "home"))
    done = emer("doctor", "--json")
    assert done.exit_code == 1
    wrong = [check for check in checks(done).values() if not check["ok"]]
    assert [check["area"] for check in wrong] == ["store"] and "EMER_HOME" in wrong[0]["fix"]


def test_a_missing_package_is_told_with_the_line_that_brings_it(emer, fakes, monkeypatch):
    monkeypatch.setattr("emer.app.doctor.needed", lambda: ["moonlight"])
    found = checks(emer("doctor", "--json"))["moonlight"]
    assert (found["ok"], found["fix"]) == (False, "pip install moonlight")


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
