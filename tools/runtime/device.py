"""Device, dtype, memory, offline.

What this process may use of the machine: device, precision, memory, weights, network.

Models are loaded once in a process and shared between its tools, so these choices are the
process's, not a tool's. They come from the settings; where nobody set them, from EMER_DEVICE,
EMER_DTYPE, EMER_MODEL_MEMORY, EMER_WEIGHTS and EMER_OFFLINE. A tool's own `device=` or `dtype=`
argument wins.

Where a model runs: which device, at which precision, and what the device has.

torch is asked where it is installed. Without it, CTranslate2 can still tell of a CUDA GPU.
"""

from __future__ import annotations

import gc
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from platformdirs import user_data_dir
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from emer.tools.errors import ConfigError
from emer.tools.runtime.native import importing
from emer.tools.types import Param, Record

Dtype = Literal["auto", "float32", "float16", "bfloat16"]

DEVICES = "auto, cpu, cuda, cuda:N or mps"
"""How a device may be written."""


def at_home(path: Path) -> Path:
    """Return the path with a leading ~ as the user's folder: no shell does it in a file."""
    return Path(os.path.expanduser(path))


Folder = Annotated[Path, AfterValidator(at_home)]


class Machine(Record):
    """The choices that hold for every tool of the process."""

    device: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    """auto, cpu, cuda, cuda:N or mps; auto takes a GPU where there is one."""
    dtype: Dtype = "auto"
    """Precision of the weights; auto is 16 bit on a GPU and 32 bit on a CPU."""
    model_memory: float | None = Field(default=None, gt=0)
    """Gigabytes of models to keep on each device; None is what the device has."""
    weights: Folder = Field(default_factory=lambda: home() / "weights")
    """Folder of the weights that `emer models pull` gets."""
    offline: bool = False
    """Refuse every download, asked for or not."""


def home() -> Path:
    """Return EMER_HOME, or the user's data folder."""
    told = os.environ.get("EMER_HOME")
    return at_home(Path(told)) if told else Path(user_data_dir("emer", appauthor=False))


_SET: list[Machine] = []


def use(chosen: Machine) -> None:
    """Have the process go by these choices from now on; models already loaded stay."""
    _SET[:] = [chosen]


def machine() -> Machine:
    """Return the choices last set, or those of the environment.

    `ConfigError` names the variable that cannot be read.
    """
    return _SET[0] if _SET else from_environment()


def forget() -> None:
    """Go by the environment again."""
    _SET.clear()


def from_environment() -> Machine:
    """Return the choices that EMER_* variables make."""
    told = {name: os.environ.get(f"EMER_{name.upper()}") for name in Machine.model_fields}
    try:
        return Machine.model_validate({name: text for name, text in told.items() if text})
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        name = str(problem["loc"][0])
        what = hint(name) or f": {problem['msg']}"
        raise ConfigError(f"EMER_{name.upper()}={told[name]}{what}") from error


def hint(name: str) -> str:
    """Return how the value of this field is written, where that is not plain."""
    return f"; write {DEVICES}" if name == "device" else ""


def is_offline() -> bool:
    """Tell whether downloads are forbidden, here or by Hugging Face's own variable."""
    flag = os.environ.get("HF_HUB_OFFLINE", "")
    try:
        return machine().offline or bool(flag and TypeAdapter(bool).validate_python(flag))
    except ValidationError:
        return True  # set to something: rather no network than one nobody wanted


CPU = "cpu"

TOLERANCE = 0.02
"""Most that a probability may differ between a CPU at 32 bit and a GPU or 16 bit; words may not
(chosen by us; int8 is further off, and is named in a clue's source)."""


_NO_MEMORY = ("out of memory", "not enough memory", "alloc_failed", "allocation_failed")
"""What torch, CTranslate2, cuBLAS, cuFFT and cuDNN say."""


class Device(Record):
    """A device that models can run on."""

    name: str
    """cpu, cuda:0, cuda:1 ... or mps."""
    what: str
    """The maker's name of it, for people."""
    memory: float | None
    """Gigabytes in all (the machine's for cpu and mps); None where nobody can tell."""


def pick(wanted: str = "auto") -> str:
    """Return the name of the device to use: "cpu", "cuda:N" or "mps".

    A tool's "auto" is the process's choice, and that one's "auto" a GPU where there is one.
    `ConfigError` for a device that is not there, or is not written like one.
    """
    told = machine().device if wanted == "auto" else wanted
    names = [device.name for device in devices()]
    if told == "auto":
        return names[0]
    name = "cuda:0" if told == "cuda" else told
    if name in names:
        return name
    if name.partition(":")[0] in (CPU, "cuda", "mps"):
        raise ConfigError(f"device {told} is not there; this machine has {', '.join(names)}")
    raise ConfigError(f"device {told!r}: write {DEVICES}")


