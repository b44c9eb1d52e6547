"""`emer-eval speed`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from emer.evals.commands.plain import print_json

if TYPE_CHECKING:
    from emer.evals.measure import Measure


def run_speed(clip: Path, memory: bool, json: bool) -> None:
    """Print the measures; exit with 1 when a goal is missed."""
    from emer.evals.speed import measure_speed

    found = measure_speed(clip, memory=memory, say=_progress)
    if json:
        print_json([{**m.model_dump(), "held": m.held} for m in found])
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
