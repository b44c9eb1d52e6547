"""Streams, frame times and duration of a file, found by a process with limits.

The work is done in `probe_worker`; here are its limits, its end, and its record.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from emer.tools.errors import ClipError, ConfigError
from emer.tools.media.subtitles import SubtitleTrack
from emer.tools.runtime.worker_process import communicate
from emer.tools.types import Record

WORKER = (sys.executable, "-P", "-m", "emer.tools.media.probe_worker")


class ClipLimits(Record):
    """Largest file that is read as a clip; the table `clip` of the settings."""

    probe_seconds: float = Field(default=20.0, gt=0)
    """Time in which the streams of a file must be listed."""
    probe_memory: float = Field(default=1.5, gt=0)
    """Gigabytes of address space for that."""
    decode_seconds: float = Field(default=60.0, gt=0)
    """Time in which a packet must be decoded, the start of the process included.

    Tools run with low priority: at a load of 18 on two cores a start took 6 s.
    """
    decode_memory: float = Field(default=6.0, gt=0)
    """Gigabytes of address space for decoding; pictures of 8K take up to 4.5."""
    pixels: int = Field(default=40_000_000, gt=0)
    """Pixels of a picture; 8K UHD has 33 million."""
    frames: int = Field(default=2_000_000, gt=0)
    """Packets of a stream; 18 hours of video at 30 pictures a second."""
    hours: float = Field(default=6.0, gt=0)
    """Length of the clip; the samples of six hours are 1.4 GB."""


class VideoStream(Record):
    """Video stream; width and height are upright and in square pixels."""

    index: int
    width: int
    height: int
    rotation: int
    """Counter-clockwise rotation in degrees that turns the stored picture upright."""
    fps: float
    frames: int
    codec: str
    variable_rate: bool


class AudioStream(Record):
    """An audio stream as stored; tools get 16 kHz mono."""

    index: int
    rate: int
    channels: int
    codec: str


@dataclass(frozen=True, slots=True)
class Probe:
    """A file's streams and times; all times are seconds from the clip's first moment."""

    origin: float
    """Time stamp of the clip's first moment in the file, seconds."""
    duration: float
    video: VideoStream | None
    audio: AudioStream | None
    frame_times: NDArray[np.float64]
    """Presentation time of each video frame, rising, shape (frames,)."""
    notes: tuple[str, ...]
    subtitle: SubtitleTrack | None = None


def probe(path: Path, descriptor: int, limits: ClipLimits) -> Probe:
    """Probe an open regular file; `ClipError` when nothing in it can be decoded.

    A process does it; it ends with its limits, with this process, and with a cancelled call.
    """
    record = _record(path, descriptor, limits)
    if "error" in record:
        raise ClipError(f"{path} {record['error']}")
    video, audio, origin = record["video"], record["audio"], record["origin"]
    return Probe(
        origin=origin,
        duration=record["duration"],
        video=VideoStream(**video) if video else None,
        audio=AudioStream(**audio) if audio else None,
        frame_times=np.asarray(record["frame_times"], dtype=np.float64) - origin,
        notes=tuple(record["notes"]),
        subtitle=SubtitleTrack(**track) if (track := record["subtitle"]) else None,
    )


def _record(path: Path, descriptor: int, limits: ClipLimits) -> dict[str, Any]:
    request = {
        "parent": os.getpid(),
        "seconds": limits.probe_seconds,
        "memory": int(limits.probe_memory * 2**30),
        "pixels": limits.pixels,
        "frames": limits.frames,
        "hours": limits.hours,
    }
    pipe, command = subprocess.PIPE, [*WORKER, json.dumps(request)]
    with subprocess.Popen(command, stdin=descriptor, stdout=pipe, stderr=pipe) as process:
        try:
            output, errors = communicate(process, limits.probe_seconds, "listing")
        except TimeoutError:
            raise ClipError(
                f"{path} cannot be listed within {limits.probe_seconds:g} s; if it is a clip, "
                "raise probe_seconds in [clip] of the settings"
            ) from None
    try:
        record: dict[str, Any] = json.loads(output)
    except ValueError:
        last = errors.decode(errors="replace").strip().splitlines()[-1:]
        cause = last[0] if last else f"its reader ended with {process.returncode}"
        if absent := re.search(r"No module named '?([\w.]+)", cause):
            raise ConfigError(
                f"clips cannot be read: {sys.executable} does not find {absent[1]}; install emer "
                "there, or name its folder in PYTHONPATH"
            ) from None
        raise ClipError(f"{path} cannot be read as audio or video ({cause[:200]})") from None
    return record
