"""How much memory a long clip takes, and whether that grows with its length."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from emer.evals.loops import loop_clip
from emer.evals.measure import Measure, at_most

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
        [sys.executable, "-m", "emer.evals.peak", str(clip)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "EMER_HOME": str(home)},
    )
    return float(json.loads(done.stdout.splitlines()[-1])["megabytes"])
