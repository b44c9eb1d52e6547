"""Emer tools.

`emer tools`: which tools there are, and whether one keeps the contract.

`emer tools bench`: how fast a tool is, and what memory it takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import entry_points
from importlib.resources import as_file
from inspect import signature
from pathlib import Path

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from emer.app.commands.ask import check_readable
from emer.app.demo_clip import CLIP
from emer.app.render.format import one_line, to_json
from emer.app.render.progress import print_result
from emer.graphs.loading import arguments_for, choose, let_import_from_here
from emer.graphs.settings import Settings, load_settings
from emer.tools.errors import ConfigError, ToolMissing
from emer.tools.registry import load_tool, tool_class
from emer.tools.runtime.device import configure
from emer.tools.runtime.native import hush
from emer.tools.testing.benchmark import Benchmark, Make, MakeBatched, Point, bench
from emer.tools.tool import Heavy
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
    from emer.tools.registry import GROUP, registered

    told = choose(load_settings(settings)).settings
    chosen = told.chosen
    uses = {slot: choice.use for slot, choice in chosen.items()}
    let_import_from_here(uses.values())
    installed = sorted(point.name for point in entry_points(group=GROUP))
    names = dict.fromkeys([*uses.values(), *registered(), *installed])
    return [
        _entry(name, [slot for slot, use in uses.items() if use == name], told) for name in names
    ]


def _entry(name: str, slots: list[str], settings: Settings) -> Entry:
    from emer.tools.registry import load_tool

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
    configure(chosen.machine)
    with hush(chosen.home / "logs" / "native.log"), some_clip(clip) as path:
        from emer.tools.media.clip import Clip
        from emer.tools.registry import load_tool
        from emer.tools.testing.conformance import check_tool

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


def run_bench(
    spec: str,
    clip: str | None,
    counted: tuple[str, str],
    device: str | None,
    settings: Path | None,
    *,
    json: bool,
) -> None:
    """Print seconds per second of clip and per frame, memory, and the curves.

    `counted` is what was written for looks at once and for sizes of the batch.
    """
    let_import_from_here([spec])
    counts, sizes = read_counts("--at-once", counted[0]), read_counts("--batches", counted[1])
    if clip is not None:
        check_readable(clip)
    chosen = load_settings(settings, device=device)
    configure(chosen.machine)
    with hush(chosen.home / "logs" / "native.log"), some_clip(clip) as path:
        make, batched = _makers(spec, chosen)
        found = bench(make, path, counts, batched=(batched, sizes) if batched else None)
    if json:
        more = {"per_clip_second": found.per_clip_second, "per_frame": found.per_frame}
        print(to_json({**found.model_dump(mode="json"), **more}))
    else:
        print_result(_page(found))


def read_counts(option: str, text: str) -> tuple[int, ...]:
    """Return the numbers of "1,2,4"; `ConfigError` for anything else."""
    try:
        counts = tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        counts = ()
    if not counts or not all(1 <= count <= 256 for count in counts):
        raise ConfigError(f"{option} {text!r}: write numbers from 1 to 256, as 1,2,4,8")
    return counts


def _makers(spec: str, settings: Settings) -> tuple[Make, MakeBatched | None]:
    """Return what makes the tool with the settings' arguments, and with a batch besides.

    The second is None for a tool that works in no batches.
    """
    arguments = arguments_for(spec, settings)
    takes = "batch" in signature(tool_class(spec)).parameters
    has_batch = takes and isinstance(load_tool(spec, arguments), Heavy)
    return (
        lambda: load_tool(spec, arguments),
        (lambda size: load_tool(spec, {**arguments, "batch": size})) if has_batch else None,
    )


def _page(found: Benchmark) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    gave = f"nothing: {found.unobservable}" if found.unobservable else f"{found.clues} clues"
    gpu = "" if found.gpu_megabytes is None else f"{found.gpu_megabytes:.0f} MB"
    frame = "" if found.per_frame is None else f"{1000 * found.per_frame:.2f} ms per frame"
    for name, value in (
        ("tool", found.tool),
        ("runs on", ", ".join(f"{name} {value}" for name, value in found.hardware.items())),
        ("clip", f"{found.clip_seconds:.1f} s, {found.frames} frames"),
        ("gave", one_line(gave)),
        ("first look", f"{found.first:.2f} s, loading included"),
        ("later look", f"{found.alone:.3f} s: {found.per_clip_second:.4f} s per clip-second"),
        ("", frame),
        ("memory", f"{found.megabytes:.0f} MB more than before"),
        ("of the GPU", gpu),
    ):
        if value:
            table.add_row(name, value)
    looks = _curve("looks at once", found.curve, [point.at_once for point in found.curve])
    if not found.batches:
        return Group(table, Text(), looks)
    name = f"batch, {found.batches[0].at_once} looks at once"
    batches = _curve(name, found.batches, [point.batch for point in found.batches])
    return Group(table, Text(), looks, Text(), batches)


def _curve(name: str, points: Sequence[Point], counts: Sequence[int | None]) -> RenderableType:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for column in (name, "seconds", "s per clip-second", "gain"):
        table.add_column(column, justify="right", no_wrap=True)
    for point, count in zip(points, counts, strict=True):
        gain = points[0].per_clip_second / point.per_clip_second
        table.add_row(
            str(count),
            f"{point.seconds:.3f}",
            f"{point.per_clip_second:.4f}",
            f"{gain:.2f} x",
        )
    return table
