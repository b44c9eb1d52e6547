"""Exit codes of `emer` and `emer-eval`, one line on stderr per error, safe output.

0 success; 1 internal failure, or a check or goal that was missed; 2 a request that cannot
be carried out as written; 130 Ctrl-C.
"""

from __future__ import annotations

import codecs
import logging
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any, ClassVar, NoReturn

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from typer.core import TyperGroup

from emer.tools.errors import ConfigError, EmerError, ToolMissing
from emer.tools.runtime.native import leave
from emer.tools.runtime.private_files import private_folder, private_opener
from emer.tools.runtime.time_limit import WORKER
from emer.tools.text import one_line, printable

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
PYDANTIC = "Value error, "
"""Prefix of pydantic, which validates options, before a message."""


class _Notices(logging.Handler):
    """Prints each notice of `emer.graphs.trust` once, on one line of stderr."""

    def __init__(self, program: str) -> None:
        super().__init__()
        self._program, self._printed = program, set[str]()

    def emit(self, record: logging.LogRecord) -> None:
        line = one_line(record.getMessage())
        if line not in self._printed:
            self._printed.add(line)
            print(f"{self._program}: {line}", file=sys.stderr)


class Terminal(Console):
    """A console that prints no escape sequence and no invisible character of a text.

    Names, words and replies come from others; colours and cursor movements are rich's.
    """

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            text, style, control = segment
            yield segment if control else Segment(printable(text), style)


ESCAPES = "emer.escapes"
"""Name of the error handler of the output: escapes that are also valid in JSON."""


def _escapes(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    pairs = zip(units[::2], units[1::2], strict=True)
    return "".join(f"\\u{high << 8 | low:04x}" for high, low in pairs), error.end


codecs.register_error(ESCAPES, _escapes)


class CommandGroup(TyperGroup):
    """The `emer` command group: every error becomes an exit code and one line."""

    program: ClassVar[str] = "emer"
    interruption: ClassVar[str] = "interrupted"

    def main(self, *args: Any, **options: Any) -> Any:
        """Parse and run the command line, then exit with its code."""
        options["standalone_mode"] = False
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):  # any locale and PYTHONIOENCODING prints
                stream.reconfigure(errors=ESCAPES)
        notices, log = _Notices(self.program), logging.getLogger("emer.trust")
        log.addHandler(notices)
        try:
            code = self._exit_code(lambda: TyperGroup.main(self, *args, **options))
        finally:
            log.removeHandler(notices)
        sys.exit(code)

    def _exit_code(self, work: Callable[[], object]) -> int:
        try:
            code = work()
        except (KeyboardInterrupt, typer.Abort):
            return self._report(self.interruption, INTERRUPTED)
        except (ConfigError, ToolMissing) as error:
            return self._report(str(error), BAD_INPUT)
        except Exception as error:
            return self._report_other(error)
        if code == INTERRUPTED:  # typer turns Ctrl-C into this return value
            return self._report(self.interruption, INTERRUPTED)
        return code if isinstance(code, int) else DONE

    def _report_other(self, error: Exception) -> int:
        usage = getattr(error, "format_message", None)  # a click error, whichever click typer uses
        if usage is None:
            kind = "" if isinstance(error, EmerError) else f"{type(error).__name__}: "
            details = _write_traceback(error)
            return self._report(f"internal failure: {kind}{error} (details: {details})", FAILED)
        message = usage().replace(PYDANTIC, "")
        if not message or "NoArgs" in type(error).__name__:
            return BAD_INPUT  # typer has printed the help
        context = getattr(error, "ctx", None)
        path = context.command_path if context is not None else self.program
        return self._report(f"{message} (see: {path} --help)", BAD_INPUT)

    def _report(self, message: str, code: int) -> int:
        print(f"{self.program}: {one_line(message)}", file=sys.stderr)
        return code


class EvalCommandGroup(CommandGroup):
    program = "emer-eval"
    interruption = "interrupted; what was finished is kept"

    def _report_other(self, error: Exception) -> int:
        if isinstance(error, EmerError):
            return self._report(str(error), FAILED)
        return super()._report_other(error)


def _print_version(context: typer.Context, version: bool) -> None:
    if version:
        from importlib import metadata

        print(f"{context.command.name} {metadata.version('emer')}")
        raise typer.Exit


VersionOption = Annotated[
    bool,
    typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version."),
]


def command_line(group: type[CommandGroup], help: str, epilog: str) -> typer.Typer:
    """Command line of a program, with `-h` and `--version`; the group reports errors."""
    app = typer.Typer(
        cls=group,
        name=group.program,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
        pretty_exceptions_enable=False,
        help=help,
        epilog=epilog,
    )

    @app.callback()
    def _options(version: VersionOption = False) -> None:
        """Accept the options before a command."""

    return app


def run_command(app: typer.Typer) -> NoReturn:
    """Run a command line and exit the process with its code."""
    try:
        app()
    except SystemExit as end:
        # Native code of an abandoned tool call (`time_limit.start_daemon`) would abort the exit,
        # and after Ctrl-C it would outlast the promised second: torch alone takes longer.
        abandoned = any(thread.name == WORKER for thread in threading.enumerate())
        if abandoned or end.code == INTERRUPTED:
            leave(end.code if isinstance(end.code, int) else FAILED)
        raise
    sys.exit(DONE)


def _write_traceback(error: Exception) -> str:
    """Write the traceback to a file and return its path."""
    text = "".join(traceback.format_exception(error))
    name = f"emer-failure-{datetime.now(UTC):%Y%m%d-%H%M%S}.txt"
    for folder in (_failures, lambda: Path(tempfile.gettempdir())):
        try:
            path = folder() / name
            private_folder(path.parent)
            with open(
                path, "w", encoding="utf-8", errors="backslashreplace", opener=private_opener
            ) as file:
                file.write(text)
        except (OSError, EmerError):
            continue
        return str(path)
    return "nowhere: no folder could be written"


def _failures() -> Path:
    from emer.graphs.settings import load_settings

    return load_settings().home / "failures"
