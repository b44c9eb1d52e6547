"""`emer tools bench`: how fast a tool is, and what memory it takes."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import signature
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from emer.app.asking import check_readable, let_import_from_here
from emer.app.plain import one_line, to_json
from emer.app.terminal import hush, print_result
from emer.app.toolbox import some_clip
from emer.graphs.loading import arguments_for
from emer.graphs.settings import Settings, load_settings
from emer.tools import machine
from emer.tools.errors import ConfigError
from emer.tools.registry import load_tool, tool_class
from emer.tools.testing.benchmark import Bench, Make, MakeBatched, Point, bench
from emer.tools.tool import Heavy


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
    machine.use(chosen.machine)
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


def _page(found: Bench) -> RenderableType:
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
