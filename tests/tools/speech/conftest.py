"""A spoken sentence, and tiny checkpoints that say what their test scripts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from emer.tools.media.clip import Clip
from emer.tools.registry import load_tool
from emer.tools.runtime.model_pool import POOL
from emer.tools.tool import Tool
from tests.fixtures.checkpoints.whisper import (
    WRITERS,
    Script,
    english_only,
    random_checkpoint,
    spelled,
    tokens_of,
)
from tests.fixtures.clips import Written, write_clip
from tests.fixtures.packages import needs
from tests.fixtures.paths import ROOT

GERMAN = Script(
    text=" Das ist ja eine wunderbare Nachricht.",
    english=" This news makes me so happy!",
    language="de",
)
Make = Callable[..., Path]
FILES = {"openai": "model.pt", "random": "random.pt"}


KINDS = [
    pytest.param("whisper", "openai", marks=needs("whisper")),
    pytest.param("faster-whisper", "ctranslate", marks=needs("whisper", "faster_whisper")),
    pytest.param("asr", "transformers", marks=needs("whisper", "transformers")),
]
ENGLISH = "I can't believe it. This is wonderful news."


def made(name: str, path: Path, **arguments: object) -> Tool:
    return load_tool(name, {"model": str(path), **arguments})  # type: ignore[dict-item]


@pytest.fixture(scope="session")
def spoken() -> Path:
    """Return the file with the demo's spoken sentence, 3.7 s."""
    return ROOT / "tests" / "fixtures" / "demo" / "speech.flac"


@pytest.fixture(scope="session")
def sound(spoken: Path) -> np.ndarray:
    return np.array(Clip.open(spoken).samples())


@pytest.fixture(scope="session")
def talk(tmp_path_factory: pytest.TempPathFactory, sound: np.ndarray) -> Path:
    """Return a clip in which the sentence is spoken 16 times in 90 s."""
    rest = np.zeros(round(5.6 * 16_000) - len(sound), dtype=np.float32)
    whole = np.concatenate([sound, rest] * 16).astype(np.float32)
    return write_clip(tmp_path_factory.mktemp("talk") / "talk.wav", Written(sound=whole))


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Return a function from a kind and a script to a checkpoint, made once.

    A script may be "English only", or a seed of the kind "random".
    """
    pytest.importorskip("whisper", reason="openai-whisper is not installed")
    tokens_of()
    folder, made = tmp_path_factory.mktemp("weights"), dict[object, Path]()
    writers = {
        name: lambda path, script, write=write: write(path, spelled(script), script.size)
        for name, write in WRITERS.items()
    } | {"random": random_checkpoint}

    def make(kind: str = "openai", what: object = Script()) -> Path:
        if (kind, what) not in made:
            path = folder / f"{len(made)}" / FILES.get(kind, "model")
            only = what == "English only"
            made[kind, what] = english_only(kind, path) if only else writers[kind](path, what)
        return made[kind, what]

    return make


@pytest.fixture(autouse=True)
def nothing_loaded():
    """Leave no model in memory for the next test."""
    yield
    POOL.unload()
