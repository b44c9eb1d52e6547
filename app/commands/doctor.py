"""`emer doctor`: check the installation for a profile.

Packages are imported, tools observe a clip of one second (a face and a tone), servers are
contacted, a file is written, and what is stored of earlier runs is counted.
"""

from __future__ import annotations

import platform
import re
import shlex
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import datetime
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, files, metadata, requires, version
from importlib.resources import as_file
from pathlib import Path

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from emer.app.demo_clip import CLIP
from emer.app.render.format import size, unwrapped
from emer.app.render.progress import print_output
from emer.graphs import components
from emer.graphs.settings import Choice, Settings, load_settings
from emer.tools.errors import ConfigError, EmerError, ToolMissing, Unobservable
from emer.tools.runtime.native import hush
from emer.tools.runtime.private_files import DATABASE_ENDS, open_to_others, private_folder
from emer.tools.testing.clips import tone, write_trial
from emer.tools.text import one_line
from emer.tools.types import Record, Span
from emer.tools.weights.advice import advice

LEAST_DISK = 200
"""Least free disk in megabytes: room for a few thousand runs."""


class Check(Record):
    """Result of a check; `fix` is a command or hint that repairs it."""

    area: str
    name: str
    ok: bool
    detail: str = ""
    fix: str = ""


def run_doctor(path: Path | None, profile: str | None, device: str | None, *, json: bool) -> None:
    settings = load_settings(path, profile=profile, device=device)
    with hush(settings.home / "logs" / "native.log"):
        checks = _examine(settings)
    ready = all(check.ok for check in checks)
    record = {"profile": settings.profile, "ready": ready, "checks": checks}
    print_output(_page(checks, settings.profile), record, json=json)
    if not ready:
        raise typer.Exit(1)


def _examine(settings: Settings) -> list[Check]:
    components.allow_local_imports(settings)
    selection, reasoner = components.choose(settings), settings.reasoner
    python = metadata("emer")["Requires-Python"]
    return [
        Check(area="python", name=platform.python_version(), ok=True, detail=f"needs {python}"),
        *(_package(name) for name in required_packages()),
        _device(settings),
        *(Check(area="choice", name=n, ok=True, detail=w) for n, w in selection.reasons.items()),
        *_advice(selection),
        *_tools(selection.settings),
        _attempt("reasoner", reasoner.use, partial(components.load_reasoner, reasoner)),
        *_memory(settings),
        _store(settings.home),
        *_stored(settings),
        *_privacy(settings.home),
        _disk(settings.home),
    ]


def required_packages() -> list[str]:
    """Packages that `pip install emer` installs, without extras."""
    lines = [line for line in requires("emer") or [] if "extra ==" not in line]
    names = (re.match(r"[\w.-]+", line) for line in lines)
    return sorted(name[0] for name in names if name)


def _package(name: str) -> Check:
    check = partial(Check, area="package", name=name)
    try:
        installed = version(name)
        import_module(_module(name))
    except PackageNotFoundError:
        return check(ok=False, detail="not installed", fix=f"pip install {name}")
    except Exception as error:  # a broken binary can raise anything
        fix = f"pip install --force-reinstall {name}"
        return check(ok=False, detail=_cause(error), fix=fix)
    return check(ok=True, detail=installed)


def _module(name: str) -> str:
    """The shallowest module of a package."""
    paths = files(name) or []
    packages = [path.parent for path in paths if path.name == "__init__.py"]
    single = [p.with_suffix("") for p in paths if p.suffix == ".py" and len(p.parts) == 1]
    public = [path for path in packages if not path.parts[0].startswith("_")] or single
    return ".".join(min(public, key=lambda path: (len(path.parts), path.as_posix())).parts)


def _device(settings: Settings) -> Check:
    """The device of models, as torch reports it if it is installed."""
    from emer.tools.runtime.device import available_devices, choose_device

    try:
        name = choose_device()
    except ConfigError as error:
        return Check(area="device", name=settings.device, ok=False, detail=str(error))
    devices = []
    for device in available_devices():
        memory = "" if device.memory is None else f", {device.memory:.0f} GB"
        devices.append(f"{device.name} ({device.what}{memory})")
    return Check(area="device", name=name, ok=True, detail="; ".join(devices))


def _advice(selection: components.Selection) -> Iterator[Check]:
    """The command that would make better tools ready for slots that "auto" fills."""
    active = selection.settings.active_tools.items()
    found = advice([choice.use for slot, choice in active if slot in selection.reasons])
    if found is not None:
        yield Check(area="advice", name="tools", ok=True, detail=found.gain, fix=found.command)


def _tools(settings: Settings) -> Iterator[Check]:
    with tempfile.TemporaryDirectory(prefix="emer-") as folder:
        clip = trial_clip(Path(folder) / "second.mp4")
        for slot, choice in settings.active_tools.items():
            name = f"{slot} = {choice.use}"
            yield _attempt("tool", name, partial(_try_tool, slot, choice, clip))


