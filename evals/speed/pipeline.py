"""Speed and memory of the embedded profile, from decoding to whole runs."""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import numpy as np

from emer.agents.rules.reasoner import Rules
from emer.agents.types import Inquiry
from emer.agents.verification.verifier import verify
from emer.evals.speed.measure import Measure, at_least, at_most, in_turn, other_load, seconds
from emer.evals.speed.peak_memory import loop_clip
from emer.graphs.ask import ask
from emer.graphs.settings import DEFAULT, OFF, load_settings
from emer.graphs.trace.events import Event, NothingObserved, ToolFinished, ToolStarted
from emer.tools.errors import ConfigError
from emer.tools.media.clip import Clip
from emer.tools.media.decode_worker import Converter
from emer.tools.media.decoder import Picture, to_rgb
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
"""Longest side, in pixels, of the pictures that tools analyse."""
DECODING_ROUNDS: Final = 9
CONTROLLER_RUNS: Final = 31
RUN_ROUNDS: Final = 3
PROFILE: Final = "embedded"
SHORT, LONG = 30.0, 120.0
"""Seconds of the two looped clips whose peak memory is compared."""


def measure_speed(path: Path, *, memory: bool, say: Callable[[str], None]) -> list[Measure]:
    """All measures of the embedded profile.

    Args:
        path: Clip with a face and speech, about 8 s long.
        memory: Whether a 2-minute loop of the clip is explained too.
        say: Called with the name of each part before it is measured.

    Raises:
        ConfigError: The clip has no picture to decode.
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


def measure_decoding(path: Path) -> list[Measure]:
    """Ratios of four tools decoding alone, four sharing, and a bare decode.

    In CPU time of all threads and processes, the least of several rounds, which is what is
    saved on any number of cores; opening, hashing and probing the file count on the shared
    side. `Bare` is PyAV decoding the file once with its own settings and dropping each picture.
    """
    works: dict[str, Callable[[], object]] = {
        "alone": partial(decode_apart, path),
        "shared": partial(decode_shared, path, convert=True),
        "handed": partial(decode_shared, path, convert=False),
        "bare": partial(decode_bare, path),
        "floor": partial(decode_bare, path, convert=True),
    }
    times = in_turn(
        {k: partial(seconds, work, _cpu_seconds) for k, work in works.items()}, DECODING_ROUNDS
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


def _cpu_seconds() -> float:
    """CPU time of this process and of those that it started and that have ended."""
    usage = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in usage)


def decode_shared(path: Path, *, convert: bool) -> int:
    """Read every frame of one `Clip` in four threads; the frames in all."""
    clip = Clip.open(path)
    return _side_by_side(lambda: sum(1 for f in clip.frames() if not convert or f.rgb(SIDE).size))


def decode_apart(path: Path) -> int:
    """Decode the file to RGB in four threads with PyAV; the frames in all."""
    return _side_by_side(lambda: sum(1 for f in _decode(path) if f.to_ndarray(format="rgb24").size))


def decode_bare(path: Path, *, convert: bool = False) -> int:
    """Decode the file once, to RGB as the clip does with `convert`; the frames in all."""
    converter = Converter()

    def to_picture(decoded: VideoFrame) -> Picture:
        head, planes = converter(decoded)
        return Picture(head, np.concatenate([np.frombuffer(each, np.uint8) for each in planes]))

    return sum(1 for each in _decode(path) if not convert or to_rgb(to_picture(each)).size)


def _side_by_side(read: Callable[[], int]) -> int:
    with ThreadPoolExecutor(READERS) as pool:
        return sum(pool.map(lambda _: read(), range(READERS)))


def _decode(path: Path) -> Iterator[VideoFrame]:
    import av

    with av.open(str(path)) as container:
        yield from container.decode(container.streams.video[0])


class Instant(FakeTool):
    """Tool that answers at once, so that a run is the controller's own time."""

    def __init__(self, modality: Modality) -> None:
        super().__init__(f"instant-{modality}", modality, [(SENTENCES[modality], 0.1, 0.3)])


SENTENCES: Final[Mapping[Modality, str]] = {
    "face": "The person smiles with the eyes narrowing at 0.1-0.3 s.",
    "scene": "The person gestures with the hands at 0.1-0.3 s.",
    "audio": "The intonation is lively at 0.1-0.3 s.",
    "text": 'The person says: "this is wonderful".',
}
INSTANT_TOOLS: Final[Mapping[str, Mapping[str, str]]] = {
    slot: {"use": f"{__name__}:Instant", "modality": modality}
    for slot, modality in zip(("face", "scene", "prosody", "speech"), SENTENCES, strict=True)
}


def measure_orchestration(path: Path) -> list[Measure]:
    """The controller's time per run, and the size of its largest checkpoint.

    Runs and bare calls take turns, and the least of each counts: other load can only add to it.
    """
    with TemporaryDirectory() as home:
        settings = load_settings(profile=PROFILE, tools=INSTANT_TOOLS)
        settings = settings.model_copy(update={"home": Path(home)})
        works: dict[str, Callable[[], object]] = {
            "run": lambda: ask(path, settings=settings),
            "bare": lambda: _call_bare(path),
        }
        for work in works.values():  # packages are loaded once
            work()
        times = in_turn({k: partial(seconds, work) for k, work in works.items()}, CONTROLLER_RUNS)
        with closing(sqlite3.connect(settings.threads)) as database:
            query = "SELECT max(length(checkpoint)) FROM checkpoints"
            size = int(database.execute(query).fetchone()[0] or 0)
    run, bare = (1000 * min(times[name]) for name in works)
    usual = [1000 * statistics.median(times[name]) for name in works]
    return [
        at_most("a run over calling its functions bare", run - bare, "ms", 15.0,
                f"{run:.1f} ms : {bare:.1f} ms, least of {CONTROLLER_RUNS} (medians "
                f"{usual[0]:.1f} : {usual[1]:.1f}); with checkpoints, ledger and trace on disk"),
        at_most("largest checkpoint", size / 1024, "KB", 64.0, "state as written to SQLite"),
    ]  # fmt: skip


