"""What the controller costs: a run of instant tools against calling the same functions."""

from __future__ import annotations

import sqlite3
import statistics
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from emer.agents.rules import Rules
from emer.agents.types import Inquiry
from emer.agents.verifier import verify
from emer.evals.measure import Measure, at_most, in_turn, seconds
from emer.graphs.ask import ask
from emer.graphs.settings import DEFAULT, Settings, load_settings
from emer.tools.clip import Clip
from emer.tools.registry import load_tool
from emer.tools.testing.fakes import FakeTool
from emer.tools.tool import card
from emer.tools.types import Modality

RUNS = 31
SAID: dict[Modality, str] = {
    "face": "The person smiles with the eyes narrowing at 0.1-0.3 s.",
    "scene": "The person gestures with the hands at 0.1-0.3 s.",
    "audio": "The intonation is lively at 0.1-0.3 s.",
    "text": 'The person says: "this is wonderful".',
}


class Instant(FakeTool):
    """A tool that answers at once, so that what is left is the controller's own time."""

    def __init__(self, modality: str = "face") -> None:
        """Take the modality to speak for."""
        found = next(kind for kind in SAID if kind == modality)
        super().__init__(f"instant-{found}", found, [(SAID[found], 0.1, 0.3)])


class InstantScene(Instant):
    """Instant, for the scene."""

    def __init__(self) -> None:
        """Take nothing."""
        super().__init__("scene")


class InstantVoice(Instant):
    """Instant, for the voice."""

    def __init__(self) -> None:
        """Take nothing."""
        super().__init__("audio")


class InstantWords(Instant):
    """Instant, for the words."""

    def __init__(self) -> None:
        """Take nothing."""
        super().__init__("text")


TOOLS = {
    "face": f"{__name__}:Instant",
    "scene": f"{__name__}:InstantScene",
    "prosody": f"{__name__}:InstantVoice",
    "speech": f"{__name__}:InstantWords",
}


def measure_orchestration(path: Path) -> list[Measure]:
    """Return the controller's time per run and the size of its largest checkpoint.

    Runs and bare calls take turns; the least of each counts, since whatever else the machine
    and its disk do can only add to it. The medians stand beside it.
    """
    with TemporaryDirectory() as home:
        settings = load_settings(tools=TOOLS).model_copy(update={"home": Path(home)})
        ask(path, settings=settings)
        _call_bare(path)
        works = {"run": lambda: ask(path, settings=settings), "bare": lambda: _call_bare(path)}
        found = in_turn({name: partial(_milliseconds, work) for name, work in works.items()}, RUNS)
        size = _largest_checkpoint(settings)
    whole, bare = min(found["run"]), min(found["bare"])
    usual = [statistics.median(found[name]) for name in ("run", "bare")]
    return [
        at_most("a run over calling its functions bare", whole - bare, "ms", 15.0,
                f"{whole:.1f} ms : {bare:.1f} ms, least of {RUNS} (medians {usual[0]:.1f} : "
                f"{usual[1]:.1f}); with checkpoints, ledger and trace on disk"),
        at_most("largest checkpoint", size / 1024, "KB", 64.0, "state as written to SQLite"),
    ]  # fmt: skip


def _milliseconds(work: Callable[[], object]) -> float:
    return 1000 * seconds(work)


def _call_bare(path: Path) -> None:
    """Do what a run does, without controller, checkpoints, ledger and trace."""
    clip = Clip.open(path)
    tools = [load_tool(use) for use in TOOLS.values()]
    clues = [clue for tool in tools for clue in tool.observe(clip)]
    cards = tuple(card(tool) for tool in tools)
    rules = Rules()
    inquiry = Inquiry(question=DEFAULT, clues=tuple(clues), tools=cards, duration=clip.duration)
    verify(rules.explain(inquiry, rules.decide(inquiry)), clues, clip.duration)


def _largest_checkpoint(settings: Settings) -> int:
    with closing(sqlite3.connect(settings.threads)) as database:
        (size,) = database.execute("SELECT max(length(checkpoint)) FROM checkpoints").fetchone()
    return int(size or 0)
