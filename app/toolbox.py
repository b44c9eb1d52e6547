"""`emer tools`: which tools there are, and whether one keeps the contract."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from importlib.resources import as_file
from pathlib import Path

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from emer.app.asking import check_readable, let_import_from_here
from emer.app.demo_clip import CLIP
from emer.app.plain import one_line, to_json
from emer.app.terminal import hush, print_result
from emer.graphs.choosing import choose
from emer.graphs.loading import arguments_for
from emer.graphs.settings import Settings, load_settings
from emer.tools import machine
from emer.tools.errors import ToolMissing
from emer.tools.types import Record


class Entry(Record):
    """A tool in the list: what it is, and what it lacks if it cannot be had."""

    name: str
    slots: tuple[str, ...]
    """Where the settings use it."""
    modality: str | None = None
    description: str = ""
    ready: bool = True
    fix: str | None = None
    """The line that installs what is missing, or what is wrong."""


def run_list(settings: Path | None, *, json: bool) -> None:
    """Print every tool: built in, installed by plugins, or named in the settings."""
    found = list_tools(settings)
    if json:
        print(to_json([entry.model_dump(mode="json") for entry in found]))
    else:
        print_result(_table(found))


def list_tools(settings: Path | None) -> list[Entry]:
    """Return the tools, those in use first."""
    from emer.tools.tool import BUILT_IN, GROUP

    told = choose(load_settings(settings)).settings
    chosen = told.chosen
    uses = {slot: choice.use for slot, choice in chosen.items()}
    let_import_from_here(uses.values())
    installed = sorted(point.name for point in entry_points(group=GROUP))
    names = dict.fromkeys([*uses.values(), *BUILT_IN, *installed])
    return [
        _entry(name, [slot for slot, use in uses.items() if use == name], told) for name in names
    ]


def _entry(name: str, slots: list[str], settings: Settings) -> Entry:
    from emer.tools.tool import load_tool

    try:
        tool = load_tool(name, arguments_for(name, settings))
    except ToolMissing as error:
        return Entry(name=name, slots=tuple(slots), ready=False, fix=error.install)
    except Exception as error:  # a stranger's constructor may raise anything
        return Entry(name=name, slots=tuple(slots), ready=False, fix=one_line(str(error)))
    return Entry(
        name=name, slots=tuple(slots), modality=tool.modality, description=tool.description
    )


def _table(found: list[Entry]) -> RenderableType:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), header_style="bold")
    for column in ("tool", "slot", "gives"):
        table.add_column(column, no_wrap=True)
    table.add_column("what it observes", overflow="fold", ratio=1)
    for entry in found:
        told = Text(one_line(entry.description))
        if not entry.ready:
            told = Text(f"not ready: {entry.fix}", style="yellow")
        slots = Text(", ".join(entry.slots) or "-")
        table.add_row(Text(one_line(entry.name), "bold"), slots, entry.modality or "", told)
    swap = "Put a tool in a slot with: emer ask CLIP --tool SLOT=TOOL"
    return Group(table, Text(swap, style="dim"))


def run_check(spec: str, clip: str | None, settings: Path | None, *, json: bool) -> None:
    """Print how the tool fares in the conformance suite; exit code 1 if it breaks the contract.

    It is made with what the settings say to it.
    """
    let_import_from_here([spec])
    if clip is not None:
        check_readable(clip)
    chosen = load_settings(settings)
    machine.use(chosen.machine)
    with hush(chosen.home / "logs" / "native.log"), some_clip(clip) as path:
        from emer.tools.clip import Clip
        from emer.tools.conformance import check_tool
        from emer.tools.tool import load_tool

        arguments = arguments_for(spec, chosen)
        findings = check_tool(
            load_tool(spec, arguments),
            Clip.open(path),
            again=lambda: load_tool(spec, arguments),
        )
    if json:
        print(to_json([finding.model_dump(mode="json") for finding in findings]))
    else:
        lines = [_line(finding.check, finding.ok, finding.why) for finding in findings]
        print_result(Group(*lines))
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@contextmanager
def some_clip(clip: str | None) -> Iterator[Path]:
    """Yield the given clip, or the demo's."""
    if clip is not None:
        yield Path(clip)
        return
    with as_file(CLIP) as path:
        yield path


def _line(check: str, ok: bool, why: str) -> Text:
    mark = ("✓ ", "green") if ok else ("✗ ", "red")
    rest = f": {one_line(why)}" if why else ""
    return Text.assemble(mark, one_line(check), (rest, "yellow"))
