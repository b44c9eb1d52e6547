"""Importing a heavy package from a tool's thread, one at a time in the whole process.

Tools load their packages at the first look, and several look at once. Two threads that
begin to import packages with circular imports (mediapipe, cv2) from different ends
deadlock; Python notices and hands one of them a half-made module. So tools write

    with importing():
        import mediapipe as mp
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LOCK = threading.RLock()


@contextmanager
def importing() -> Iterator[None]:
    """Keep other tools' imports out while the block runs."""
    with _LOCK:
        yield
