"""How busy a CUDA GPU is, as its driver's nvidia-smi tells."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import fmean

from emer.tools.errors import EmerError

STEP_MS = 100
"""Milliseconds between two looks; the driver averages over about as long."""


class NoGpu(EmerError):
    """There is no GPU, or nobody who tells of it."""


def is_told() -> bool:
    """Tell whether nvidia-smi is installed."""
    return shutil.which("nvidia-smi") is not None


@contextmanager
def busy(device: str) -> Iterator[list[float]]:
    """Yield a list that holds, afterwards, the percent of time that kernels ran, look by look.

    `NoGpu` when nvidia-smi is missing or told nothing.
    """
    command = ["nvidia-smi", f"--id={_id(device)}", "--query-gpu=utilization.gpu",
               "--format=csv,noheader,nounits", f"--loop-ms={STEP_MS}"]  # fmt: skip
    if not is_told():
        raise NoGpu("nvidia-smi is not installed, which tells how busy a GPU is")
    found: list[float] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as asked:
        try:
            yield found
        finally:
            asked.terminate()
            told, _ = asked.communicate()
            found += [float(line) for line in told.splitlines() if line.strip().isdecimal()]
    if not found:
        raise NoGpu("nvidia-smi told nothing of how busy the GPU is")


def _id(device: str) -> str:
    """Return what the driver knows a device by.

    CUDA numbers those that it may see, the fastest first; nvidia-smi all, as they are plugged in.
    """
    import torch

    if torch.cuda.is_available():
        return f"GPU-{torch.cuda.get_device_properties(device).uuid}"
    return device.partition(":")[2] or "0"


def mean(found: list[float]) -> float:
    """Return the mean percent, the first and last look left out where there are more."""
    return fmean(found[1:-1] if len(found) > 4 else found)
