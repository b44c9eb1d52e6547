"""Exit codes, one line per error, for both commands.

Exit codes, and how each error is told: on one line of stderr, never as a traceback.

0 done · 1 something inside failed, or a check did not hold · 2 the request cannot be
carried out as written · 130 Ctrl-C.

Exit codes of `emer-eval`, and each error on one line of stderr.

0 done · 1 something inside failed, or a check did not hold · 2 the request cannot be
carried out as written · 130 Ctrl-C.
"""

from __future__ import annotations

import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from typer.core import TyperGroup

from emer.app.render.format import one_line
from emer.tools.errors import ConfigError, EmerError, ToolMissing
from emer.tools.phrasing import one_line
from emer.tools.runtime.native import hush, leave

PYDANTIC = "Value error, "
"""How pydantic, which reads the options, begins what a check of ours says."""

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


class Front(TyperGroup):
    """The `emer` command: its errors end in an exit code and one line."""

    def main(self, *args: Any, **named: Any) -> Any:
        """Run the command line and leave with its exit code."""
        named["standalone_mode"] = False
        code = guard(lambda: TyperGroup.main(self, *args, **named))
        if code == INTERRUPTED:
            leave(code)
        sys.exit(code)


def guard(work: Callable[[], object]) -> int:
    """Return the exit code of `work`; tell on stderr what it raised."""
    try:
        code = work()
    except (KeyboardInterrupt, typer.Abort):
        return _tell("interrupted", INTERRUPTED)
    except (ConfigError, ToolMissing) as error:
        return _tell(str(error), BAD_INPUT)
    except Exception as error:
        return _tell_other(error)
    if code == INTERRUPTED:  # what typer makes of Ctrl-C
        return _tell("interrupted", INTERRUPTED)
    return code if isinstance(code, int) else DONE


def _tell_other(error: Exception) -> int:
    usage = getattr(error, "format_message", None)  # click's own, whichever click typer brings
    if usage is not None:
        return _usage(error, usage())
    kind = "" if isinstance(error, EmerError) else f"{type(error).__name__}: "
    details = _keep_details(error)
    return _tell(f"internal failure: {kind}{error} (details: {details})", FAILED)


def _usage(error: Exception, message: str) -> int:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "emer"
    if not message or "NoArgs" in type(error).__name__:
        return BAD_INPUT  # the help was shown instead
    return _tell(f"{message.replace(PYDANTIC, '')} (see: {path} --help)", BAD_INPUT)


def _tell(message: str, code: int) -> int:
    print(f"emer: {one_line(message)}", file=sys.stderr)
    return code


def _keep_details(error: Exception) -> str:
    """Write the traceback to a file and return where it is."""
    text = "".join(traceback.format_exception(error))
    name = f"emer-failure-{datetime.now(UTC):%Y%m%d-%H%M%S}.txt"
    for folder in (_home, lambda: Path(tempfile.gettempdir())):
        try:
            path = folder() / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", errors="backslashreplace")
        except (OSError, EmerError):
            continue
        return str(path)
    return "nowhere: no folder could be written"


def _home() -> Path:
    from emer.graphs.settings import load_settings

    return load_settings().home / "failures"


FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130
Step = Callable[[str], None]


class EvalFront(TyperGroup):
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
        return _tell_eval("interrupted; what was finished is kept", INTERRUPTED)
    except (ConfigError, ToolMissing) as error:
        return _tell_eval(str(error), BAD_INPUT)
    except EmerError as error:
        return _tell_eval(str(error), FAILED)
    except Exception as error:
        usage = getattr(error, "format_message", None)  # click's own
        if usage is None:
            raise
        message = usage().replace("Value error, ", "")  # pydantic's beginning, which reads options
        return _tell_eval(message, BAD_INPUT) if message else BAD_INPUT
    if code == INTERRUPTED:  # what typer makes of Ctrl-C
        return _tell_eval("interrupted; what was finished is kept", INTERRUPTED)
    return code if isinstance(code, int) else 0


def _tell_eval(message: str, code: int) -> int:
    print(f"emer-eval: {one_line(message)}", file=sys.stderr)
    return code
