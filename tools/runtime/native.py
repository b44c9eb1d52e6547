"""Imports, stderr and exit of native libraries.

Importing a heavy package from a tool's thread, one at a time in the whole process.

Tools load their packages at the first look, and several look at once. Two threads that
begin to import packages with circular imports (mediapipe, cv2) from different ends
deadlock; Python notices and hands one of them a half-made module. So tools write

    with importing():
        import mediapipe as mp

What native libraries write to stderr from below Python, where no logger reaches it.

Ending the process on Ctrl-C although runs are under way in threads, which Python cannot end.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn, TextIO

_LOCK = threading.RLock()


@contextmanager
def importing() -> Iterator[None]:
    """Keep other tools' imports out while the block runs.

    OpenCV, when it is loaded here, is told to keep to its caller's thread: its own would
    wait for the next small picture in a busy loop, on the core that another tool needs.
    """
    with _LOCK:
        loaded = "cv2" in sys.modules
        yield
        if not loaded and "cv2" in sys.modules:
            sys.modules["cv2"].setNumThreads(1)


@contextmanager
def hush(log: Path) -> Iterator[TextIO]:
    """Send what native libraries write to stderr into `log`; yield the real stderr.

    Python's own stderr stays. MediaPipe's and TensorFlow Lite's start-up notes come from
    below Python, where no logger reaches them.
    """
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        real = os.dup(2)
    except OSError:
        yield sys.stderr
        return
    python = sys.stderr
    ours = _is_stderr(python)
    with os.fdopen(real, "w", buffering=1, errors="backslashreplace") as terminal:
        os.dup2(sink, 2)
        os.close(sink)
        sys.stderr = terminal if ours else python
        try:
            yield sys.stderr
        finally:
            sys.stderr = python
            terminal.flush()
            os.dup2(terminal.fileno(), 2)


def _is_stderr(stream: TextIO) -> bool:
    try:
        return stream.fileno() == 2
    except (OSError, ValueError, AttributeError):
        return False


def leave(code: int) -> NoReturn:
    """End the process with this exit code.

    Where other threads are at work it ends at once: an interpreter that takes itself apart under
    native code aborts. What was finished is on disk by then; what they would still do is let go.
    """
    if threading.active_count() == 1:
        sys.exit(code)
    sys.stdout.flush()
    sys.stderr.flush()
    for child in multiprocessing.active_children():
        child.terminate()
    os._exit(code)
