"""The clip of `emer demo` and its script: movements, their times, and the words.

Both are assets that `tests/fixtures/demo` generated; the clip was rendered from the script,
which is therefore its ground truth.
"""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

from emer.tools.runtime.private_files import private_folder, private_opener
from emer.tools.types import Record

ASSETS = files("emer.app") / "assets"
CLIP = ASSETS / "demo.mp4"


class Action(Record):
    """A scripted facial movement; times in seconds.

    It grows from `onset` to `apex`, holds until `release` and ends at `offset`. `units` are its
    FACS action units, `strength` is a fraction of the full movement.
    """

    name: str
    units: tuple[int, ...]
    onset: float
    apex: float
    release: float
    offset: float
    strength: float = 1.0


class Script(Record):
    """Ground truth of the demo clip; times in seconds."""

    length: float
    speech_start: float
    words: str
    actions: tuple[Action, ...]


def load_script() -> Script:
    return Script.model_validate_json((ASSETS / "demo.json").read_bytes())


def copy_clip(path: Path, *, private: bool = False) -> None:
    """Copy the demo clip to `path`; an interrupted copy never has the final name."""
    if private:
        private_folder(path.parent)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".emer-{os.getpid()}.part")  # no longer than any name
    try:
        with open(partial, "wb", opener=private_opener if private else None) as file:
            file.write(CLIP.read_bytes())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
