"""`emer models`: list, download and verify model weights."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table
from rich.text import Text

from emer.app.render.format import one_line, to_json
from emer.app.render.progress import print_result
from emer.graphs.settings import load_settings
from emer.tools.runtime.device import configure
from emer.tools.types import Record
from emer.tools.weights.catalogue import Weights, catalogue, named, of_tool
from emer.tools.weights.download import DownloadFailed, Verification, pull, verify
from emer.tools.weights.download import Progress as Report
from emer.tools.weights.locate import State, locate

STATES = {"here": "green", "elsewhere": "green", "unfinished": "yellow", "absent": "dim"}
OUTCOMES = {"whole": "green", "damaged": "red", "unknown": "yellow", "absent": "dim"}


class Row(Record):
    """One set of weights in the list."""

    name: str
    tool: str
    model: str
    size: str
    megabytes: int | None
    licence: str
    state: State
    path: Path
    address: str
    revision: str | None
    checksum: str
    facts: str
    pull: str


class Pulled(Record):
    """Result of one download."""

    name: str
    ok: bool
    path: Path | None = None
    detail: str


def run_list(settings: Path | None, *, json: bool) -> None:
    """Print every set of weights the tools can use, and where it is."""
    configure(load_settings(settings).machine)
    rows = [_row(weights) for weights in catalogue()]
    if json:
        print(to_json([row.model_dump(mode="json") for row in rows]))
    else:
        print_result(_table(rows))


def run_pull(
    names: Sequence[str], mirror: str | None, settings: Path | None, *, json: bool
) -> None:
    """Download weights and print each result; exit code 1 if one failed."""
    configure(load_settings(settings).machine)
    results: list[Pulled] = []
    with _bars() as bar:
        for weights in [_chosen(name) for name in names]:
            results.append(_pull(weights, mirror, bar(weights.name)))
            if not json:
                print_result(_pulled_line(results[-1]))
    if json:
        print(to_json([result.model_dump(mode="json") for result in results]))
    if not all(result.ok for result in results):
        raise typer.Exit(1)


def run_verify(names: Sequence[str], settings: Path | None, *, json: bool) -> None:
    """Verify checksums and print the results; exit code 1 if one is wrong.

    Without names, everything that is on this machine.
    """
    configure(load_settings(settings).machine)
    present = [weights for weights in catalogue() if locate(weights).state != "absent"]
    verdicts = [verify(weights) for weights in ([_chosen(n) for n in names] or present)]
    if json:
        print(to_json([verdict.model_dump(mode="json") for verdict in verdicts]))
    elif verdicts:
        print_result(Group(*(_verdict_line(verdict) for verdict in verdicts)))
    else:
        print_result(Text("There are no weights on this machine: emer models list"))
    bad = ("damaged", "absent") if names else ("damaged",)
    if any(verdict.outcome in bad for verdict in verdicts):
        raise typer.Exit(1)


def _chosen(name: str) -> Weights:
    """Return the weights of a name; a tool's name means those suggested for it."""
    suggested = [weights for weights in of_tool(name) if weights.suggested]
    return suggested[0] if suggested else named(name)


def _row(weights: Weights) -> Row:
    location = locate(weights)
    checksum = weights.sha256 or "; ".join(f"{n}: {s}" for n, s in weights.sha256s.items())
    return Row(
        name=weights.name,
        tool=weights.tool,
        model=weights.model,
        size=weights.size,
        megabytes=weights.megabytes,
        licence=weights.licence,
        state=location.state,
        path=location.path,
        address=weights.url or f"https://huggingface.co/{weights.repository}",
        revision=weights.revision,
        checksum=checksum or "none published",
        facts=weights.facts,
        pull=weights.pull,
    )


def _table(rows: Sequence[Row]) -> RenderableType:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), header_style="bold")
    for column in ("weights", "tool"):
        table.add_column(column, no_wrap=True)
    table.add_column("size", no_wrap=True, justify="right")
    table.add_column("licence", overflow="fold", max_width=15)
    table.add_column("state", no_wrap=True)
    table.add_column("where", overflow="fold", ratio=1)
    for row in rows:
        where = str(row.path) if row.state in ("here", "elsewhere") else _host(row)
        state = Text(row.state, style=STATES[row.state])
        table.add_row(row.name, row.tool, row.size, row.licence, state, Text(one_line(where)))
    hint = "Nothing is downloaded unless you say: emer models pull NAME (or a tool's name)"
    return Group(table, Text(hint, style="dim"))


def _host(row: Row) -> str:
    """Return the host of the address; `--json` has it all."""
    return row.address.partition("://")[2].partition("/")[0]


def _pull(weights: Weights, mirror: str | None, report: Report) -> Pulled:
    try:
        path, checked = pull(weights, report, mirror)
    except (DownloadFailed, OSError) as error:
        return Pulled(name=weights.name, ok=False, detail=one_line(str(error)))
    return Pulled(name=weights.name, ok=True, path=path, detail=f"checked: {checked}")


@contextmanager
def _bars() -> Iterator[Callable[[str], Report]]:
    """Yield a function that adds a progress bar on stderr, if that is a terminal."""
    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(),
               TransferSpeedColumn(), TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as p:

        def bar(name: str) -> Report:
            task = p.add_task(name, total=None)
            return lambda here, whole: p.update(task, completed=here, total=whole)

        yield bar


def _pulled_line(result: Pulled) -> Text:
    mark = ("✓ ", "green") if result.ok else ("✗ ", "red")
    where = f"  {one_line(str(result.path))}" if result.path else ""
    return Text.assemble(mark, (result.name, "bold"), where, f"  {one_line(result.detail)}")


def _verdict_line(verdict: Verification) -> Text:
    fix = f" ({verdict.fix})" if verdict.fix else ""
    line = f"{verdict.outcome:<8} {verdict.name}  {one_line(verdict.detail)}{fix}"
    return Text(line, style=OUTCOMES[verdict.outcome])