def _attempt(area: str, name: str, work: Callable[[], object]) -> Check:
    """Check of what can raise anything; a text that `work` returns is the detail."""
    check = partial(Check, area=area, name=name)
    try:
        detail = work()
        return check(ok=True, detail=detail if isinstance(detail, str) else "")
    except ToolMissing as error:
        return check(ok=False, detail=f"needs {error.what}", fix=error.install)
    except Exception as error:
        return check(ok=False, detail=_cause(error))


def trial_clip(path: Path) -> Path:
    """Write one second of the demo's first picture, a face, with a tone."""
    from emer.tools.media.clip import Clip

    try:
        with as_file(CLIP) as demo:
            picture = next(Clip.open(demo).frames(span=Span(start=0, end=0))).rgb()
    except Exception:  # a broken package can raise anything; its own check reports it
        return write_trial(path, sound=tone())
    return write_trial(path, picture=picture, sound=tone())


def _try_tool(slot: str, choice: Choice, path: Path) -> str:
    """Load the tool and run it on a clip; a remote tool is only contacted."""
    from emer.tools.media.clip import Clip
    from emer.tools.tool import Heavy, Remote

    tool = components.load_slot(slot, choice)
    hardware = ""
    if isinstance(tool, Remote):
        hardware = tool.reach()
    elif isinstance(tool, Heavy):
        try:
            tool.load()
            with suppress(Unobservable):
                tool.observe(Clip.open(path))
            hardware = ", ".join(f"{name} {value}" for name, value in tool.hardware.items())
        finally:
            tool.unload()
    else:
        with suppress(Unobservable):
            tool.observe(Clip.open(path))
    source = tool.source
    model = f", {source.model} ({hardware})" if hardware else ""
    return f"{source.tool} {source.version}{model}"


def _memory(settings: Settings) -> Iterator[Check]:
    """Search the memory, if a language model uses it."""
    from emer.agents.memory.passages import of_text

    def search() -> str:
        memory = components.load_memory(settings)
        memory.nearest(of_text("The person smiles."))
        return f"{len(memory.items)} remembered"

    if settings.reasoner.use == "llm" and settings.memory.on:
        yield _attempt("memory", settings.memory.embedder.use, search)


def _store(home: Path) -> Check:
    check = partial(Check, area="store", name=str(home))
    try:
        private_folder(home)
        with tempfile.TemporaryFile(dir=home) as file:
            file.write(b"emer")
    except OSError as error:
        fix = "set EMER_HOME to a folder that can be written"
        return check(ok=False, detail=f"cannot be written: {error.strerror}", fix=fix)
    return check(ok=True, detail="can be written")


def _stored(settings: Settings) -> Iterator[Check]:
    """Where the words of clips lie, and how much; `emer forget` removes them."""
    exemplars = components.load_exemplars(settings).folder
    for name, folder in (("traces", settings.traces), ("exemplars", exemplars)):
        files = [path.stat() for path in folder.glob("*.json*")]
        if files:
            oldest = f"{datetime.fromtimestamp(min(f.st_mtime for f in files)):%Y-%m-%d}"
            detail = f"{len(files)}, {size(sum(f.st_size for f in files))}, oldest {oldest}"
            yield Check(area="stored", name=name, ok=True, detail=f"{detail}, in {folder}")
    for path, table in ((settings.evidence, "observation"), (settings.threads, "checkpoints")):
        with suppress(OSError, sqlite3.Error), closing(_read_only(path)) as database:
            (rows,) = database.execute(f"SELECT count(*) FROM {table}").fetchone()
            parts = [Path(f"{path}{end}") for end in DATABASE_ENDS]
            used = sum(part.stat().st_size for part in parts if part.is_file())
            detail = f"{rows}, {size(used)}, in {path}"
            name = "observations" if table == "observation" else "states of threads"
            yield Check(area="stored", name=name, ok=True, detail=detail)


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)


def _privacy(home: Path) -> Iterator[Check]:
    """Folders that other users of the machine can open; a run works all the same."""
    paths = open_to_others(home)
    if paths:
        names = ", ".join(str(path) for path in paths)
        fix = f"chmod go= {shlex.join(map(str, paths))}"
        detail = f"other users can open {names}"
        yield Check(area="privacy", name="home", ok=True, detail=detail, fix=fix)


def _disk(home: Path) -> Check:
    existing = next((p for p in (home, *home.parents) if p.exists()), Path("/"))
    free = shutil.disk_usage(existing).free // 10**6
    enough = free >= LEAST_DISK
    fix = "" if enough else f"free some space, or set EMER_HOME to another disk (< {LEAST_DISK} MB)"
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
    verdict = Text(f"The profile {profile!r} is ready.", "bold green")
    if wrong:
        verdict = Text(f"The profile {profile!r} is not ready: {len(wrong)} to mend.", "bold red")
    fixes = dict.fromkeys(check.fix for check in checks if check.fix)
    return Group(table, Text(), verdict, *(unwrapped(f"  {one_line(fix)}") for fix in fixes))
