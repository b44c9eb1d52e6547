"""Where results and progress go: results to stdout, progress and complaints to stderr."""

from __future__ import annotations

import re
import sys
from io import StringIO
from pathlib import Path

from rich.console import Console, RenderableType

from emer.tools.errors import ConfigError
from emer.tools.native import hush

__all__ = ["draw", "hush", "print_result"]

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
