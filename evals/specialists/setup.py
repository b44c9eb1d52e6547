"""What the specialists' measures are taken with: a clip, a device, sizes, a folder for weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emer.evals.specialists.sizes import CAPTIONERS, WHISPER, CaptionerSize, WhisperSize
from emer.tools import devices
from emer.tools.clip import RATE, Clip
from emer.tools.errors import ConfigError, EmerError
from emer.tools.pictures import Rgb
from emer.tools.types import Record

Samples = NDArray[np.float32]

REAL = {"cpu": ("base", "smolvlm-256m"), "cuda": ("large-v3-turbo", "qwen2.5-vl-3b")}
"""Sizes of Whisper and of the captioner, unless told: on a CPU, those that take minutes."""


class Unequal(EmerError):
    """The two sides of a comparison did not do the same work."""


@dataclass(frozen=True, slots=True)
class Setup:
    """One measuring."""

    clip: Clip
    device: str
    folder: Path
    """Where the random weights lie."""
    whisper: WhisperSize
    captioner: CaptionerSize
    rounds: int
    """Times that each side is measured, in turns; the least counts."""

    @property
    def on_gpu(self) -> bool:
        """Whether the goals of a CUDA GPU apply."""
        return self.device.startswith("cuda")

    def goal(self, gpu: float | None, cpu: float | None) -> float | None:
        """Return the goal that holds on this device."""
        return gpu if self.on_gpu else cpu

    def kept(self, name: str, write: Callable[[Path], object]) -> Path:
        """Return the file or folder of this name, written now if it is not there."""
        path = self.folder / name
        if not path.exists():
            partial = path.with_name(f"unfinished-{path.name}")
            write(partial)
            partial.rename(path)
        return path

    def sounds(self, seconds: float, count: int) -> list[Samples]:
        """Return so many stretches of the clip's sound of this length; it is played on and on."""
        heard, size = self.clip.samples(), round(seconds * RATE)
        if len(heard) < RATE:
            raise ConfigError(f"{self.clip.path} has less than a second of sound")
        whole = np.resize(heard, size * count)
        return [whole[k * size : (k + 1) * size] for k in range(count)]

    def pictures(self, count: int, side: int) -> list[Rgb]:
        """Return so many pictures, evenly spread over the clip, of at most `side` pixels."""
        rate = count / self.clip.duration
        found = [frame.rgb(side) for frame in self.clip.frames(fps=rate)]
        if not found:
            raise ConfigError(f"{self.clip.path} has no picture")
        return [found[k % len(found)] for k in range(count)]


def sizes_for(device: str, names: tuple[str, ...]) -> tuple[WhisperSize, CaptionerSize]:
    """Return the sizes that were named, else those for the device; `ConfigError` lists them."""
    for name in names:
        if name not in {*WHISPER, *CAPTIONERS}:
            raise ConfigError(f"--size {name!r}: write {', '.join([*WHISPER, *CAPTIONERS])}")
    whisper, captioner = REAL["cuda" if device.startswith("cuda") else "cpu"]
    for name in names:
        whisper = name if name in WHISPER else whisper
        captioner = name if name in CAPTIONERS else captioner
    return WHISPER[whisper], CAPTIONERS[captioner]


class Machine(Record):
    """On what and when it was measured."""

    device: str
    cores: int
    """That this process may use; both sides of a comparison use them all."""
    processor: str
    packages: str
    date: str

    @property
    def text(self) -> str:
        """One line for people."""
        return f"{self.device}; {self.processor}, cores: {self.cores}; {self.packages}; {self.date}"


def this_machine(device: str) -> Machine:
    """Return what is known of the machine."""
    from importlib.metadata import PackageNotFoundError, version

    told = []
    for name in ("torch", "ctranslate2", "openai-whisper", "faster-whisper", "transformers",
                 "deepface"):  # fmt: skip
        try:
            told.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            told.append(f"no {name}")
    what = next((each.what for each in devices.devices() if each.name == device), device)
    return Machine(
        device=device if device == devices.CPU else f"{device} {what}",
        cores=devices.threads(),
        processor=_processor(),
        packages=", ".join(told),
        date=date.today().isoformat(),
    )


def _processor() -> str:
    """Return the maker's name of the CPU, where the system tells it."""
    import platform

    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
