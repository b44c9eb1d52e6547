"""Heavy packages with circular imports are loaded by one thread at a time."""

from __future__ import annotations

import ast
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import emer.tools.runtime.native
from emer.tools.runtime.native import importing

pytestmark = pytest.mark.slow

TOOLS = Path(emer.tools.runtime.native.__file__).parents[1]
SHARED = ("mediapipe",)
"""Packages that several tools load and that cannot be loaded from two ends at once."""


def heavy_loads(node: ast.AST, guarded: bool = False) -> Iterator[tuple[int, bool]]:
    """Yield the line of each top-level load of a shared package, and whether it is guarded."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        names = [alias.name for alias in node.names]
        names = names if isinstance(node, ast.Import) else [node.module or ""]
        if any(name.split(".")[0] in SHARED for name in names):
            yield node.lineno, guarded
    if isinstance(node, ast.With):
        guarded = guarded or any("importing" in ast.unparse(item) for item in node.items)
    for child in ast.iter_child_nodes(node):
        yield from heavy_loads(child, guarded)


def test_each_file_loads_mediapipe_under_the_lock_first():
    """A later import in the same file finds the package loaded and needs no lock."""
    for path in sorted(TOOLS.rglob("*.py")):
        loads = list(heavy_loads(ast.parse(path.read_text())))
        assert not loads or any(guarded for _, guarded in loads), f"{path}: {loads}"


def test_only_one_thread_imports_at_a_time():
    inside, entered = threading.Event(), threading.Event()

    def other() -> None:
        inside.wait(10)
        with importing():
            entered.set()

    thread = threading.Thread(target=other)
    thread.start()
    with importing(), importing():
        inside.set()
        assert not entered.wait(0.05)
    thread.join(10)
    assert entered.is_set()


@pytest.mark.parametrize(("before", "threads"), [("", 1), ("import cv2; cv2.setNumThreads(3)", 3)])
def test_opencv_keeps_to_its_callers_thread_unless_the_program_loaded_it(
    before: str, threads: int
) -> None:
    code = (
        f"{before}\nfrom emer.tools.runtime.native import importing\nwith importing(): import cv2\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"{code}print(cv2.getNumThreads())"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) == threads
