"""`emer models`: list, download, add and verify model weights."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer
from rich import progress
from rich.console import Group, RenderableType
from rich.text import Text

from emer.app.render.format import list_table, to_json
from emer.app.render.progress import print_output, print_page
from emer.graphs.cli_errors import Terminal
from emer.graphs.settings import load_settings
from emer.tools.runtime.device import configure
from emer.tools.text import one_line
from emer.tools.types import Record
from emer.tools.weights.addition import add
from emer.tools.weights.advice import INSTALL, lacks_package
from emer.tools.weights.catalogue import (
    RECOMMENDED,
    Weights,
    catalogue,
    named,
    of_tool,
    recommended,
)
from emer.tools.weights.download import Origin, pull, verify
from emer.tools.weights.locate import Location, locate
from emer.tools.weights.transfer import DownloadFailed
from emer.tools.weights.transfer import Progress as Report

STATES = {"here": "green", "elsewhere": "green", "unfinished": "yellow", "absent": "dim"}
OUTCOMES = {"whole": "green", "damaged": "red", "unknown": "yellow", "absent": "dim"}


class Pulled(Record):
    name: str
    ok: bool
    path: Path | None = None
    detail: str


def run_list(settings: Path | None, *, json: bool) -> None:
    configure(load_settings(settings).machine)
    located = [(weights, locate(weights)) for weights in catalogue()]
    print_output(_table(located), [_record(*each) for each in located], json=json)


def run_pull(
    names: Sequence[str],
    mirror: str | None,
    source: Origin,
    settings: Path | None,
    *,
    json: bool,
) -> None:
    """Download weights by name; exit code 1 if some cannot be had, 2 if none can."""
    configure(load_settings(settings).machine)
    chosen = {each.name: each for name in names for each in _chosen(name)}
    results: list[Pulled] = []
    with _bars() as bar:
        for weights in chosen.values():
            results.append(_pull(weights, mirror, source, bar(weights.name)))
            if not json:
                print_page(_pulled_line(results[-1]))
    if json:
        print(to_json(results))
    failed = [result for result in results if not result.ok]
    if failed:
        raise typer.Exit(2 if len(failed) == len(results) else 1)


def run_add(name: str, path: Path, settings: Path | None, *, link: bool, json: bool) -> None:
    """Put weights that the user has where their tool looks."""
    configure(load_settings(settings).machine)
    weights = named(name)
    place, checked = add(weights, path, link=link)
    result = Pulled(name=weights.name, ok=True, path=place, detail=f"checked: {checked}")
    print_output(_pulled_line(result), result, json=json)


def run_verify(names: Sequence[str], settings: Path | None, *, json: bool) -> None:
    configure(load_settings(settings).machine)
    present = [weights for weights in catalogue() if locate(weights).state != "absent"]
    chosen = [weights for name in names for weights in _chosen(name)]
    verdicts = [verify(weights) for weights in chosen or present]
    lines = []
    for verdict in verdicts:
        fix = f" ({verdict.fix})" if verdict.fix else ""
        line = f"{verdict.outcome:<8} {verdict.name}  {one_line(verdict.detail)}{fix}"
        lines.append(Text(line, style=OUTCOMES[verdict.outcome]))
    page = Group(*lines or [Text("There are no weights on this machine: emer models list")])
    print_output(page, verdicts, json=json)
    bad = ("damaged", "absent") if names else ("damaged",)
    if any(verdict.outcome in bad for verdict in verdicts):
        raise typer.Exit(1)


def _chosen(name: str) -> Sequence[Weights]:
    """Weights by name: of a group, of a tool (those suggested for it), or their own."""
    if name == RECOMMENDED:
        return recommended()
    return [weights for weights in of_tool(name) if weights.suggested] or [named(name)]


def _record(weights: Weights, location: Location) -> dict[str, object]:
    checksums = "; ".join(f"{name}: {sha256}" for name, sha256 in weights.sha256s.items())
    return {
        "name": weights.name,
        "tool": weights.tool,
        "model": weights.model,
        "size": weights.size,
        "megabytes": weights.megabytes,
        "licence": weights.licence,
        "state": location.state,
        "path": str(location.path),
        "address": weights.address,
        "revision": weights.revision,
        "checksum": weights.sha256 or checksums or "none published",
        "facts": weights.facts,
        "pull": weights.pull,
    }


def _table(located: Sequence[tuple[Weights, Location]]) -> RenderableType:
    table = list_table()
    for column in ("weights", "tool"):
        table.add_column(column, no_wrap=True)
    table.add_column("size", no_wrap=True, justify="right")
    table.add_column("licence", overflow="fold", max_width=15)
    table.add_column("state", no_wrap=True)
    table.add_column("where", overflow="fold", ratio=1)
    for weights, location in located:
        where = str(location.path)
        if location.state not in ("here", "elsewhere"):
            where = weights.address.rpartition("://")[2].partition("/")[0]
        state = Text(location.state, style=STATES[location.state])
        cells = (weights.name, weights.tool, weights.size, weights.licence)
        table.add_row(*cells, state, Text(one_line(where)))
    hint = f"Download with: emer models pull NAME (or {RECOMMENDED}, or the name of a tool)"
    return Group(table, Text(hint, style="dim"))


def _pull(weights: Weights, mirror: str | None, source: Origin, report: Report) -> Pulled:
    try:
        path, checked = pull(weights, report, mirror, source)
    except (DownloadFailed, OSError) as error:
        return Pulled(name=weights.name, ok=False, detail=one_line(str(error)))
    use = f"; to use it: {INSTALL}" if lacks_package(weights.tool) else ""
    return Pulled(name=weights.name, ok=True, path=path, detail=f"checked: {checked}{use}")


@contextmanager
def _bars() -> Iterator[Callable[[str], Report]]:
    """Function that adds a progress bar on stderr, if that is a terminal."""
    console = Terminal(file=sys.stderr)
    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
        progress.TimeRemainingColumn(),
    )
    shown = progress.Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    )
    with shown:

        def bar(name: str) -> Report:
            task = shown.add_task(name, total=None)
            return lambda here, whole: shown.update(task, completed=here, total=whole)

        yield bar


def _pulled_line(result: Pulled) -> Text:
    mark = ("✓ ", "green") if result.ok else ("✗ ", "red")
    where = f"  {one_line(str(result.path))}" if result.path else ""
    return Text.assemble(mark, (result.name, "bold"), where, f"  {one_line(result.detail)}")
