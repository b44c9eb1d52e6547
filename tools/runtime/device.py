"""Device, precision, memory, weights folder and network: what the process may use.

Models are shared between the tools of a process, so these choices hold for the process. They
come from the settings, else from EMER_DEVICE, EMER_DTYPE, EMER_MODEL_MEMORY, EMER_WEIGHTS,
EMER_OFFLINE and EMER_NETWORK__CONNECT, EMER_NETWORK__FIRST, .... A tool's own `device=` or
`dtype=` argument overrides them.
torch is asked where it is installed; without it, CTranslate2 can still report a CUDA GPU.
"""

from __future__ import annotations

import gc
import math
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from platformdirs import user_data_dir
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from emer.tools.errors import ConfigError
from emer.tools.runtime.native import importing
from emer.tools.types import Param, Record

CPU = "cpu"

DEVICES = "auto, cpu, cuda, cuda:N or mps"
TOLERANCE = 0.02
"""Largest difference of a probability between 32 bit on a CPU and a GPU or 16 bit.

Words may not differ (chosen by us; int8 differs more, and is named in a clue's source).
"""

_OUT_OF_MEMORY = ("out of memory", "not enough memory", "alloc_failed", "allocation_failed")
"""Messages of torch, CTranslate2, cuBLAS, cuFFT and cuDNN."""

Dtype = Literal["auto", "float32", "float16", "bfloat16"]


def expand_home(path: Path) -> Path:
    """Path with a leading ~ expanded, which no shell does inside a file."""
    return Path(os.path.expanduser(path))


Folder = Annotated[Path, AfterValidator(expand_home)]


def absolute_home(path: Path) -> Path:
    """The path of a home with ~ expanded; `ConfigError` for a relative one.

    That would be another folder wherever emer is started, a stranger's too, and what is in the
    home is trusted.
    """
    whole = expand_home(path)
    if not whole.is_absolute():
        raise ConfigError(
            f"the home {path} is relative, so it would be another one in each folder; "
            f"write the whole path: EMER_HOME={shlex.quote(os.path.abspath(whole))}"
        )
    return whole


def home() -> Path:
    """EMER_HOME, or the user's data folder; `ConfigError` where it is relative."""
    folder = os.environ.get("EMER_HOME")
    return absolute_home(Path(folder or user_data_dir("emer", appauthor=False)))


class Network(Record):
    """Time limits, in seconds, of calls that leave the process; the table `network`.

    The limits hold whatever a server does: sends one byte a second, headers only, or no end.
    """

    connect: float = Field(default=10.0, gt=0)
    """Until a server takes the connection."""
    first: float = Field(default=120.0, gt=0)
    """Until the first word of a model's reply; a local model may have to load."""
    total: float = Field(default=600.0, gt=0)
    """Until the end of a model's reply, or of a listing."""
    stall: float = Field(default=30.0, gt=0)
    """Without progress of a download."""
    download: float = Field(default=21_600.0, gt=0)
    """Until the end of a download: 6 hours, 10 GB at 4 Mbit/s."""


class Machine(Record):
    """The choices that hold for every tool of the process."""

    device: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    """auto takes a GPU where there is one."""
    dtype: Dtype = "auto"
    """Precision of the weights; auto is 16 bit on a GPU and 32 bit on a CPU."""
    model_memory: float | None = Field(default=None, gt=0)
    """Gigabytes of models to keep on each device; None is what the device has."""
    weights: Folder = Field(default_factory=lambda: home() / "weights")
    """Folder of the weights that `emer models pull` downloads."""
    offline: bool = False
    """Refuse every download."""
    network: Network = Network()


class Device(Record):
    """A device that models can run on."""

    name: str
    what: str
    """The maker's name of it."""
    memory: float | None
    """Gigabytes in all (the machine's for cpu and mps); None where unknown."""


_configured: list[Machine] = []


def configure(choices: Machine | None) -> None:
    """Set the choices of the process; None: those of the environment."""
    _configured[:] = [choices] if choices is not None else []


def machine() -> Machine:
    """The choices last set, or the environment's; `ConfigError` names a bad variable."""
    if _configured:
        return _configured[0]
    values: dict[str, Any] = _variables("EMER_", Machine)
    values["network"] = _variables("EMER_NETWORK__", Network)
    try:
        return Machine.model_validate(values)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        name = "__".join(map(str, problem["loc"]))
        what = hint(name) or f": {problem['msg']}"
        raise ConfigError(f"EMER_{name.upper()}={problem['input']}{what}") from error


def _variables(prefix: str, record: type[Record]) -> dict[str, str]:
    """The fields of a record that the environment sets."""
    values = {name: os.environ.get(f"{prefix}{name.upper()}") for name in record.model_fields}
    return {name: text for name, text in values.items() if text}


def hint(name: str) -> str:
    """How the value of a field of `Machine` is written, where that is not plain."""
    return f"; write {DEVICES}" if name == "device" else ""


