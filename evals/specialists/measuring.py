"""All measures of the tools with a model, one part after another; what cannot be is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Final, NamedTuple

from emer.evals.measure import Measure, Unmeasured
from emer.evals.specialists.captions import measure_captioner
from emer.evals.specialists.corpus import measure_corpus
from emer.evals.specialists.expressions import measure_deepface
from emer.evals.specialists.hearing import measure_faster_whisper, measure_whisper
from emer.evals.specialists.setup import REAL, Machine, Setup, sizes_for, this_machine
from emer.tools import devices
from emer.tools.clip import Clip
from emer.tools.errors import ConfigError, EmerError
from emer.tools.models import SHELF
from emer.tools.native import hush

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
