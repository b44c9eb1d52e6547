"""A second of silence, the `emer` command in this process and in one of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from emer.app.cli import app
from emer.app.demo_clip import CLIP
from tests.fixtures.clips import Written, write_clip
from tests.fixtures.command_line import FAKES, swaps
from tests.fixtures.paths import MODULES

Emer = Callable[..., Result]
Spawn = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Return a WAV file of one second of silence."""
    silence = np.zeros(16_000, dtype=np.float32)
    return write_clip(tmp_path / "silence.wav", Written(sound=silence))


@pytest.fixture
def emer() -> Emer:
    """Return a function that runs `emer` with these words in this process."""
    runner = CliRunner()

    def run(*words: object) -> Result:
        return runner.invoke(app, [str(word) for word in words])

    return run


@pytest.fixture
def ask(emer: Emer, clip: Path) -> Emer:
    """Return a function that asks about the silent clip with fake tools."""

    def run(*words: object, tools: tuple[str, ...] = FAKES) -> Result:
        return emer("ask", clip, *swaps(*tools), *words)

    return run


@pytest.fixture
def spawn() -> Spawn:
    """Return a function that runs `emer` as a user does, in a process of its own."""

    def run(*words: object, **more: Any) -> subprocess.CompletedProcess[str]:
        settings: dict[str, Any] = {"capture_output": True, "text": True, "timeout": 120}
        line = [sys.executable, "-m", "emer.app", *(str(word) for word in words)]
        return subprocess.run(line, check=False, **{**settings, "cwd": MODULES, **more})

    return run


@pytest.fixture(scope="session")
def demo_clip() -> Path:
    """Return the demo's clip."""
    return Path(str(CLIP))
