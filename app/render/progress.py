"""Live progress of a run on stderr, one line per tool call; results on stdout."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import TextIO

from rich.console import Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from emer.app.render.format import WIDE, seconds, span, to_json
from emer.graphs.cli_errors import Terminal
from emer.graphs.trace import events
from emer.tools.errors import ConfigError
from emer.tools.text import one_line

PIPE_WIDTH = 110
"""Columns where the output is no terminal."""
CallEnd = events.ToolFinished | events.NothingObserved | events.ToolFailure


class Progress:
    """Listener of a run: its header, its verdicts, and the state of each call."""

    def __init__(self) -> None:
        self.header: events.Header | None = None
        self.verified: list[events.Verified] = []
        self.live: Live | None = None
        self._lines: dict[tuple[str, str, int, str], RenderableType] = {}
        self._last: RenderableType = Spinner("dots", "loading")

    @property
    def calls(self) -> tuple[Text, ...]:
        """The calls that ended, one line each."""
        return tuple(line for line in self._lines.values() if isinstance(line, Text))

    def __call__(self, event: events.Event) -> None:
        match event:
            case events.Header():
                self.header = event
            case events.RunStarted():
                pass
            case events.ToolStarted() | events.ToolAdvanced():
                share = f"  {event.share:.0%}" if isinstance(event, events.ToolAdvanced) else ""
                self._lines[_key(event)] = Spinner("dots", Text.assemble(_title(event), share))
            case events.ToolFinished() | events.NothingObserved() | events.ToolFailure():
                line = end_line(event)
                line.no_wrap, line.overflow = True, "ellipsis"
                self._lines[_key(event)] = line
            case events.Decided(stop_reason=None):
                self._last = Spinner("dots", "looking closer")
            case events.ModelCalled():
                self._last = Spinner("dots", f"{one_line(event.call.model)} thinks")
            case events.Paused():
                self._last = Text("paused")
            case events.Verified():
                self.verified.append(event)
            case _:
                self._last = Spinner("dots", "explaining")
        if self.live is not None:
            self.live.update(Group(*self._lines.values(), self._last))


@contextmanager
def live_progress(stderr: TextIO) -> Iterator[Progress]:
    """Listener that draws on `stderr` if that is a terminal."""
    progress = Progress()
    console = Terminal(file=stderr, highlight=False, markup=False)
    if not console.is_terminal:
        yield progress
        return
    with Live(Spinner("dots", "loading"), console=console, transient=True) as live:
        progress.live = live
        yield progress


def end_line(event: CallEnd) -> Text:
    """A finished call on one line: mark, tool, result, time."""
    match event:
        case events.ToolFinished():
            count = len(event.clues)
            mark, result = ("✓", "green"), "1 clue" if count == 1 else f"{count} clues"
        case events.NothingObserved():
            mark, result = ("·", "yellow"), f"nothing observed: {event.why}"
        case events.ToolFailure():
            fix = f" ({event.install})" if event.install else ""
            mark, result = ("✗", "red"), f"failed: {event.cause}{fix}"
    cached = not isinstance(event, events.ToolFailure) and event.cached
    time = "from the store" if cached else seconds(event.seconds)
    return Text.assemble(mark, " ", _title(event), "  ", one_line(result), "  ", (time, "dim"))


def _title(event: events.ToolStarted | events.ToolAdvanced | CallEnd) -> Text:
    question = f' "{event.question}"' if event.question else ""
    call = f"{one_line(event.tool)}, {span(event.span)}{one_line(question)}"
    return Text.assemble((f"{event.slot:<{WIDE}} ", "bold"), call)


def _key(event: events.ToolStarted | events.ToolAdvanced | CallEnd) -> tuple[str, str, int, str]:
    return event.slot, str(event.span), event.round, event.question or ""


def print_output(page: RenderableType, record: object, *, json: bool) -> None:
    """Print the record as JSON, or the page."""
    if json:
        print(to_json(record))
    else:
        print_page(page)


def print_page(page: RenderableType) -> None:
    """Print a page on stdout; lines are not padded where it is no terminal."""
    console = Terminal(file=sys.stdout, highlight=False, markup=False, emoji=False)
    if console.is_terminal:
        console.print(page, soft_wrap=False, crop=False)
        return
    console.width = PIPE_WIDTH
    with console.capture() as captured:
        console.print(page, crop=False)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()))


def save_svg(page: RenderableType, file: Path, title: str) -> None:
    """Save a page as an SVG picture; `ConfigError` if the file cannot be written."""
    console = Terminal(
        file=StringIO(), record=True, width=PIPE_WIDTH, force_terminal=True, highlight=False
    )
    console.print(page, markup=False)
    picture = console.export_svg(title=title)
    # Without the fonts that a browser would fetch.
    picture = re.sub(r"@font-face \{.*?\}", "", picture, flags=re.DOTALL)
    try:
        file.write_text(picture, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from error