def is_offline() -> bool:
    """True if downloads are forbidden, by our setting or by HF_HUB_OFFLINE."""
    flag = os.environ.get("HF_HUB_OFFLINE", "")
    try:
        return machine().offline or bool(flag and TypeAdapter(bool).validate_python(flag))
    except ValidationError:
        return True  # a value that is neither true nor false: the cautious reading


def choose_device(wanted: str = "auto") -> str:
    """Name of the device to use: "cpu", "cuda:N" or "mps".

    A tool's "auto" is the process's choice, whose "auto" is a GPU where there is one.
    `ConfigError` for a device that is not there, or is not written like one.
    """
    chosen = machine().device if wanted == "auto" else wanted
    names = [device.name for device in available_devices()]
    if chosen == "auto":
        return names[0]
    name = "cuda:0" if chosen == "cuda" else chosen
    if name in names:
        return name
    if name.partition(":")[0] in (CPU, "cuda", "mps"):
        raise ConfigError(f"device {chosen} is not there; this machine has {', '.join(names)}")
    raise ConfigError(f"device {chosen!r}: write {DEVICES}")


def choose_precision(device: str, wanted: str = "auto") -> str:
    """Precision: "float32", "float16", "bfloat16"; "auto" is the process's choice."""
    chosen = machine().dtype if wanted == "auto" else wanted
    if chosen not in ("auto", "float32", "float16", "bfloat16"):
        raise ConfigError(f"dtype {chosen!r}: write auto, float32, float16 or bfloat16")
    return default_precision(device) if chosen == "auto" else chosen


def default_precision(device: str) -> str:
    """Precision of a device where none is asked for."""
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
        threads = {"threads": cpu_threads()} if self.device == CPU else {}
        return {"device": self.device, "dtype": self.dtype, "batch": self.batch, **threads}


def run_options(device: str, dtype: str, batch: int, usual_batch: Mapping[str, int]) -> RunOptions:
    """How a model is run, by a tool's arguments.

    Args:
        device: As for `choose_device`.
        dtype: As for `choose_precision`.
        batch: Items at once; 0 for the usual number.
        usual_batch: Items at once by kind of device.
    """
    place = choose_device(device)
    usual = usual_batch[place.partition(":")[0]]
    return RunOptions(place, choose_precision(place, dtype), batch or usual)


def available_devices() -> tuple[Device, ...]:
    """Devices that models can run on, the fastest first; the CPU is always the last."""
    import psutil

    count, memory = cpu_threads(), psutil.virtual_memory().total / 1e9
    cores = "1 core" if count == 1 else f"{count} cores"
    return (*_accelerators(memory), Device(name=CPU, what=cores, memory=memory))


def memory_budget(device: str) -> float:
    """Gigabytes of models that may stay on a device: as set, or 80 % of its memory.

    The rest is left to activations and to other processes (chosen by us). Infinite where unknown.
    """
    chosen = machine().model_memory
    if chosen is not None:
        return chosen
    whole = next((one.memory for one in available_devices() if one.name == device), None)
    return 0.8 * whole if whole else math.inf


def cpu_threads() -> int:
    """Number of threads of models on the CPU: the cores this process may run on."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


@contextmanager
def cuda_device(device: str) -> Iterator[None]:
    """Make a CUDA device the thread's current one; no effect for other devices.

    torch follows its tensors; Triton kernels, as openai-whisper's, run on the thread's current
    GPU and cannot read tensors of another.
    """
    torch = _torch() if device.startswith("cuda") else None
    if torch is None or not torch.cuda.is_available():  # CTranslate2 selects its own GPU
        yield
        return
    with torch.cuda.device(device):
        yield


def release_memory(device: str) -> None:
    """Release memory that freed models held on the device."""
    gc.collect()
    torch = None if device == CPU else _torch()
    if torch is not None:
        (torch.mps if device == "mps" else torch.cuda).empty_cache()


def is_out_of_memory(error: BaseException) -> bool:
    """True if a model failed for lack of memory, by the message of its library."""
    if not isinstance(error, RuntimeError):
        return isinstance(error, MemoryError)
    message = str(error).casefold()
    return any(words in message for words in _OUT_OF_MEMORY)


def _accelerators(memory: float) -> Sequence[Device]:
    """GPUs as torch or CTranslate2 reports them; `memory` is that of the machine."""
    torch = _torch()
    if torch is None:
        try:
            with importing():
                import ctranslate2
        except ImportError:
            return []
        count = ctranslate2.get_cuda_device_count()
        return [Device(name=f"cuda:{n}", what="CUDA GPU", memory=None) for n in range(count)]
    if torch.cuda.is_available():
        cards = map(torch.cuda.get_device_properties, range(torch.cuda.device_count()))
        return [
            Device(name=f"cuda:{n}", what=card.name, memory=card.total_memory / 1e9)
            for n, card in enumerate(cards)
        ]
    if torch.backends.mps.is_available():
        return [Device(name="mps", what="Apple GPU", memory=memory)]
    return []


def _torch() -> Any:
    try:
        with importing():
            import torch
    except ImportError:
        return None
    return torch
