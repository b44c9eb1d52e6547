"""`emer tools`: list the tools, check one against the contract, measure its speed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import entry_points
from importlib.resources import as_file
from inspect import signature
from pathlib import Path

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from emer.app.commands.ask import check_readable
from emer.app.demo_clip import CLIP
from emer.app.render.format import facts_table, list_table
from emer.app.render.progress import print_output
from emer.graphs.components import allow_local_imports, arguments_for, choose
from emer.graphs.settings import Settings, load_settings
from emer.tools.errors import ConfigError, ToolMissing
from emer.tools.registry import GROUP, load_tool, registered, tool_class
from emer.tools.runtime.device import configure
from emer.tools.runtime.native import hush
from emer.tools.testing.benchmark import Benchmark, Make, MakeBatched, Point, bench
from emer.tools.text import one_line
from emer.tools.tool import Heavy
from emer.tools.types import Clue, Record


class Entry(Record):
    name: str
    slots: tuple[str, ...]
    """Slots that use it in the settings."""
    modality: str | None = None
    description: str = ""
    ready: bool = True
    fix: str | None = None
    """The command that installs what is missing, or the error."""


def run_list(path: Path | None, *, json: bool) -> None:
    settings = choose(load_settings(path)).settings
    uses = {slot: choice.use for slot, choice in settings.active_tools.items()}
    allow_local_imports(settings)
    installed = sorted(point.name for point in entry_points(group=GROUP))
    entries = [
        _entry(name, tuple(slot for slot, use in uses.items() if use == name), settings)
        for name in dict.fromkeys([*uses.values(), *registered(), *installed])
    ]
    print_output(_table(entries), entries, json=json)


def _entry(name: str, slots: tuple[str, ...], settings: Settings) -> Entry:
    try:
        tool = load_tool(name, arguments_for(name, settings))
    except ToolMissing as error:
        return Entry(name=name, slots=slots, ready=False, fix=error.install)
    except Exception as error:  # the constructor of a plugin may raise anything
        return Entry(name=name, slots=slots, ready=False, fix=one_line(str(error)))
    return Entry(name=name, slots=slots, modality=tool.modality, description=tool.description)


def _table(entries: list[Entry]) -> RenderableType:
    table = list_table()
    for column in ("tool", "slot", "gives"):
        table.add_column(column, no_wrap=True)
    table.add_column("what it observes", overflow="fold", ratio=1)
    for entry in entries:
        description = Text(one_line(entry.description))
        if not entry.ready:
            description = Text(f"not ready: {entry.fix}", style="yellow")
        slots = Text(", ".join(entry.slots) or "-")
        table.add_row(Text(one_line(entry.name), "bold"), slots, entry.modality or "", description)
    hint = "Put a tool in a slot with: emer ask CLIP --tool SLOT=TOOL"
    return Group(table, Text(hint, style="dim"))


def run_check(spec: str, clip: str | None, path: Path | None, *, json: bool) -> None:
    """Print the conformance checks of a tool; exit code 1 if one fails.

    The tool is built with its arguments in the settings.
    """
    trial_clip = _trial_clip(clip)
    settings = load_settings(path)
    allow_local_imports(settings, spec)
    configure(settings.machine)
    with hush(settings.home / "logs" / "native.log"), trial_clip as trial:
        from emer.tools.media.clip import Clip
        from emer.tools.testing.conformance import check_tool

        arguments = arguments_for(spec, settings)
        findings = check_tool(
            load_tool(spec, arguments),
            Clip.open(trial),
            again=lambda: load_tool(spec, arguments),
            reader=_cues_of,
        )
    lines = []
    for finding in findings:
        mark = ("✓ ", "green") if finding.ok else ("✗ ", "red")
        mark = ("! ", "yellow") if finding.warning else mark
        why = f": {one_line(finding.why)}" if finding.why else ""
        lines.append(Text.assemble(mark, one_line(finding.check), (why, "yellow")))
        for each in finding.sentences:
            cues = Text(", ".join(each.cues) or "no cue", "dim")
            lines.append(Text.assemble("    ", one_line(each.text), "  ", cues))
    print_output(Group(*lines), findings, json=json)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def _cues_of(clue: Clue) -> list[str]:
    """Cues that the `rules` reasoner reads of a clue; of denied ones "not CUE"."""
    from emer.agents.lexicon.cue_parser import read

    (reading,) = read([clue])
    return [f"not {m.cue}" if m.negated else m.cue for m in reading.mentions]


def _trial_clip(clip: str | None) -> AbstractContextManager[Path]:
    """Path of the demo clip, or of the given one; `ClipError` if that is no file."""
    if clip is None:
        return as_file(CLIP)
    check_readable(clip)
    return nullcontext(Path(clip))


def run_bench(
    spec: str,
    clip: str | None,
    numbers: tuple[str, str],
    device: str | None,
    path: Path | None,
    *,
    json: bool,
) -> None:
    """Print the time per second of clip and per frame, the memory, and the curves.

    Args:
        spec: Name of the tool, or "package.module:Class".
        clip: Clip to use; None: the demo clip.
        numbers: Concurrent calls and batch sizes, each as "1,2,4".
        device: Device of models; None: as in the settings.
        path: Settings file.
        json: Whether to print JSON.

    """
    counts, sizes = _numbers("--at-once", numbers[0]), _numbers("--batches", numbers[1])
    trial_clip = _trial_clip(clip)
    settings = load_settings(path, device=device)
    allow_local_imports(settings, spec)
    configure(settings.machine)
    with hush(settings.home / "logs" / "native.log"), trial_clip as trial:
        make, batched = _makers(spec, settings)
        result = bench(make, trial, counts, batched=(batched, sizes) if batched else None)
    rates = {"per_clip_second": result.per_clip_second, "per_frame": result.per_frame}
    print_output(_page(result), {**result.model_dump(mode="json"), **rates}, json=json)


def _numbers(option: str, text: str) -> tuple[int, ...]:
    try:
        counts = tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        counts = ()
    if not counts or not all(1 <= count <= 256 for count in counts):
        raise ConfigError(f"{option} {text!r}: write numbers from 1 to 256, as 1,2,4,8")
    return counts


def _makers(spec: str, settings: Settings) -> tuple[Make, MakeBatched | None]:
    """Constructors of the tool: with the settings' arguments, and with a batch size.

    The second is None for a tool that does not work in batches.
    """
    arguments = arguments_for(spec, settings)
    takes = "batch" in signature(tool_class(spec)).parameters
    has_batch = takes and isinstance(load_tool(spec, arguments), Heavy)
    return (
        lambda: load_tool(spec, arguments),
        (lambda size: load_tool(spec, {**arguments, "batch": size})) if has_batch else None,
    )


def _page(result: Benchmark) -> RenderableType:
    output = f"nothing: {result.unobservable}" if result.unobservable else f"{result.clues} clues"
    gpu = "" if result.gpu_megabytes is None else f"{result.gpu_megabytes:.0f} MB"
    frame = "" if result.per_frame is None else f"{1000 * result.per_frame:.2f} ms per frame"
    hardware = ", ".join(f"{name} {value}" for name, value in result.hardware.items())
    table = facts_table(
        (
            ("tool", result.tool),
            ("runs on", hardware),
            ("clip", f"{result.clip_seconds:.1f} s, {result.frames} frames"),
            ("gave", output),
            ("first call", f"{result.first:.2f} s, loading included"),
            ("later call", f"{result.alone:.3f} s: {result.per_clip_second:.4f} s per clip-second"),
            ("", frame),
            ("memory", f"{result.megabytes:.0f} MB more than before"),
            ("of the GPU", gpu),
        )
    )
    counts = [point.at_once for point in result.curve]
    parts = [table, Text(), _curve("concurrent calls", result.curve, counts)]
    if result.batches:
        name = f"batch, {result.batches[0].at_once} concurrent calls"
        sizes = [point.batch for point in result.batches]
        parts += [Text(), _curve(name, result.batches, sizes)]
    return Group(*parts)


def _curve(name: str, points: Sequence[Point], counts: Sequence[int | None]) -> RenderableType:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for column in (name, "seconds", "s per clip-second", "gain"):
        table.add_column(column, justify="right", no_wrap=True)
    for point, count in zip(points, counts, strict=True):
        gain = points[0].per_clip_second / point.per_clip_second
        seconds = f"{point.seconds:.3f}", f"{point.per_clip_second:.4f}"
        table.add_row(str(count), *seconds, f"{gain:.2f} x")
    return table
