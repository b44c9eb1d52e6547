"""`emer-eval cost`."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from emer.evals.commands.options import open_set, print_json, print_measures
from emer.graphs.cli_errors import note, progress
from emer.tools.errors import ConfigError


def run_cost(data: Path | None, set_name: str | None, limit: int | None, json: bool) -> None:
    """Print what the llm reasoner costs on a set's human clues; exit 1 when a goal is missed."""
    from emer.agents.llm.reasoner import When
    from emer.evals.cost.measures import measures
    from emer.evals.cost.runs import Spent, cards_only, spend, write_silence

    _, dataset = open_set(data, set_name, None)
    samples = [s for s in dataset.samples if s.description("en", False)][:limit]
    if not samples:
        raise ConfigError(f"{dataset.name} has no human descriptions to reason on")
    spent: dict[When, list[Spent]] = {"unsure": [], "always": []}
    with TemporaryDirectory() as folder, progress("cost", 2 * len(samples)) as step:
        silence = write_silence(Path(folder) / "silence.wav")
        memory = cards_only(Path(folder))
        for when, found in spent.items():
            for sample in samples:
                found.append(spend(sample, silence, when, memory))
                step(sample.name)
    fell = sum(one.fell for found in spent.values() for one in found)
    if fell:
        note(f"the rules took {fell} steps instead of the model: those are not counted")
    table = measures(spent["unsure"], spent["always"])
    if json:
        print_json([{**m.model_dump(), "held": m.held} for m in table])
    else:
        print_measures(table)
        what = f"human clues of {dataset.name}; the model echoes the rules"
        print(f"\nn = {len(samples)} clips, {what}")
    if not all(measure.held for measure in table):
        raise typer.Exit(1)
