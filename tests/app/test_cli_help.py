"""`emer --help` comes at once: it loads nothing heavy."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from importlib.metadata import version

import pytest
from typer.testing import CliRunner

HEAVY = (
    "numpy", "cv2", "av", "mediapipe", "opensmile", "pandas", "scipy", "matplotlib",
    "langgraph", "langchain_core", "torch", "asyncio",
)  # fmt: skip
LOADED = """
import sys
from importlib import import_module
from importlib.metadata import version
from emer.app.cli import app
sys.argv = ["emer", *sys.argv[1:]]
try:
    app()
except SystemExit as end:
    print("LOADED", end.code, *sorted({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.mark.slow
@pytest.mark.parametrize("words", ["--help", "ask --help", "trace --help", "--version"])
def test_help_and_version_load_nothing_heavy(words):
    line = [sys.executable, "-c", LOADED, *words.split()]
    out = subprocess.run(line, check=True, capture_output=True, text=True).stdout
    code, *loaded = out.split("LOADED ")[1].split()
    assert code == "0"
    assert not set(HEAVY) & set(loaded)


@pytest.mark.parametrize("words", ["", "tools", "models", "trace", "memory"])
def test_no_words_show_the_help(emer, words):
    done = emer(*words.split())
    assert "Usage:" in done.output and done.exit_code == 2


def test_every_command_speaks_json(emer):
    shown = emer("--help").stdout
    for group in ("", "tools", "models", "trace", "memory"):
        listed = emer(*group.split(), "--help").stdout if group else shown
        names = re.findall(r"^│ ([a-z]+)  ", listed, re.MULTILINE)
        assert names
        for name in set(names) - {"tools", "models", "trace", "memory"}:
            assert "--json" in emer(*group.split(), name, "--help").stdout


@pytest.mark.parametrize(("module", "name"), [("app", "emer"), ("evals", "emer-eval")])
def test_both_commands_print_their_version(module, name):
    command = import_module(f"emer.{module}.cli").app
    done = CliRunner().invoke(command, ["--version"])
    assert (done.stdout, done.exit_code) == (f"{name} {version('emer')}\n", 0)
