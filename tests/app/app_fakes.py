"""Tools that the front-door tests name on the command line."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path

from emer.tools.errors import ConfigError, ToolMissing
from emer.tools.media.clip import Clip
from emer.tools.testing.fakes import FakeTool
from emer.tools.types import Clue, Span

EVIL = "\x1b[2J\x1b]0;owned\x07[bold red]hi[/bold red] \u202eabc\x9b31m"
"""What a hostile subtitle may hold: clear the screen, set the title, markup, reversed writing."""


class Smile(FakeTool):
    def __init__(self) -> None:
        super().__init__("smile", "face", [("The person smiles clearly at 0.2-0.8 s.", 0.2, 0.8)])


class Loud(FakeTool):
    def __init__(self) -> None:
        super().__init__("loud", "audio", [("The voice is louder at 0.1-0.9 s.", 0.1, 0.9)])


class Evil(FakeTool):
    def __init__(self) -> None:
        super().__init__("evil", "text", [(f'The person says: "{EVIL}"', 0.1, 0.9)])


class Crash(FakeTool):
    def __init__(self) -> None:
        super().__init__("crash", "scene", fail=RuntimeError("the lens fell off"))


class Absent(FakeTool):
    def __init__(self) -> None:
        raise ToolMissing("absent", "the package moonlight", "pip install moonlight")


class Waits(FakeTool):
    """Says through the pipe named by WAITS_PIPE that it is at work, then hangs."""

    def __init__(self) -> None:
        super().__init__("waits", "scene", gate=threading.Event())

    def observe(self, clip: Clip, span: Span | None = None) -> list[Clue]:
        Path(os.environ["WAITS_PIPE"]).write_text("at work")
        return super().observe(clip, span)


class Sloppy(FakeTool):
    """Breaks the contract: another look gives another clue."""

    def __init__(self) -> None:
        super().__init__("sloppy", "face")

    def observe(self, clip: Clip, span: Span | None = None) -> list[Clue]:
        self.lines: Sequence[tuple[str, float, float]] = [
            (f"The person smiles {len(self.calls)} times.", 0.2, 0.3)
        ]
        return super().observe(clip, span)


class Unrelated:
    pass


class Letters:
    """LangChain's contract of embeddings: how often each letter stands in a text."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[float(text.count(chr(97 + n))) for n in range(26)] for text in texts]


class Told(FakeTool):
    """Works only with what the settings tell it."""

    def __init__(self, word: str = "") -> None:
        if not word:
            raise ConfigError("told.word is not set")
        super().__init__("told", "face", [(f"The person {word} clearly.", 0.0, 0.1)])
