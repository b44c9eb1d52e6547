"""`emer-eval speed`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from emer.evals.commands.options import print_json, print_measures
from emer.evals.speed.measure import Measure
from emer.evals.speed.models import Report, Request, measure_models
from emer.tools.errors import ConfigError

PROFILES = ("embedded", "models")


def run_speed(request: Request, profile: str, memory: bool, json: bool) -> None:
    """Print the measures of a profile; exit with 1 when a goal is missed."""
    if profile not in PROFILES:
        raise ConfigError(f"--profile {profile!r}: write {' or '.join(PROFILES)}")
    if profile == "models":
        found = _models(request, json)
    else:
        _refuse_others(request)
        found = _embedded(request.clip, memory, json)
    if not all(measure.held for measure in found):
        raise typer.Exit(1)


def _embedded(clip: Path, memory: bool, json: bool) -> Sequence[Measure]:
    from emer.evals.speed.pipeline import measure_speed

    found = measure_speed(clip, memory=memory, say=_progress)
    if json:
        print_json(_rows(found))
    else:
        print_measures(found)
    return found


def _models(request: Request, json: bool) -> Sequence[Measure]:
    report = measure_models(request, _progress)
    if json:
        print_json(
            {
                "machine": report.machine.model_dump(),
                "measures": _rows(report.measures),
                "unmeasured": [each.model_dump() for each in report.unmeasured],
            }
        )
    else:
        _print(report)
    return report.measures


def _print(report: Report) -> None:
    print(f"{report.machine.text}\n")
    print_measures(report.measures)
    if report.unmeasured:
        print("\nNot measured:")
        for each in report.unmeasured:
            print(f"- {each.name}: {each.why}")


def _rows(found: Sequence[Measure]) -> list[dict[str, object]]:
    return [{**measure.model_dump(), "held": measure.held} for measure in found]


def _refuse_others(request: Request) -> None:
    """Raise `ConfigError` for options that only the other profile reads."""
    plain = Request(request.clip)
    given = [name for name in Request._fields if getattr(request, name) != getattr(plain, name)]
    if given:
        options = ", ".join("--size" if name == "sizes" else f"--{name}" for name in given)
        raise ConfigError(f"{options}: only with --profile models")


def _progress(what: str) -> None:
    print(f"measuring {what} ...", file=sys.stderr)