def _call_bare(path: Path) -> None:
    """Do the work of a run without controller, checkpoints, ledger and trace."""
    clip = Clip.open(path)
    tools = [
        load_tool(each["use"], {"modality": each["modality"]}) for each in INSTANT_TOOLS.values()
    ]
    clues = [clue for tool in tools for clue in tool.observe(clip)]
    cards = tuple(card(tool) for tool in tools)
    rules = Rules()
    inquiry = Inquiry(question=DEFAULT, clues=tuple(clues), tools=cards, duration=clip.duration)
    verify(rules.explain(inquiry, rules.decide(inquiry)), clues, clip.duration)


def measure_running(path: Path) -> list[Measure]:
    """Measures of whole runs of the embedded profile on a clip.

    Each tool alone and all of them together take turns, and the least of the rounds counts:
    other load can only lengthen wall-clock time. Each run has an evidence store of its own,
    so nothing is remembered; a first run of all loads packages and is not counted.
    """
    slots = tuple(load_settings(profile=PROFILE).active_tools)
    whole: list[float] = []
    answered: list[float] = []
    second: list[Event] = []

    def together() -> float:
        with TemporaryDirectory() as home:
            first = _run(path, home)
            question = "Is the person angry?"
            answered.append(seconds(lambda: second.extend(_run(path, home, question=question))))
        whole.append(first[-1].at)
        return _observing(first)

    def alone(slot: str) -> float:
        with TemporaryDirectory() as home:
            return _observing(_run(path, home, {s: OFF for s in slots if s != slot}))

    with TemporaryDirectory() as home:
        _run(path, home)
    load, works = other_load(), {slot: partial(alone, slot) for slot in slots}
    times = in_turn({**works, "together": together}, RUN_ROUNDS)
    note = f"least of {RUN_ROUNDS}; others took {load():.0%} of the machine"
    length = Clip.open(path).duration
    repeated = sum(isinstance(event, ToolStarted) and not event.cached for event in second)
    return [
        _overlap(times, note),
        at_most("explaining a clip : the clip's length", min(whole) / length, "x", 1.0,
                f"{min(whole):.2f} s : {length:.2f} s, once imports are done; {note}"),
        at_most("second question on the same clip", min(answered), "s", 0.3,
                f"opening the file included; least of {RUN_ROUNDS}"),
        at_most("tools run by the second question", repeated, "calls", 0, "from the ledger"),
    ]  # fmt: skip


def _overlap(times: Mapping[str, Sequence[float]], note: str) -> Measure:
    least = {slot: min(times[slot]) for slot in times if slot != "together"}
    slowest, both = max(least, key=lambda slot: least[slot]), min(times["together"])
    usual = statistics.median(times["together"]) / statistics.median(times[slowest])
    return at_most(
        "all tools side by side : the slowest alone", both / least[slowest], "x", 1.2,
        f"{both:.2f} s : {least[slowest]:.2f} s ({slowest}), {note}; medians "
        f"{usual:.2f} x; one after another {sum(least.values()):.2f} s",
    )  # fmt: skip


def _run(
    path: Path, home: str, tools: Mapping[str, str] | None = None, question: str = DEFAULT
) -> list[Event]:
    events: list[Event] = []
    settings = load_settings(profile=PROFILE, tools=tools)
    settings = settings.model_copy(update={"home": Path(home)})
    ask(path, question, settings=settings, listener=events.append)
    return events


def _observing(events: list[Event]) -> float:
    """Seconds from the first tool's start to the last one's end, in the first round."""
    start = [e.at for e in events if isinstance(e, ToolStarted) and e.round == 0]
    end = [e.at for e in events if isinstance(e, ToolFinished | NothingObserved) and e.round == 0]
    return max(end) - min(start)


def measure_memory(path: Path) -> list[Measure]:
    """Peak memory of a 2-minute clip, and its growth over a 30-second one.

    Both are the clip in a loop. What may grow is the evidence itself: 16 kHz samples,
    landmarks and clues; the goal of a fifth more for four times the length is ours.
    """
    peaks: list[float] = []
    with TemporaryDirectory() as folder:
        for length in (SHORT, LONG):
            clip = loop_clip(path, Path(folder) / f"{length:.0f}{path.suffix}", length)
            command = [sys.executable, "-m", "emer.evals.speed.peak_memory", str(clip)]
            home = {"EMER_HOME": str(Path(folder) / f"home-{length:.0f}")}
            done = subprocess.run(
                command, capture_output=True, text=True, check=True, env=os.environ | home
            )
            peaks.append(json.loads(done.stdout.splitlines()[-1])["megabytes"])
    return [
        at_most("peak memory of a 2-minute clip", peaks[1], "MB", 1500.0, "children included"),
        at_most("peak memory, 2 minutes : 30 seconds", peaks[1] / peaks[0], "x", 1.2,
                f"{peaks[1]:.0f} MB : {peaks[0]:.0f} MB"),
    ]  # fmt: skip
