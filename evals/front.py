"""Exit codes of `emer-eval`, and each error on one line of stderr.

0 done · 1 something inside failed, or a check did not hold · 2 the request cannot be
carried out as written · 130 Ctrl-C.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from typer.core import TyperGroup

from emer.tools.errors import ConfigError, EmerError, ToolMissing
from emer.tools.leaving import leave
from emer.tools.native import hush
from emer.tools.printable import one_line

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130
Step = Callable[[str], None]


class Front(TyperGroup):
    """The `emer-eval` command: its errors end in an exit code and one line."""

    def main(self, *args: Any, **named: Any) -> Any:
        """Run the command line and leave with its exit code."""
        named["standalone_mode"] = False
        code = _guarded(lambda: TyperGroup.main(self, *args, **named))
        if code == INTERRUPTED:
            leave(code)
        sys.exit(code)


def note(text: str) -> None:
    """Say something about the input on one line of stderr."""
    print(f"emer-eval: note: {one_line(text)}", file=sys.stderr)


@contextmanager
def progress(what: str, total: int, log: Path | None = None) -> Iterator[Step]:
    """Yield a function that moves a bar on by one and names what is done; terminals only.

    With `log`, what native libraries write to stderr meanwhile goes into that file.
    """
    with hush(log) if log is not None else nullcontext(sys.stderr) as stderr:
        yield from _bar(what, total, Console(file=stderr))


def _bar(what: str, total: int, console: Console) -> Iterator[Step]:
    last = TextColumn("{task.fields[last]}", style="dim", markup=False)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(),
               TimeRemainingColumn(), last)  # fmt: skip
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(one_line(what), total=total, last="")
        yield lambda done: bar.update(task, advance=1, last=one_line(done))


def _guarded(work: Callable[[], object]) -> int:
    try:
        code = work()
    except (KeyboardInterrupt, typer.Abort):
        return _tell("interrupted; what was finished is kept", INTERRUPTED)
    except (ConfigError, ToolMissing) as error:
        return _tell(str(error), BAD_INPUT)
    except EmerError as error:
        return _tell(str(error), FAILED)
    except Exception as error:
        usage = getattr(error, "format_message", None)  # click's own
        if usage is None:
            raise
        message = usage().replace("Value error, ", "")  # pydantic's beginning, which reads options
        return _tell(message, BAD_INPUT) if message else BAD_INPUT
    if code == INTERRUPTED:  # what typer makes of Ctrl-C
        return _tell("interrupted; what was finished is kept", INTERRUPTED)
    return code if isinstance(code, int) else 0


def _tell(message: str, code: int) -> int:
    print(f"emer-eval: {one_line(message)}", file=sys.stderr)
    return code
