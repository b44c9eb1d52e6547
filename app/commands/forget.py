"""`emer forget`: remove what is stored of a run or a clip."""

from __future__ import annotations

import sys
from pathlib import Path

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from emer.app.removal import Removal, remove, select
from emer.app.render.format import facts_table, notes, size
from emer.app.render.progress import print_output, print_page
from emer.graphs.settings import load_settings
from emer.tools.errors import ConfigError


def run_forget(
    target: str | None,
    older_than: str | None,
    path: Path | None,
    *,
    yes: bool,
    dry_run: bool,
    json: bool,
) -> None:
    settings = load_settings(path)
    selection = select(settings, target, older_than)
    removal = remove(settings, selection, dry_run=True)
    if target is not None and not removal.count:
        raise ConfigError(f"nothing is stored of {target}; emer trace list shows the runs")
    if not dry_run and removal.count:
        _confirm(removal, yes=yes, json=json)
        removal = remove(settings, selection)
    print_output(_page(removal), {**removal.model_dump(), "removed": not dry_run}, json=json)


def _confirm(removal: Removal, *, yes: bool, json: bool) -> None:
    """Ask before anything is removed, on a terminal; elsewhere --yes is needed."""
    if yes:
        return
    if json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError("removing cannot be undone: add --yes, or see what it is with --dry-run")
    print_page(_page(removal))
    typer.confirm("Remove this for good?", abort=True)


def _page(removal: Removal) -> RenderableType:
    if not removal.count:
        return Text("Nothing is stored that is as old.")
    facts = [(p.name, f"{p.count} ({size(p.bytes)})") for p in removal.parts if p.count]
    heading = "This would be removed:" if removal.dry_run else "Removed:"
    remaining = notes(f"this stays: {text}" for text in removal.remains)
    return Group(Text(heading), facts_table(facts), *remaining)
