"""Speed and memory of the embedded profile: decoding, controller, whole runs, peak memory."""

from __future__ import annotations

import json
import os
import sqlite3
import statistics
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from emer.agents.rules.reasoner import Rules
from emer.agents.types import Inquiry
from emer.agents.verification.verifier import verify
from emer.evals.speed.measure import (
    Measure,
    Neighbours,
    at_least,
    at_most,
    cpu_seconds,
    in_turn,
    seconds,
)
from emer.evals.speed.peak_memory import loop_clip
from emer.graphs.ask import Answer, ask
from emer.graphs.settings import DEFAULT, OFF, Settings, load_settings
from emer.graphs.trace.events import Event, NothingObserved, ToolFinished, ToolStarted
from emer.tools.errors import ConfigError
from emer.tools.media.clip import Clip
from emer.tools.media.decoder import to_rgb
from emer.tools.registry import load_tool
from emer.tools.runtime.native import hush
from emer.tools.testing.fakes import FakeTool
from emer.tools.tool import card
from emer.tools.types import Modality

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

READERS: Final = 4
"""Tools that read the picture side by side."""
SIDE: Final = 640
"""Longest side, in pixels, of the pictures that tools look at."""
DECODING_ROUNDS: Final = 9
CONTROLLER_RUNS: Final = 31
RUN_ROUNDS: Final = 3
SHORT, LONG = 30.0, 120.0
"""Seconds of the two looped clips whose peak memory is compared."""


def measure_speed(path: Path, *, memory: bool, say: Callable[[str], None]) -> list[Measure]:
    """Return every measure of the embedded profile.

    Args:
        path: a clip with a face and speech, about 8 s long.
        memory: whether a 2-minute loop of the clip is explained too.
        say: called with the name of each part before it is measured.

    Raises:
        ConfigError: the clip has no picture to decode.

    """
    if Clip.open(path).video is None:
        raise ConfigError(f"{path} has no picture; name a clip with a face and speech")
    parts: dict[str, Callable[[Path], list[Measure]]] = {
        "decoding": measure_decoding,
        "orchestration": measure_orchestration,
        "whole runs": measure_running,
    }
    if memory:
        parts["memory"] = measure_memory
    measures: list[Measure] = []
    with TemporaryDirectory() as folder, hush(Path(folder) / "native.log"):
        for name, part in parts.items():
            say(name)
            measures += part(path)
    return measures


# Decoding


def measure_decoding(path: Path) -> list[Measure]:
    """Return the ratios of four tools decoding alone, four sharing, and a bare decode.

    In CPU time of all threads, the least of several rounds, which is what is saved on any
    number of cores; opening, hashing and probing the file count on the shared side. `Bare`
    is PyAV decoding the file once with its own settings and dropping each picture.
    """
    works: dict[str, Callable[[], object]] = {
        "alone": partial(decode_apart, path),
        "shared": partial(decode_shared, path, convert=True),
        "handed": partial(decode_shared, path, convert=False),
        "bare": partial(decode_bare, path),
        "floor": partial(decode_bare, path, convert=True),
    }
    times = in_turn(
        {name: partial(cpu_seconds, work) for name, work in works.items()}, DECODING_ROUNDS
    )
    alone, shared, handed, bare, floor = (min(times[name]) for name in works)
    return [
        at_least(
            "four tools opening the file : four sharing one decode", alone / shared, "x", 2.5,
            f"{alone:.3f} : {shared:.3f} CPU s, every picture as RGB for each tool",
        ),
        at_most(
            "one decode handed to four tools : a bare decode", handed / bare, "x", 1.5,
            f"{handed:.3f} : {bare:.3f} CPU s, pictures as decoded",
        ),
        at_most(
            "one decode as RGB to four tools : a bare decode", shared / bare, "x", 1.5,
            f"{shared:.3f} : {bare:.3f} CPU s, every picture at up to {SIDE} pixels; "
            f"decoding and converting alone, with nothing shared or kept, is "
            f"{floor / bare:.2f} x",
        ),
    ]  # fmt: skip


def decode_shared(path: Path, *, convert: bool) -> int:
    """Have four readers look at every frame of one `Clip`; return the frames seen by all."""
    clip = Clip.open(path)

    def look() -> int:
        count = 0
        for count, frame in enumerate(clip.frames(), 1):  # noqa: B007  (the last is the count)
            if convert:
                frame.rgb(SIDE)
        return count

    return _side_by_side(look)


def decode_apart(path: Path) -> int:
    """Have four readers decode the file to RGB, each with PyAV; return the frames seen by all."""

    def look() -> int:
        return sum(1 for frame in _decode(path) if frame.to_ndarray(format="rgb24") is not None)

    return _side_by_side(look)


