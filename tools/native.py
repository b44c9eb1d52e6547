"""What native libraries write to stderr from below Python, where no logger reaches it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


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
