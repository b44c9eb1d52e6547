"""`emer-eval speed`."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from emer.evals.commands.plain import print_json, print_measures


def run_speed(clip: Path, memory: bool, json: bool) -> None:
    """Print the measures; exit with 1 when a goal is missed."""
    from emer.evals.speed import measure_speed

    found = measure_speed(clip, memory=memory, say=_progress)
    if json:
        print_json([{**m.model_dump(), "held": m.held} for m in found])
    else:
        print_measures(found)
    if not all(measure.held for measure in found):
        raise typer.Exit(1)


def _progress(what: str) -> None:
    print(f"measuring {what} ...", file=sys.stderr)
