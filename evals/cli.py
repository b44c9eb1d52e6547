"""`emer-eval`: measure what the README claims."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from emer.evals.measure import Measure

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)


@app.callback()
def _commands() -> None:
    """Measure what the README claims."""


@app.command()
def speed(
    clip: Annotated[Path, typer.Argument(help="A clip of about 8 s with a face and speech.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    memory: Annotated[bool, typer.Option(help="Also explain a 2-minute loop of the clip.")] = True,
) -> None:
    """Print how fast and how large runs are, as ratios within this one run.

    Exits with 1 when a goal is not reached.
    """
    from emer.evals.speed import measure_speed
    from emer.tools.errors import ConfigError

    try:
        found = measure_speed(clip, memory=memory, say=_progress)
    except ConfigError as error:
        print(f"emer-eval: {error}", file=sys.stderr)
        raise typer.Exit(2) from error
    if as_json:
        print(json.dumps([{**m.model_dump(), "held": m.held} for m in found], indent=2))
    else:
        _print_table(found)
    if not all(measure.held for measure in found):
        raise typer.Exit(1)


def _progress(what: str) -> None:
    print(f"measuring {what} ...", file=sys.stderr)


def _print_table(found: list[Measure]) -> None:
    """Print the measures as a Markdown table."""
    print("| measure | value | goal | held | from |\n|---|---|---|---|---|")
    for measure in found:
        bound = "at most" if measure.at_most else "at least"
        goal = f"{bound} {measure.goal:g} {measure.unit}"
        held = "yes" if measure.held else "**no**"
        value = f"{measure.value:g} {measure.unit}"
        print(f"| {measure.name} | {value} | {goal} | {held} | {measure.detail} |")


def main() -> None:
    """Run the command line."""
    app()
