"""Where results and progress go: results to stdout, progress and complaints to stderr."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import TextIO

from rich.console import Console, RenderableType

from emer.tools.errors import ConfigError

PIPE_WIDTH = 110
"""Columns when nobody says how wide the paper is."""


def print_result(shown: RenderableType) -> None:
    """Print a result on stdout; lines are not padded where it is no terminal."""
    console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
    if console.is_terminal:
        console.print(shown, soft_wrap=False, crop=False)
        return
    console.width = PIPE_WIDTH
    with console.capture() as captured:
        console.print(shown, crop=False)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()))


def draw(shown: RenderableType, file: Path, title: str) -> None:
    """Write what is shown as an SVG picture; `ConfigError` when the file cannot be written."""
    console = Console(
        file=StringIO(), record=True, width=PIPE_WIDTH, force_terminal=True, highlight=False
    )
    console.print(shown, markup=False)
    try:
        file.write_text(_offline(console.export_svg(title=title)), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from error


def _offline(svg: str) -> str:
    """Return the picture without the fonts that rich would have a browser fetch."""
    return re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)


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
