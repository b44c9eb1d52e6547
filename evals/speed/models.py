"""Model tools against their library, real weights.

What the specialists' measures are taken with: a clip, a device, sizes, a folder for weights.

All measures of the tools with a model, one part after another; what cannot be is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emer.evals.specialists.captions import measure_captioner
from emer.evals.specialists.corpus import measure_corpus
from emer.evals.specialists.expressions import measure_deepface
from emer.evals.specialists.hearing import measure_faster_whisper, measure_whisper
from emer.evals.specialists.sizes import CAPTIONERS, WHISPER, CaptionerSize, WhisperSize
from emer.evals.speed.measure import Measure, Unmeasured
from emer.tools.errors import ConfigError, EmerError
from emer.tools.media.clip import RATE, Clip
from emer.tools.media.decoder import Rgb
from emer.tools.runtime import device as devices
from emer.tools.runtime.model_pool import SHELF
from emer.tools.runtime.native import hush
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


PARTS: Final[Mapping[str, Callable[[Setup], list[Measure]]]] = MappingProxyType(
    {
        "whisper": measure_whisper,
        "faster-whisper": measure_faster_whisper,
        "deepface": measure_deepface,
        "captioner": measure_captioner,
        "corpus": measure_corpus,
    }
)

_GPU_GOALS: Final = (
    "whisper large-v3-turbo, short clips : openai-whisper's loop, at least 20 x",
    "deepface, 16 faces at once : DeepFace.analyze face by face, at least 20 x",
    "captioner qwen2.5-vl-3b, compiled, a step of writing : reading its weights, at most 1.5 x",
    "GPU busy in a corpus run, at least 85 %",
)
"""What is to hold on a CUDA GPU, at these sizes."""


class Request(NamedTuple):
    """What is to be measured."""

    clip: Path
    device: str = "auto"
    sizes: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    rounds: int = 3
    keep: Path | None = None
    """Folder that keeps the random weights; None for one that is removed."""


class Report(NamedTuple):
    """What was measured, and what could not be."""

    machine: Machine
    measures: tuple[Measure, ...]
    unmeasured: tuple[Unmeasured, ...]


def measure_models(request: Request, say: Callable[[str], None]) -> Report:
    """Measure the parts that were asked for; `say` is told what is being measured.

    `ConfigError` for a clip, device, size or part that is not there. What a part lacks (a
    package, memory, equal work) is told beside the measures.
    """
    parts = _parts(request.only)
    clip = Clip.open(request.clip)
    if clip.video is None or clip.audio is None:
        raise ConfigError(f"{request.clip} needs picture and sound; name a clip with both")
    device = devices.pick(request.device)
    whisper, captioner = sizes_for(device, request.sizes)
    measures: list[Measure] = []
    unmeasured: list[Unmeasured] = []
    with _folder(request.keep) as folder, hush(folder / "native.log"):
        setup = Setup(clip, device, folder, whisper, captioner, request.rounds)
        for name in parts:
            say(f"{name} on {device}")
            found = _measured(name, setup)
            if isinstance(found, Unmeasured):
                unmeasured.append(found)
            else:
                measures += found
    unmeasured += _not_here(setup)
    return Report(this_machine(device), tuple(measures), tuple(unmeasured))


def _measured(name: str, setup: Setup) -> list[Measure] | Unmeasured:
    """Return a part's measures, or why there are none."""
    try:
        return PARTS[name](setup)
    except ConfigError:
        raise
    except (EmerError, ImportError, MemoryError, RuntimeError) as error:
        if type(error) is RuntimeError and not devices.is_out_of_memory(error):
            raise
        return Unmeasured(name=name, why=" ".join(str(error).split()))
    finally:
        SHELF.unload()


def _parts(only: tuple[str, ...]) -> tuple[str, ...]:
    for name in only:
        if name not in PARTS:
            raise ConfigError(f"--only {name!r}: write {', '.join(PARTS)}")
    return tuple(name for name in PARTS if not only or name in only)


def _not_here(setup: Setup) -> Iterator[Unmeasured]:
    """Yield the goals that hold elsewhere, and the sizes that stood in for the real ones."""
    if not setup.on_gpu:
        for goal in _GPU_GOALS:
            yield Unmeasured(name=goal, why=f"it holds on a CUDA GPU; this was {setup.device}")
    for used, real in zip((setup.whisper.name, setup.captioner.name), REAL["cuda"], strict=True):
        if used != real:
            yield Unmeasured(name=real, why=f"{used} was measured; --size {real} takes it")


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with TemporaryDirectory(prefix="emer-speed-") as folder:
            yield Path(folder)
    else:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
