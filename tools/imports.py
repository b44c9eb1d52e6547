"""Importing a heavy package from a tool's thread, one at a time in the whole process.

Tools load their packages at the first look, and several look at once. Two threads that
begin to import packages with circular imports (mediapipe, cv2) from different ends
deadlock; Python notices and hands one of them a half-made module. So tools write

    with importing():
        import mediapipe as mp
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

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
