"""The CUDA libraries that CTranslate2 opens by name when it first computes on a GPU.

It brings none, and torch may have come with those of another CUDA. What pip installed lies in a
folder that the system does not search; opened once by its path it is found by its name.
"""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

from emer.tools.errors import ToolMissing

PACKAGES: Mapping[str, str] = {
    "cublas": "nvidia-cublas-cu12",
    "cudnn": "'nvidia-cudnn-cu12==9.*'",
}
"""What brings each. CTranslate2's wheels are made for CUDA 12; since 4.8 they ask for no cuDNN."""

_MISSING = re.compile(r"Library (\S*?(cublas|cudnn)\S*) is not found or cannot be loaded")


def open_installed() -> None:
    """Open those that pip installed, so that CTranslate2 finds them; on Linux."""
    if sys.platform != "linux":
        return
    for file in _installed():
        with suppress(OSError):  # one that cannot be opened is missed by its name later
            ctypes.CDLL(str(file), mode=ctypes.RTLD_GLOBAL)


def _installed() -> Iterator[Path]:
    spec = find_spec("nvidia")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        for name in PACKAGES:
            yield from sorted(Path(place, name, "lib").glob(f"lib{name}.so.*"))


@contextmanager
def needing(tool: str) -> Iterator[None]:
    """Turn what CTranslate2 raises for want of a library into the line that brings it."""
    try:
        yield
    except RuntimeError as error:
        found = _MISSING.search(str(error))
        if found is None:
            raise
        file, name = found.groups()
        install = f"pip install {PACKAGES[name]}"
        raise ToolMissing(tool, f"the CUDA library {file}", install) from error
