"""`emer doctor`: whether this installation can do what its profile promises.

Nothing is guessed: packages are imported, tools are built and look at a second of a face and a
tone, what is behind an address is asked whether it is there, a file is written.
"""

from __future__ import annotations

import platform
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from importlib.metadata import PackageNotFoundError, files, requires, version
from importlib.resources import as_file
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from emer.app.demo_clip import CLIP
from emer.app.render.answer import unbroken
from emer.app.render.format import one_line, to_json
from emer.app.render.progress import print_result
from emer.graphs.loading import choose, let_import_from_here
from emer.graphs.settings import Choice, Settings, load_settings
from emer.tools.errors import ConfigError, EmerError, ToolMissing, Unobservable
from emer.tools.runtime.native import hush
from emer.tools.testing.clips import tone, write_trial
from emer.tools.types import Record, Span

if TYPE_CHECKING:
    from emer.tools.runtime.device import Device
    from emer.tools.tool import Heavy, Tool

LITTLE = 200
"""Megabytes of free disk under which the doctor speaks up: room for a few thousand runs."""


class Check(Record):
    """One thing that was looked at; `fix` is what mends it."""

    area: str
    name: str
    ok: bool
    detail: str = ""
    fix: str = ""


def run_doctor(path: Path | None, profile: str | None, device: str | None, *, json: bool) -> None:
    """Print what was checked; exit code 1 if something that is needed does not work."""
    settings = load_settings(path, profile=profile, device=device)
    with hush(settings.home / "logs" / "native.log"):
        checks = examine(settings)
    ready = all(check.ok for check in checks)
    if json:
        listed = [check.model_dump(mode="json") for check in checks]
        print(to_json({"profile": settings.profile, "ready": ready, "checks": listed}))
    else:
        print_result(_page(checks, settings.profile))
    if not ready:
        raise typer.Exit(1)


def examine(settings: Settings) -> list[Check]:
    """Return everything that was checked for these settings."""
    let_import_from_here(
        choice.use for choice in (*settings.chosen.values(), settings.memory.embedder)
    )
    ready = choose(settings)
    checks = [_python(), *(_package(name) for name in needed())]
    checks += [_device(settings), *_choices(ready.why), *_tools(ready.settings)]
    thinking = [_reasoner(settings.reasoner), *_memory(settings)]
    return [*checks, *thinking, _store(settings.home), _disk(settings.home)]


def needed() -> list[str]:
    """Return the packages that `pip install emer` brings, extras left out."""
    lines = [line for line in requires("emer") or [] if "extra ==" not in line]
    names = (re.match(r"[\w.-]+", line) for line in lines)
    return sorted(name[0] for name in names if name)


def _python() -> Check:
    from importlib.metadata import metadata

    asked = metadata("emer")["Requires-Python"]
    return Check(area="python", name=platform.python_version(), ok=True, detail=f"needs {asked}")


def _package(name: str) -> Check:
    fix = f"pip install {name}"
    try:
        found = version(name)
        import_module(_module(name))
    except PackageNotFoundError:
        return Check(area="package", name=name, ok=False, detail="not installed", fix=fix)
    except Exception as error:  # a broken binary can raise anything
        fix = f"pip install --force-reinstall {name}"
        return Check(area="package", name=name, ok=False, detail=_cause(error), fix=fix)
    return Check(area="package", name=name, ok=True, detail=found)


def _module(name: str) -> str:
    """Return a module that the package brings: its shallowest one."""
    brought = files(name) or []
    packages = [path.parent for path in brought if path.name == "__init__.py"]
    single = [
        path.with_suffix("") for path in brought if path.suffix == ".py" and len(path.parts) == 1
    ]
    public = [path for path in packages if not path.parts[0].startswith("_")] or single
    return ".".join(min(public, key=lambda path: (len(path.parts), path.as_posix())).parts)


def _device(settings: Settings) -> Check:
    """Return where models would run; that is asked of torch, if it is installed."""
    from emer.tools.runtime.device import available_devices, choose_device

    try:
        name = choose_device()
    except ConfigError as error:
        return Check(area="device", name=settings.device, ok=False, detail=str(error))
    there = "; ".join(_described(device) for device in available_devices())
    return Check(area="device", name=name, ok=True, detail=there)


def _described(device: Device) -> str:
    memory = "" if device.memory is None else f", {device.memory:.0f} GB"
    return f"{device.name} ({device.what}{memory})"


def _choices(why: dict[str, str]) -> Iterator[Check]:
    """Yield, for each slot that was left to us, what was taken and why."""
    for slot, reason in why.items():
        yield Check(area="choice", name=slot, ok=True, detail=reason)


def _tools(settings: Settings) -> Iterator[Check]:
    with tempfile.TemporaryDirectory(prefix="emer-") as folder:
        clip = trial_clip(Path(folder) / "second.mp4")
        for slot, choice in settings.chosen.items():
            yield _tool(slot, choice, clip)


