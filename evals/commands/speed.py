"""`emer-eval speed`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from emer.evals.commands.options import print_json, print_measures
from emer.evals.speed.measure import Measure
from emer.evals.speed.models import SpeedReport, SpeedRequest, measure_models
from emer.tools.errors import ConfigError

PROFILES = ("embedded", "models")


def run_speed(request: SpeedRequest, profile: str, memory: bool, json: bool) -> None:
    """Print the measures of a profile; exit with 1 when a goal is missed."""
    if profile not in PROFILES:
        raise ConfigError(f"--profile {profile!r}: write {' or '.join(PROFILES)}")
    measures = _models(request, json) if profile == "models" else _embedded(request, memory, json)
    if not all(measure.held for measure in measures):
        raise typer.Exit(1)


def _embedded(request: SpeedRequest, memory: bool, json: bool) -> Sequence[Measure]:
    from emer.evals.speed.pipeline import measure_speed

    defaults = SpeedRequest(request.clip)
    changed = [key for key in request._fields if getattr(request, key) != getattr(defaults, key)]
    if changed:
        options = ", ".join("--size" if key == "sizes" else f"--{key}" for key in changed)
        raise ConfigError(f"{options}: only with --profile models")
    measures = measure_speed(request.clip, memory=memory, say=_progress)
    if json:
        print_json(_rows(measures))
    else:
        print_measures(measures)
    return measures


def _models(request: SpeedRequest, json: bool) -> Sequence[Measure]:
    report = measure_models(request, _progress)
    if json:
        unmeasured = [each.model_dump() for each in report.unmeasured]
        rows = {"measures": _rows(report.measures), "unmeasured": unmeasured}
        print_json({"machine": report.machine.model_dump(), **rows})
    else:
        _print(report)
    return report.measures


def _print(report: SpeedReport) -> None:
    print(f"{report.machine.text}\n")
    print_measures(report.measures)
    if report.unmeasured:
        print("\nNot measured:")
        for each in report.unmeasured:
            print(f"- {each.name}: {each.why}")


def _rows(measures: Sequence[Measure]) -> list[dict[str, object]]:
    return [{**measure.model_dump(), "held": measure.held} for measure in measures]


def _progress(what: str) -> None:
    print(f"measuring {what} ...", file=sys.stderr)
