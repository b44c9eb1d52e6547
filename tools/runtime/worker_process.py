"""Processes for work that must be limited or killed: both ends.

The parent waits with `communicate`; the worker bounds itself with `confine`. Workers are started
as `python -P -m MODULE`, not by a pool: a spawned worker imports the caller's main module again.
"""

from __future__ import annotations

import ctypes
import math
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

from emer.tools.runtime.cancellation import POLL_SECONDS, raise_if_cancelled

CPU_MARGIN = 10
"""Seconds of CPU time beyond the limit, for a worker whose parent has not ended it."""


def communicate(process: subprocess.Popen[bytes], seconds: float, work: str) -> tuple[bytes, bytes]:
    """Output and errors of a worker, which is killed in any other case.

    `TimeoutError` names the `work` after `seconds`; `Cancelled` follows a cancellation at once.
    """
    deadline = time.monotonic() + seconds
    try:
        while time.monotonic() < deadline:
            raise_if_cancelled()
            with suppress(subprocess.TimeoutExpired):
                return process.communicate(timeout=POLL_SECONDS)
    except BaseException:
        process.kill()  # it also ends by itself when this process is killed
        raise
    process.kill()
    raise TimeoutError(f"{work} took longer than {seconds:.0f} s")


def confine(parent: int, seconds: float | None, memory: int | None = None) -> None:
    """Bound CPU time and address space (bytes); end this process with its parent.

    Without `seconds` CPU time is not bounded, and no signal comes when the parent ends: Linux
    sends it when the thread ends that started this process, which others may still need.
    """
    import resource

    bounds = {}
    if seconds is not None:
        limit = math.ceil(seconds) + CPU_MARGIN
        bounds[resource.RLIMIT_CPU] = (limit, limit + 1)
    if memory is not None:
        bounds[resource.RLIMIT_AS] = (memory, memory)
    for kind, bound in bounds.items():
        # Where there is no such limit, or a lower one holds, the other is set nevertheless.
        with suppress(OSError, ValueError):
            resource.setrlimit(kind, bound)
    if seconds is not None and sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        sys.exit(1)