def precision(device: str, wanted: str = "auto") -> str:
    """Return "float32", "float16" or "bfloat16"; a tool's "auto" is the process's choice."""
    told = machine().dtype if wanted == "auto" else wanted
    if told not in ("auto", "float32", "float16", "bfloat16"):
        raise ConfigError(f"dtype {told!r}: write auto, float32, float16 or bfloat16")
    return usual(device) if told == "auto" else told


def usual(device: str) -> str:
    """Return the precision of a device where nobody asks for another."""
    return "float32" if device == CPU else "float16"


class RunOptions(NamedTuple):
    """How a model is run; only the precision changes its results."""

    device: str
    dtype: str
    batch: int
    """Items at once."""

    @property
    def hardware(self) -> Mapping[str, Param]:
        """Device, precision, batch and, on a CPU, threads."""
        own = {"threads": threads()} if self.device == CPU else {}
        return {"device": self.device, "dtype": self.dtype, "batch": self.batch, **own}


def run_options(device: str, dtype: str, batch: int, usual_batch: Mapping[str, int]) -> RunOptions:
    """How a model is run, by a tool's arguments.

    Args:
        device: As for `pick`.
        dtype: As for `precision`.
        batch: Items at once; 0 for the usual number.
        usual_batch: Items at once by kind of device.
    """
    place = pick(device)
    usual = usual_batch[place.partition(":")[0]]
    return RunOptions(place, precision(place, dtype), batch or usual)


def devices() -> tuple[Device, ...]:
    """Return what models can run on here, the fastest first; the CPU is always the last."""
    return (*_accelerators(), _cpu())


def budget(device: str) -> float:
    """Return the gigabytes of models that may stay on a device: the choice, or 80 % of it.

    The rest is left to activations and to others (chosen by us). Endless where unknown.
    """
    chosen = machine().model_memory
    if chosen is not None:
        return chosen
    known = (one.memory for one in devices() if one.name == device)
    whole = next(known, None)
    return 0.8 * whole if whole else math.inf


def threads() -> int:
    """Return how many threads models on the CPU use: the cores this process may run on."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


@contextmanager
def current(device: str) -> Iterator[None]:
    """Have the thread's work on a CUDA GPU begin on this one.

    torch goes where its tensors are; kernels written with Triton, as openai-whisper's, go to the
    GPU that is the thread's, and find nothing there of what lies on another.
    """
    torch = _torch() if device.startswith("cuda") else None
    if torch is None or not torch.cuda.is_available():  # CTranslate2 minds its own GPU
        yield
        return
    with torch.cuda.device(device):
        yield


def release(device: str) -> None:
    """Give back memory that freed models held on the device."""
    gc.collect()
    torch = _torch()
    if torch is None:
        return
    if device.startswith("cuda"):
        torch.cuda.empty_cache()
    elif device == "mps":
        torch.mps.empty_cache()


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether a model failed for want of memory: each library has its own words."""
    if isinstance(error, MemoryError):
        return True
    if not isinstance(error, RuntimeError):
        return False
    words = str(error).casefold()
    return any(told in words for told in _NO_MEMORY)


def _accelerators() -> Sequence[Device]:
    torch = _torch()
    if torch is None:
        return _cuda_without_torch()
    if torch.cuda.is_available():
        found = [(n, torch.cuda.get_device_properties(n)) for n in range(torch.cuda.device_count())]
        return [
            Device(name=f"cuda:{n}", what=facts.name, memory=facts.total_memory / 1e9)
            for n, facts in found
        ]
    if torch.backends.mps.is_available():
        return [Device(name="mps", what="Apple GPU", memory=_cpu().memory)]
    return []


def _cuda_without_torch() -> Sequence[Device]:
    try:
        with importing():
            import ctranslate2
    except ImportError:
        return []
    count = ctranslate2.get_cuda_device_count()
    return [Device(name=f"cuda:{n}", what="CUDA GPU", memory=None) for n in range(count)]


def _cpu() -> Device:
    import psutil

    count = threads()
    cores = "1 core" if count == 1 else f"{count} cores"
    return Device(name=CPU, what=cores, memory=psutil.virtual_memory().total / 1e9)


def _torch() -> Any:
    try:
        with importing():
            import torch
    except ImportError:
        return None
    return torch