def trial_clip(path: Path) -> Path:
    """Write a second of the demo's first picture and a tone: a face, so that all models run."""
    from emer.tools.media.clip import Clip

    try:
        with as_file(CLIP) as demo:
            picture = next(Clip.open(demo).frames(span=Span(start=0, end=0))).rgb()
    except Exception:  # a broken package can raise anything, and is told with the packages
        return write_trial(path, sound=tone())
    return write_trial(path, picture=picture, sound=tone())


def _tool(slot: str, choice: Choice, path: Path) -> Check:
    """Build the tool, and have it look at a second of a clip; see `_tried`."""
    from emer.graphs.loading import load_slot

    name = f"{slot} = {choice.use}"
    try:
        tool = load_slot(slot, choice)
        runs = _tried(tool, path)
    except ToolMissing as error:
        fix = error.install
        return Check(area="tool", name=name, ok=False, detail=f"needs {error.what}", fix=fix)
    except Exception as error:
        return Check(area="tool", name=name, ok=False, detail=_cause(error))
    source = tool.source
    model = f", {source.model}" if runs else ""
    detail = f"{source.tool} {source.version}{model}{runs}"
    return Check(area="tool", name=name, ok=True, detail=detail)


def _tried(tool: Tool, path: Path) -> str:
    """Have the tool work as in a run, and return how; one behind an address is only asked."""
    from emer.tools.media.clip import Clip
    from emer.tools.tool import Heavy, Remote

    if isinstance(tool, Remote):
        return f" ({tool.reach()})"
    try:
        if isinstance(tool, Heavy):
            tool.load()
        with suppress(Unobservable):
            tool.observe(Clip.open(path))
        return _runs(tool) if isinstance(tool, Heavy) else ""
    finally:
        if isinstance(tool, Heavy):
            tool.unload()


def _runs(tool: Heavy) -> str:
    facts = ", ".join(f"{name} {value}" for name, value in tool.hardware.items())
    return f" ({facts})"


def _reasoner(choice: Choice) -> Check:
    from emer.graphs.loading import load_reasoner

    try:
        load_reasoner(choice)
    except ToolMissing as error:
        return Check(
            area="reasoner", name=choice.use, ok=False, detail=error.what, fix=error.install
        )
    except Exception as error:
        return Check(area="reasoner", name=choice.use, ok=False, detail=_cause(error))
    return Check(area="reasoner", name=choice.use, ok=True)


def _memory(settings: Settings) -> Iterator[Check]:
    """Look something up, where a language model would."""
    from emer.agents.memory.passages import of_text
    from emer.graphs.loading import load_memory

    use = settings.memory.embedder.use
    if settings.reasoner.use != "llm" or not settings.memory.on:
        return
    try:
        memory = load_memory(settings)
        memory.nearest(of_text("The person smiles."))
    except ToolMissing as error:
        yield Check(area="memory", name=use, ok=False, detail=error.what, fix=error.install)
    except Exception as error:
        yield Check(area="memory", name=use, ok=False, detail=_cause(error))
    else:
        yield Check(area="memory", name=use, ok=True, detail=f"{len(memory.items)} remembered")


def _store(home: Path) -> Check:
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home) as file:
            file.write(b"emer")
    except OSError as error:
        fix = "set EMER_HOME to a folder that can be written"
        detail = f"cannot be written: {error.strerror}"
        return Check(area="store", name=str(home), ok=False, detail=detail, fix=fix)
    return Check(area="store", name=str(home), ok=True, detail="can be written")


def _disk(home: Path) -> Check:
    there = next((p for p in (home, *home.parents) if p.exists()), Path("/"))
    free = shutil.disk_usage(there).free // 10**6
    enough = free >= LITTLE
    fix = "" if enough else f"free some space, or set EMER_HOME to another disk (< {LITTLE} MB)"
    return Check(area="disk", name="free space", ok=enough, detail=f"{free} MB", fix=fix)


def _cause(error: Exception) -> str:
    kind = "" if isinstance(error, EmerError) else f"{type(error).__name__}: "
    return one_line(f"{kind}{error}")[:300]


def _page(checks: list[Check], profile: str) -> RenderableType:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for style in ("", "dim", "", ""):
        table.add_column(style=style, overflow="fold")
    for check in checks:
        mark = Text("✓", "green") if check.ok else Text("✗", "red")
        table.add_row(mark, check.area, Text(one_line(check.name)), Text(one_line(check.detail)))
    wrong = [check for check in checks if not check.ok]
    if not wrong:
        return Group(table, Text(), Text(f"The profile {profile!r} is ready.", "bold green"))
    verdict = Text(f"The profile {profile!r} is not ready: {len(wrong)} to mend.", "bold red")
    fixes = dict.fromkeys(check.fix for check in wrong if check.fix)
    return Group(table, Text(), verdict, *(unbroken(f"  {one_line(fix)}") for fix in fixes))
