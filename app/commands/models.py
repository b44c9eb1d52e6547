"""`emer models`: the weights of the tools: listed, got when asked, checked."""

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
from emer.tools.runtime import device
from emer.tools.types import Record
from emer.tools.weights.catalogue import Weights, catalogue, named, of_tool
from emer.tools.weights.download import FetchFailed, Verdict, pull, verify
from emer.tools.weights.locate import State, look

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
    """What became of one set of weights that was asked for."""

    name: str
    ok: bool
    path: Path | None = None
    detail: str


def run_list(settings: Path | None, *, json: bool) -> None:
    """Print every set of weights the tools can use, and where it lies."""
    device.use(load_settings(settings).machine)
    rows = [_row(weights) for weights in catalogue()]
    if json:
        print(to_json([row.model_dump(mode="json") for row in rows]))
    else:
        print_result(_table(rows))


def run_pull(
    names: Sequence[str], mirror: str | None, settings: Path | None, *, json: bool
) -> None:
    """Get weights and print what became of each; exit code 1 if one could not be had."""
    device.use(load_settings(settings).machine)
    wanted = [_meant(name) for name in names]
    done: list[Pulled] = []
    with _bars() as follow:
        for weights in wanted:
            done.append(_pull(weights, mirror, follow))
            if not json:
                print_result(_line(done[-1]))
    if json:
        print(to_json([each.model_dump(mode="json") for each in done]))
    if not all(each.ok for each in done):
        raise typer.Exit(1)


def run_verify(names: Sequence[str], settings: Path | None, *, json: bool) -> None:
    """Read weights byte by byte and print what holds; exit code 1 if something does not.

    Without names, everything that is on this machine.
    """
    device.use(load_settings(settings).machine)
    verdicts = [verify(_meant(name)) for name in names]
    if not names:
        found = [weights for weights in catalogue() if look(weights).state != "absent"]
        verdicts = [verify(weights) for weights in found]
    if json:
        print(to_json([verdict.model_dump(mode="json") for verdict in verdicts]))
    elif verdicts:
        print_result(Group(*(_verdict(verdict) for verdict in verdicts)))
    else:
        print_result(Text("There are no weights on this machine: emer models list"))
    bad = ("damaged", "absent") if names else ("damaged",)
    if any(verdict.outcome in bad for verdict in verdicts):
        raise typer.Exit(1)


def _meant(name: str) -> Weights:
    """Return the weights of a name; a tool's name means those it suggests."""
    suggested = [weights for weights in of_tool(name) if weights.suggested]
    return suggested[0] if suggested else named(name)


def _row(weights: Weights) -> Row:
    lying = look(weights)
    checksum = weights.sha256 or "; ".join(f"{n}: {s}" for n, s in weights.sha256s.items())
    return Row(
        name=weights.name,
        tool=weights.tool,
        model=weights.model,
        size=weights.size,
        megabytes=weights.megabytes,
        licence=weights.licence,
        state=lying.state,
        path=lying.path,
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
    """Return who has it; `--json` has the whole address."""
    return row.address.partition("://")[2].partition("/")[0]


def _pull(weights: Weights, mirror: str | None, follow: Callable[[str], Told]) -> Pulled:
    try:
        path, checked = pull(weights, follow(weights.name), mirror)
    except (FetchFailed, OSError) as error:
        cause = one_line(str(error))
        return Pulled(name=weights.name, ok=False, detail=cause)
    return Pulled(name=weights.name, ok=True, path=path, detail=f"checked: {checked}")


Told = Callable[[int, "int | None"], None]


@contextmanager
def _bars() -> Iterator[Callable[[str], Told]]:
    """Yield what makes a progress bar on stderr, or nothing where that is no terminal."""
    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(),
               TransferSpeedColumn(), TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as p:

        def follow(name: str) -> Told:
            task = p.add_task(name, total=None)
            return lambda here, whole: p.update(task, completed=here, total=whole)

        yield follow


def _line(done: Pulled) -> Text:
    mark = ("✓ ", "green") if done.ok else ("✗ ", "red")
    where = f"  {one_line(str(done.path))}" if done.path else ""
    return Text.assemble(mark, (done.name, "bold"), where, f"  {one_line(done.detail)}")


def _verdict(found: Verdict) -> Text:
    style = OUTCOMES[found.outcome]
    fix = f" ({found.fix})" if found.fix else ""
    told = f"{found.outcome:<8} {found.name}  {one_line(found.detail)}{fix}"
    return Text(told, style=style)
