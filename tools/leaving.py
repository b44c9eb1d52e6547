"""Ending the process on Ctrl-C although runs are under way in threads, which Python cannot end."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from typing import NoReturn


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
