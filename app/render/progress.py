"""Live progress, stdout and stderr.

What is going on while a run works: one line per tool call, on a terminal only.

Where results and progress go: results to stdout, progress and complaints to stderr.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from emer.app.render.format import WIDE, one_line, seconds, span
from emer.graphs.trace.events import (
    Decided,
    Event,
    Header,
    ModelCalled,
    NothingObserved,
    Paused,
    RunStarted,
    ToolFailure,
    ToolFinished,
    ToolStarted,
)
from emer.tools.errors import ConfigError

Ended = ToolFinished | NothingObserved | ToolFailure


class Progress:
    """Listens to a run: remembers its header and question, and the state of each call."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.header: Header | None = None
        self.question = ""
        self.live: Live | None = None
        self._lines: dict[tuple[str, str, int, str], RenderableType] = {}
        self._last: RenderableType = Spinner("dots", "loading")

    def __call__(self, event: Event) -> None:
        """Take in an event and show it."""
        match event:
            case Header():
                self.header = event
            case RunStarted():
                self.question = event.question
            case ToolStarted():
                self._lines[_key(event)] = Spinner("dots", _title(event))
            case ToolFinished() | NothingObserved() | ToolFailure():
                line = end_line(event)
                line.no_wrap, line.overflow = True, "ellipsis"
                self._lines[_key(event)] = line
            case Decided(stop_reason=None):
                self._last = Spinner("dots", "looking closer")
            case ModelCalled():
                self._last = Spinner("dots", f"{one_line(event.call.model)} thinks")
            case Paused():
                self._last = Text("paused")
            case _:
                self._last = Spinner("dots", "explaining")
        if self.live is not None:
            self.live.update(self._picture())

    def _picture(self) -> RenderableType:
        return Group(*self._lines.values(), self._last)


@contextmanager
def following(stderr: TextIO) -> Iterator[Progress]:
    """Yield a listener whose calls are drawn on `stderr` if that is a terminal."""
    progress = Progress()
    console = Console(file=stderr, highlight=False, markup=False)
    if not console.is_terminal:
        yield progress
        return
    with Live(Spinner("dots", "loading"), console=console, transient=True) as live:
        progress.live = live
        yield progress


def end_line(event: Ended) -> Text:
    """Return a finished call on one line: a mark, the tool, what it gave, how long it took."""
    match event:
        case ToolFinished():
            mark, told = ("✓", "green"), _clues(len(event.clues))
        case NothingObserved():
            mark, told = ("·", "yellow"), f"nothing observed: {event.why}"
        case ToolFailure():
            fix = f" ({event.install})" if event.install else ""
            mark, told = ("✗", "red"), f"failed: {event.cause}{fix}"
    cached = not isinstance(event, ToolFailure) and event.cached
    took = "from the store" if cached else seconds(event.seconds)
    return Text.assemble(mark, " ", _title(event), "  ", one_line(told), "  ", (took, "dim"))


def _clues(count: int) -> str:
    return "1 clue" if count == 1 else f"{count} clues"


def _title(event: ToolStarted | Ended) -> Text:
    asked = f' "{event.question}"' if event.question else ""
    where = f"{span(event.span)}{one_line(asked)}"
    return Text.assemble((f"{event.slot:<{WIDE}} ", "bold"), f"{one_line(event.tool)}, {where}")


def _key(event: ToolStarted | Ended) -> tuple[str, str, int, str]:
    return event.slot, str(event.span), event.round, event.question or ""


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
