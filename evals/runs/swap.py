"""Two tools in one slot, on the same clips: what the others saw is looked up, not seen again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from emer.evals.data.records import Dataset
from emer.evals.runs.runner import run
from emer.evals.systems.agent import Agent, agent
from emer.evals.systems.system import Prediction


@dataclass(frozen=True)
class Side:
    """One of the two agents, its answers, and how often each slot's tool really ran."""

    system: Agent
    predictions: list[Prediction]
    ran: Counter[str]


def compare(
    slot: str, uses: tuple[str, str], dataset: Dataset, folder: Path, *, workers: int = 1,
    done: Callable[[Prediction], None] = lambda _: None,
) -> tuple[Side, Side]:  # fmt: skip
    """Return both sides; they share one evidence store below `folder`."""
    first, second = (_side(slot, use, dataset, folder, workers, done) for use in uses)
    return first, second


def _side(
    slot: str, use: str, dataset: Dataset, folder: Path, workers: int,
    done: Callable[[Prediction], None],
) -> Side:  # fmt: skip
    system = agent(folder / "home", tools={slot: use}, name=f"{slot}={use}")
    found = run(system, dataset, folder, workers=workers, done=done)
    ran: Counter[str] = Counter()
    for prediction in found:
        ran.update(prediction.cost.ran)
    return Side(system, found, ran)
