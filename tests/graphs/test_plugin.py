"""A stranger's package, installed beside ours: its tool comes by name or by import string."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from emer.graphs.ask import ask
from emer.graphs.settings import with_tools
from emer.tools.media.clip import Clip
from emer.tools.registry import load_tool
from emer.tools.testing.conformance import check_tool
from tests.fixtures.graph_runs import events, fakes

pytestmark = pytest.mark.slow

PLUGIN = Path(__file__).parents[1] / "plugin"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Return a folder with the plugin installed as pip installs it, without a network."""
    folder = tmp_path_factory.mktemp("plugin")
    shutil.copytree(PLUGIN, folder / "source")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    pip += ["--no-build-isolation", "--disable-pip-version-check"]
    pip += ["--target", str(folder / "site"), str(folder / "source")]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "site"


@pytest.fixture
def plugin(installed, monkeypatch):
    """Make the installed plugin importable for one test."""
    monkeypatch.syspath_prepend(str(installed))
    importlib.invalidate_caches()
    yield
    sys.modules.pop("emer_plugin_example", None)


@pytest.fixture
def loud_clip(tmp_path):
    """Return a WAV of two seconds whose second half holds a loud tone."""
    path = tmp_path / "loud.wav"
    time = np.arange(32_000) / 16_000
    tone = np.sin(2 * np.pi * 220 * time) * np.where(np.abs(time - 1.4) < 0.15, 0.5, 0.01)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes((tone * 32767).astype("<i2").tobytes())
    return path


@pytest.mark.parametrize("use", ["loudness", "emer_plugin_example:Loudness"])
def test_swapping_in_a_strangers_tool_recomputes_it_alone(plugin, loud_clip, use):
    settings = fakes(face="Smile", prosody="Loud")
    ask(loud_clip, settings=settings)
    answer = ask(loud_clip, settings=with_tools(settings, {"prosody": use}))
    anew = [event.tool for event in events(answer, "tool_started") if not event.cached]
    assert anew == ["loudness"]
    (clue,) = (clue for clue in answer.clues if clue.source.tool == "loudness")
    assert clue.span.start == pytest.approx(1.25) and "loudest" in clue.text
    again = ask(loud_clip, settings=with_tools(settings, {"prosody": use}))
    assert all(event.cached for event in events(again, "tool_started"))


def test_its_arguments_come_from_the_settings_file(plugin, loud_clip, tmp_path):
    file = tmp_path / "mine.toml"
    off = "".join(f'[tools.{slot}]\nuse = "none"\n' for slot in ("face", "scene", "speech"))
    file.write_text(
        f'{off}[tools.prosody]\nuse = "loudness"\nwindow = 0.5\n'
        '[reasoner]\nuse = "graph_tools:Plain"\n'
    )
    answer = ask(loud_clip, settings=file)
    assert answer.clues[0].span.length == pytest.approx(0.5)


def test_the_strangers_tool_keeps_the_contract(plugin, loud_clip):
    findings = check_tool(load_tool("loudness"), Clip.open(loud_clip))
    assert [finding for finding in findings if not finding.ok] == []
