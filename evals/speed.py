"""All speed and memory measures of a clip, one after another in one run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from emer.evals.decoding import measure_decoding
from emer.evals.measure import Measure
from emer.evals.memory import measure_memory
from emer.evals.orchestration import measure_orchestration
from emer.evals.running import measure_running
from emer.tools.clip import Clip
from emer.tools.errors import ConfigError
from emer.tools.native import hush


def measure_speed(path: Path, *, memory: bool, say: Callable[[str], None]) -> list[Measure]:
    """Return every measure; `say` is told what is being measured.

    `ConfigError` when the clip has no picture to decode.
    """
    if Clip.open(path).video is None:
        raise ConfigError(f"{path} has no picture; name a clip with a face and speech")
    parts: dict[str, Callable[[], list[Measure]]] = {
        "decoding": lambda: measure_decoding(path),
        "orchestration": lambda: measure_orchestration(path),
        "whole runs": lambda: measure_running(path),
    }
    if memory:
        parts["memory"] = lambda: measure_memory(path)
    found: list[Measure] = []
    with TemporaryDirectory() as folder, hush(Path(folder) / "native.log"):
        for name, part in parts.items():
            say(name)
            found += part()
    return found
