"""JSON on stdout: numbers as they are, and null for what could not be computed."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from emer.evals.metrics.bootstrap import Estimate
from emer.evals.speed.measure import Measure
from emer.tools.printable import escaped


def print_json(value: Any) -> None:
    """Print a value as JSON; what is not seen is written as an escape."""
    print(escaped(json.dumps(jsonable(value), indent=2, ensure_ascii=False)))


def jsonable(value: Any) -> Any:
    """Return a value as JSON can hold it; an estimate becomes value, low and high."""
    if isinstance(value, Estimate):
        return {name: jsonable(part) for name, part in value._asdict().items()}
    if isinstance(value, Mapping):
        return {str(key): jsonable(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(part) for part in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value


def print_measures(found: Sequence[Measure]) -> None:
    """Print the measures as a Markdown table."""
    print("| measure | value | goal | held | from |\n|---|---|---|---|---|")
    for measure in found:
        bound = "at most" if measure.at_most else "at least"
        goal = "" if measure.goal is None else f"{bound} {measure.goal:g} {measure.unit}"
        held = ("yes" if measure.held else "**no**") if goal else ""
        value = f"{measure.value:g} {measure.unit}"
        print(f"| {measure.name} | {value} | {goal} | {held} | {measure.detail} |")
