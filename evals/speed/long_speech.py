"""Speed and memory of transcribing minutes of speech, as a share of their length."""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from emer.evals.speed.measure import Measure, at_most, seconds
from emer.evals.speed.peak_memory import loop_clip
from emer.tools.errors import Unobservable
from emer.tools.media.clip import Clip
from emer.tools.registry import load_tool
from emer.tools.testing.benchmark import sampled_memory
from emer.tools.tool import Heavy, Tool

TOOL: Final = "faster-whisper"
SHORT, LONG = 60.0, 180.0
"""Seconds of the two looped clips; half an hour is as many times the work of a minute."""
GOAL, GROWTH = 0.25, 100.0
"""Most time as a share of the length, and most MB that two minutes more may take (ours)."""


def measure_long_speech(path: Path, device: str, folder: Path) -> list[Measure]:
    """CPU time and memory of minutes of speech, with the strongest local weights.

    On a CPU that is no less than the time that passes where nothing else runs.

    The clip is looped: a repeated sentence is as much work as another, though the tool may then
    rightly refuse a text that goes in circles. `EmerError` without weights or packages.
    """
    import psutil

    tool = load_tool(TOOL, {"device": device})
    assert isinstance(tool, Heavy)
    tool.load()
    process, took, peaks = psutil.Process(), 0.0, list[float]()
    for length in (SHORT, LONG):
        looped = loop_clip(path, folder / f"speech-{length:g}{path.suffix}", length)
        clip = Clip.open(looped)
        with sampled_memory(lambda: int(process.memory_info().rss), 0.1) as sizes:
            took = seconds(partial(_observe, tool, clip), time.process_time) / clip.duration
        peaks.append(max(sizes) / 1e6)
    label = f"{TOOL} {tool.source.model or ''}".strip()
    detail = f"CPU s of {LONG:g} s of speech, looped; peak {peaks[-1]:.0f} MB"
    growth = f"peak {peaks[0]:.0f} MB for {SHORT:g} s, {peaks[-1]:.0f} MB for {LONG:g} s"
    return [
        at_most(f"{label}, speech : its length", took, "x", GOAL, detail),
        at_most(f"{label}, memory of two minutes more", peaks[-1] - peaks[0], "MB", GROWTH, growth),
    ]


def _observe(tool: Tool, clip: Clip) -> None:
    with suppress(Unobservable):
        tool.observe(clip)
