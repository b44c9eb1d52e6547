"""Imports, stderr and exit of native libraries."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn, TextIO

from emer.tools.runtime.private_files import private_folder, private_opener

_IMPORT_LOCK = threading.RLock()


@contextmanager
def importing() -> Iterator[None]:
    """Guard of imports of heavy packages: one thread at a time.

    Two threads that import packages with circular imports (mediapipe, cv2) from different ends
    deadlock; Python breaks the deadlock with a partly initialised module. OpenCV, if loaded
    here, keeps to its caller's thread: its own threads would busy-wait for the next small
    picture on the core that another tool needs.
    """
    with _IMPORT_LOCK:
        loaded = "cv2" in sys.modules
        yield
        if not loaded and "cv2" in sys.modules:
            sys.modules["cv2"].setNumThreads(1)


@contextmanager
def hush(log: Path) -> Iterator[TextIO]:
    """Redirect the stderr of native libraries into `log`; yield the real stderr.

    Python's own stderr stays. The start-up messages of MediaPipe and TensorFlow Lite come from
    below Python, where no logger reaches them.
    """
    try:
        private_folder(log.parent)
        sink = private_opener(str(log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        real = os.dup(2)
    except OSError:
        yield sys.stderr
        return
    python, ours = sys.stderr, False
    with suppress(OSError, ValueError, AttributeError):
        ours = python.fileno() == 2
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


def leave(code: int) -> NoReturn:
    """Exit the process at once with this code, also while threads are at work.

    An interpreter that shuts down under native code aborts. What was finished is on disk by
    then; the work of other threads is lost.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    multiprocessing = sys.modules.get("multiprocessing")  # without it there is no child
    for child in multiprocessing.active_children() if multiprocessing else ():
        child.terminate()
    os._exit(code)