def decode_bare(path: Path, *, convert: bool = False) -> int:
    """Decode the file once with PyAV and return the number of frames.

    With `convert`, each is made RGB as the clip does it.
    """
    count = 0
    for count, picture in enumerate(_decode(path), 1):  # noqa: B007  (the last is the count)
        if convert:
            to_rgb(picture)
    return count


def _side_by_side(look: Callable[[], int]) -> int:
    counts: list[int] = []
    threads = [threading.Thread(target=lambda: counts.append(look())) for _ in range(READERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)


def _decode(path: Path) -> Iterator[VideoFrame]:
    import av

    with av.open(str(path)) as container:
        yield from container.decode(container.streams.video[0])


# The controller

SENTENCES: Final[dict[Modality, str]] = {
    "face": "The person smiles with the eyes narrowing at 0.1-0.3 s.",
    "scene": "The person gestures with the hands at 0.1-0.3 s.",
    "audio": "The intonation is lively at 0.1-0.3 s.",
    "text": 'The person says: "this is wonderful".',
}


class Instant(FakeTool):
    """A tool that answers at once, so that what is left is the controller's own time."""

    def __init__(self, modality: str = "face") -> None:
        """Take the modality of the one clue."""
        kind = next(kind for kind in SENTENCES if kind == modality)
        super().__init__(f"instant-{kind}", kind, [(SENTENCES[kind], 0.1, 0.3)])


class InstantScene(Instant):
    """`Instant` of the scene."""

    def __init__(self) -> None:
        """Take nothing."""
        super().__init__("scene")


class InstantVoice(Instant):
    """`Instant` of the voice."""

    def __init__(self) -> None:
        """Take nothing."""
        super().__init__("audio")


class InstantWords(Instant):
    """`Instant` of the words."""

    def __init__(self) -> None:
        """Take nothing."""
        super().__init__("text")


INSTANT_TOOLS: Final = {
    "face": f"{__name__}:Instant",
    "scene": f"{__name__}:InstantScene",
    "prosody": f"{__name__}:InstantVoice",
    "speech": f"{__name__}:InstantWords",
}


def measure_orchestration(path: Path) -> list[Measure]:
    """Return the controller's time per run and the size of its largest checkpoint.

    Runs and bare calls take turns, and the least of each counts: other load on the machine
    and its disk can only add to it. The medians stand beside it.
    """
    with TemporaryDirectory() as home:
        settings = load_settings(tools=INSTANT_TOOLS).model_copy(update={"home": Path(home)})
        ask(path, settings=settings)
        _call_bare(path)
        works = {"run": lambda: ask(path, settings=settings), "bare": lambda: _call_bare(path)}
        times = in_turn(
            {name: partial(_milliseconds, work) for name, work in works.items()}, CONTROLLER_RUNS
        )
        size = _largest_checkpoint(settings)
    run, bare = min(times["run"]), min(times["bare"])
    usual = [statistics.median(times[name]) for name in ("run", "bare")]
    return [
        at_most("a run over calling its functions bare", run - bare, "ms", 15.0,
                f"{run:.1f} ms : {bare:.1f} ms, least of {CONTROLLER_RUNS} (medians "
                f"{usual[0]:.1f} : {usual[1]:.1f}); with checkpoints, ledger and trace on disk"),
        at_most("largest checkpoint", size / 1024, "KB", 64.0, "state as written to SQLite"),
    ]  # fmt: skip


def _milliseconds(work: Callable[[], object]) -> float:
    return 1000 * seconds(work)


def _call_bare(path: Path) -> None:
    """Do the work of a run without controller, checkpoints, ledger and trace."""
    clip = Clip.open(path)
    tools = [load_tool(use) for use in INSTANT_TOOLS.values()]
    clues = [clue for tool in tools for clue in tool.observe(clip)]
    cards = tuple(card(tool) for tool in tools)
    rules = Rules()
    inquiry = Inquiry(question=DEFAULT, clues=tuple(clues), tools=cards, duration=clip.duration)
    verify(rules.explain(inquiry, rules.decide(inquiry)), clues, clip.duration)


def _largest_checkpoint(settings: Settings) -> int:
    with closing(sqlite3.connect(settings.threads)) as database:
        (size,) = database.execute("SELECT max(length(checkpoint)) FROM checkpoints").fetchone()
    return int(size or 0)


# Whole runs


def measure_running(path: Path) -> list[Measure]:
    """Return the measures of whole runs of the embedded profile on a clip.

    Each tool alone and all of them together take turns, and the least of the rounds counts:
    other load can only lengthen wall-clock time. Each run has an evidence store of its own,
    so nothing is remembered; a first run of all loads packages and is not counted.
    """
    _explain(path)
    settings, runs = load_settings(), _Runs(path)
    works: dict[str, Callable[[], float]] = {
        slot: partial(runs.alone, _only(settings, slot)) for slot in settings.active_tools
    }
    neighbours = Neighbours()
    times = in_turn({**works, "together": runs.together}, RUN_ROUNDS)
    alone, together = {slot: min(times[slot]) for slot in works}, min(times["together"])
    slot = max(alone, key=lambda name: alone[name])
    usual = statistics.median(times["together"]) / statistics.median(times[slot])
    whole, length = min(runs.whole), Clip.open(path).duration
    rounds = f"least of {RUN_ROUNDS}; others took {neighbours.share:.0%} of the machine"
    return [
        at_most("all tools side by side : the slowest alone", together / alone[slot], "x", 1.2,
                f"{together:.2f} s : {alone[slot]:.2f} s ({slot}), {rounds}; medians "
                f"{usual:.2f} x; one after another {sum(alone.values()):.2f} s"),
        at_most("explaining a clip : the clip's length", whole / length, "x", 1.0,
                f"{whole:.2f} s : {length:.2f} s, once imports are done; {rounds}"),
        at_most("second question on the same clip", min(runs.second), "s", 0.3,
                f"opening the file included; least of {RUN_ROUNDS}"),
        at_most("tools run by the second question", runs.repeated, "calls", 0,
                "from the ledger"),
    ]  # fmt: skip


class _Runs:
    """Runs of one clip: their seconds, and the tools that a second question ran again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.whole: list[float] = []
        self.second: list[float] = []
        self.repeated = 0

    def alone(self, tools: Mapping[str, str]) -> float:
        """Return the seconds that these tools take."""
        return _observing(_explain(self._path, tools))

    def together(self) -> float:
        """Return the seconds that all tools take; a second question is asked afterwards."""
        with TemporaryDirectory() as home:
            events = _explain(self._path, home=home)
            second: list[Event] = []
            took = seconds(lambda: _ask(self._path, "Is the person angry?", home, second))
        self.whole.append(events[-1].at)
        self.second.append(took)
        self.repeated += len([e for e in second if isinstance(e, ToolStarted) and not e.cached])
        return _observing(events)


def _only(settings: Settings, slot: str) -> Mapping[str, str]:
    return {other: OFF for other in settings.active_tools if other != slot}


def _explain(
    path: Path, tools: Mapping[str, str] | None = None, home: str | None = None
) -> list[Event]:
    """Return the events of a run with an empty evidence store, or with the one in `home`."""
    events: list[Event] = []
    with TemporaryDirectory() as fresh:
        _ask(path, None, home or fresh, events, tools)
    return events


def _ask(
    path: Path,
    question: str | None,
    home: str,
    events: list[Event],
    tools: Mapping[str, str] | None = None,
) -> Answer:
    settings = load_settings(tools=tools).model_copy(update={"home": Path(home)})
    return ask(path, question or DEFAULT, settings=settings, listener=events.append)


def _observing(events: list[Event]) -> float:
    """Return the seconds from the first tool's start to the last one's end, first round."""
    begin = [e.at for e in events if isinstance(e, ToolStarted) and e.round == 0]
    done = [e.at for e in events if isinstance(e, ToolFinished | NothingObserved) and e.round == 0]
    return max(done) - min(begin)


# Memory


def measure_memory(path: Path) -> list[Measure]:
    """Return the peak memory of a 2-minute clip and its growth over a 30-second one.

    Both are the clip in a loop. What may grow is the evidence itself: 16 kHz samples,
    landmarks and clues; the goal of a fifth more for four times the length is ours.
    """
    with TemporaryDirectory() as folder:
        peaks = [_peak(path, Path(folder), length) for length in (SHORT, LONG)]
    return [
        at_most("peak memory of a 2-minute clip", peaks[1], "MB", 1500.0, "children included"),
        at_most("peak memory, 2 minutes : 30 seconds", peaks[1] / peaks[0], "x", 1.2,
                f"{peaks[1]:.0f} MB : {peaks[0]:.0f} MB"),
    ]  # fmt: skip


def _peak(path: Path, folder: Path, length: float) -> float:
    """Explain the looped clip in a process of its own; return its peak memory in MB."""
    clip = loop_clip(path, folder / f"{length:.0f}{path.suffix}", length)
    home = folder / f"home-{length:.0f}"
    done = subprocess.run(
        [sys.executable, "-m", "emer.evals.speed.peak_memory", str(clip)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "EMER_HOME": str(home)},
    )
    return float(json.loads(done.stdout.splitlines()[-1])["megabytes"])
