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
from emer.graphs.choosing import choose
from emer.graphs.loading import load_tools
from emer.graphs.settings import load_settings
from emer.tools.errors import ConfigError
from emer.tools.registry import slots


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
    """Return both sides; they share one evidence store below `folder`.

    `ConfigError` or `ToolMissing` before the first clip if one of them can never look.
    """
    systems = [_agent(slot, use, folder) for use in uses]
    first, second = (_side(system, dataset, folder, workers, done) for system in systems)
    return first, second


def _agent(slot: str, use: str, folder: Path) -> Agent:
    """Return the agent with this tool in the slot, which it must have and be able to load."""
    made = agent(folder / "home", tools={slot: use}, name=f"{slot}={use}")
    known = dict.fromkeys([*slots(), *load_settings().tools])
    if slot not in known:
        raise ConfigError(f"there is no slot {slot!r}; there are {', '.join(known)}")
    absent = load_tools(choose(made.settings).settings)[1]
    if slot in absent:
        raise absent[slot]
    return made


def _side(
    system: Agent, dataset: Dataset, folder: Path, workers: int,
    done: Callable[[Prediction], None],
) -> Side:  # fmt: skip
    found = run(system, dataset, folder, workers=workers, done=done)
    ran: Counter[str] = Counter()
    for prediction in found:
        ran.update(prediction.cost.ran)
    return Side(system, found, ran)
