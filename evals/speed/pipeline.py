"""Decode, controller, run, memory.

How much one shared decode saves over each tool opening the file.

What the controller costs: a run of instant tools against calling the same functions.

How long whole runs take: tools side by side, a second question, the real-time factor.

Longer clips made of one clip played over and over, without decoding it.

How much memory a long clip takes, and whether that grows with its length.

All speed and memory measures of a clip, one after another in one run.

Explain one clip and print the most memory it took.

    python -m emer.evals.speed.pipeline CLIP [SECONDS]

With SECONDS, the clip played over and over for that long.
"""

from __future__ import annotations

import json
import os
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from fractions import Fraction
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

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
from emer.graphs.ask import Answer, ask
from emer.graphs.settings import DEFAULT, OFF, Settings, load_settings
from emer.graphs.trace.events import Event, NothingObserved, ToolFinished, ToolStarted
from emer.tools.errors import ConfigError
from emer.tools.media.clip import Clip
from emer.tools.media.decoder import Memory, to_rgb
from emer.tools.runtime.native import hush
from emer.tools.testing.fakes import FakeTool
from emer.tools.tool import card, load_tool
from emer.tools.types import Modality

if TYPE_CHECKING:
    from av.video.frame import VideoFrame


TOOLS = 4
ROUNDS = 9
SIDE = 640
"""Longest side, in pixels, that the picture tools look at."""


def measure_decoding(path: Path) -> list[Measure]:
    """Return the ratios of four tools decoding alone, four sharing, and a bare decode.

    In CPU time of all threads, the least of several rounds, which says what is saved on any
    number of cores; opening, hashing and probing the file count on the shared side. `Bare`
    is PyAV decoding the file once with its own settings and dropping each picture.
    """
    works: dict[str, Callable[[], object]] = {
        "alone": partial(_together, partial(_open_and_convert, path)),
        "shared": partial(_share, path, convert=True),
        "handed": partial(_share, path, convert=False),
        "bare": partial(_drain, path),
        "floor": partial(_convert_each, path),
    }
    found = in_turn({name: partial(cpu_seconds, work) for name, work in works.items()}, ROUNDS)
    alone, shared, handed, bare, floor = (min(found[name]) for name in works)
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


