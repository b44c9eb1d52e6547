"""Where a model runs: which device, at which precision, and what the device has.

torch is asked where it is installed. Without it, CTranslate2 can still tell of a CUDA GPU.
"""

from __future__ import annotations

import gc
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from emer.tools.errors import ConfigError
from emer.tools.imports import importing
from emer.tools.machine import DEVICES, machine
from emer.tools.types import Record

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
