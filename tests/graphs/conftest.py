"""A second of silence and a way to ask about it with the tools of `graph_tools`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emer.graphs.answer import Answer
from emer.graphs.ask import ask
from tests.fixtures.clips import Written, write_clip
from tests.fixtures.graph_runs import fakes
from tests.fixtures.servers.langgraph_dev import close_runs, environment


@pytest.fixture
def clip_path(tmp_path: Path) -> Path:
    """Return a WAV file of one second of silence."""
    silence = np.zeros(16_000, dtype=np.float32)
    return write_clip(tmp_path / "silence.wav", Written(sound=silence))


@pytest.fixture
def run(clip_path: Path) -> Callable[..., Answer]:
    """Return a function that asks about the clip with the given fakes."""

    def run(
        reasoner: str = "Plain",
        *,
        change: dict[str, Any] | None = None,
        arguments: Any = None,
        question: str = "What is displayed?",
        ask_with: dict[str, Any] | None = None,
        **slots: str,
    ) -> Answer:
        settings = fakes(reasoner, arguments=arguments, **slots).model_copy(update=change or {})
        return ask(clip_path, question, settings=settings, **(ask_with or {}))

    return run


@pytest.fixture
def served_home(tmp_path: Path, clip_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Serve the folder of the clip with fake tools; every run is closed afterwards."""
    folder = tmp_path / "emer-home"
    for name, value in environment(folder, clip_path.parent).items():
        monkeypatch.setenv(name, value)
    yield folder
    close_runs()