def _together(work: Callable[[], object]) -> None:
    threads = [threading.Thread(target=work) for _ in range(TOOLS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _share(path: Path, convert: bool) -> None:
    clip = Clip.open(path)

    def look() -> None:
        for frame in clip.frames():
            if convert:
                frame.rgb(SIDE)

    _together(look)


def _open_and_convert(path: Path) -> None:
    """Decode every frame to RGB with PyAV's own calls, as a tool on its own would."""
    for picture in _decode(path):
        picture.to_ndarray(format="rgb24")


def _convert_each(path: Path) -> None:
    """Decode every frame and convert it as the clip does, into the same memory each time."""
    memory = Memory()
    for picture in _decode(path):
        to_rgb(picture, memory)


def _drain(path: Path) -> None:
    for _ in _decode(path):
        pass


def _decode(path: Path) -> Iterator[VideoFrame]:
    import av

    with av.open(str(path)) as container:
        yield from container.decode(container.streams.video[0])


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


ROUNDS = 3


def measure_running(path: Path) -> list[Measure]:
    """Return the measures of whole runs of the embedded profile on a clip.

    Each tool alone and all of them together take turns, and the least of the rounds counts:
    wall-clock time on a machine that others use too can only be too long. Each run has a
    store of its own, so nothing is remembered; a first run of all loads packages and is not
    counted.
    """
    _explain(path)
    settings, runs = load_settings(), _Runs(path)
    works: dict[str, Callable[[], float]] = {
        slot: partial(runs.alone, _only(settings, slot)) for slot in settings.chosen
    }
    neighbours = Neighbours()
    found = in_turn({**works, "together": runs.together}, ROUNDS)
    alone, together = {slot: min(found[slot]) for slot in works}, min(found["together"])
    slot = max(alone, key=lambda name: alone[name])
    usual = median(found["together"]) / median(found[slot])
    whole, length = min(runs.whole), Clip.open(path).duration
    beside = f"least of {ROUNDS}; others took {neighbours.share:.0%} of the machine"
    return [
        at_most("all tools side by side : the slowest alone", together / alone[slot], "x", 1.2,
                f"{together:.2f} s : {alone[slot]:.2f} s ({slot}), {beside}; medians "
                f"{usual:.2f} x; one after another {sum(alone.values()):.2f} s"),
        at_most("explaining a clip : the clip's length", whole / length, "x", 1.0,
                f"{whole:.2f} s : {length:.2f} s, once imports are done; {beside}"),
        at_most("second question on the same clip", min(runs.second), "s", 0.3,
                f"opening the file included; least of {ROUNDS}"),
        at_most("tools run by the second question", runs.run_again, "calls", 0,
                "from the ledger"),
    ]  # fmt: skip


class _Runs:
    """Runs of one clip, and what is noted of them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.whole: list[float] = []
        """Seconds of each run with all tools."""
        self.second: list[float] = []
        """Seconds of each second question."""
        self.run_again = 0
        """Tools that the second questions ran."""

    def alone(self, tools: Mapping[str, str]) -> float:
        """Return how long these tools take."""
        return _observing(_explain(self._path, tools))

    def together(self) -> float:
        """Return how long all tools take, and ask a second question afterwards."""
        with TemporaryDirectory() as home:
            events = _explain(self._path, home=home)
            second: list[Event] = []
            took = seconds(lambda: _ask(self._path, "Is the person angry?", home, second))
        self.whole.append(events[-1].at)
        self.second.append(took)
        self.run_again += len([e for e in second if isinstance(e, ToolStarted) and not e.cached])
        return _observing(events)


def _only(settings: Settings, slot: str) -> Mapping[str, str]:
    return {other: OFF for other in settings.chosen if other != slot}


def _explain(
    path: Path, tools: Mapping[str, str] | None = None, home: str | None = None
) -> list[Event]:
    """Return the events of a run that remembers nothing, or uses the store in `home`."""
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
    begun = [e.at for e in events if isinstance(e, ToolStarted) and e.round == 0]
    done = [e.at for e in events if isinstance(e, ToolFinished | NothingObserved) and e.round == 0]
    return max(done) - min(begun)


def loop_clip(path: Path, target: Path, seconds: float) -> Path:
    """Write the clip repeated until it lasts at least `seconds`; return `target`."""
    import av

    with av.open(str(path)) as source, av.open(str(target), "w") as out:
        kept = [stream for stream in source.streams if stream.type in ("video", "audio")]
        written = {stream.index: out.add_stream_from_template(stream) for stream in kept}
        length = Fraction(source.duration or 0, 1_000_000)
        for turn in range(int(seconds / length) + 1):
            source.seek(0)
            for packet in source.demux(kept):
                if packet.dts is None or packet.time_base is None:
                    continue
                shift = int(turn * length / packet.time_base)
                packet.dts += shift
                packet.pts = (packet.pts or 0) + shift
                packet.stream = written[packet.stream.index]
                out.mux(packet)
    return target


SHORT, LONG = 30.0, 120.0


def measure_memory(path: Path) -> list[Measure]:
    """Return the peak memory of a 2-minute clip and its growth over a 30-second one.

    Both are the clip played over and over. What may grow is the evidence itself: 16 kHz
    samples, landmarks and clues; the goal of a fifth more for four times the length is ours.
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
        [sys.executable, "-m", "emer.evals.speed.pipeline", str(clip)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "EMER_HOME": str(home)},
    )
    return float(json.loads(done.stdout.splitlines()[-1])["megabytes"])


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


STEP = 0.05
"""Seconds between two looks at the memory."""


def main() -> None:
    """Print length and time (s) and the peak memory (MB) of this process and its children."""
    path = Path(sys.argv[1])
    with TemporaryDirectory() as folder:
        if len(sys.argv) > 2:
            path = loop_clip(path, Path(folder) / f"long{path.suffix}", float(sys.argv[2]))
        print(json.dumps(_explain(path)))


def _explain(path: Path) -> dict[str, float]:
    from emer.graphs.ask import ask
    from emer.tools.media.clip import Clip

    peaks, done, begun = [0], threading.Event(), time.monotonic()
    watcher = threading.Thread(target=_watch, args=(peaks, done), daemon=True)
    watcher.start()
    ask(path)
    done.set()
    watcher.join()
    took = round(time.monotonic() - begun, 1)
    return {"seconds": Clip.open(path).duration, "took": took, "megabytes": max(peaks) / 1e6}


def _watch(peaks: list[int], done: threading.Event) -> None:
    """Note the proportional set size of all processes until done: shared pages count once."""
    import psutil

    me = psutil.Process()
    while not done.wait(STEP):
        total = 0
        for process in (me, *me.children(recursive=True)):
            with suppress(psutil.Error):
                total += process.memory_full_info().pss
        peaks.append(total)


if __name__ == "__main__":
    main()
