"""What could not be observed, told per modality."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from emer.agents.types import Missing
from emer.graphs.context import Context
from emer.graphs.state import Gap, Json
from emer.tools.types import Clue


def of(gaps: Sequence[Json], clues: Sequence[Clue]) -> tuple[Missing, ...]:
    """Return what is missing; where the modality gave clues all the same, it says so."""
    seen = {clue.modality for clue in clues}
    records = (Gap.model_validate(gap).missing for gap in gaps)
    return _sorted(_partly(record, seen) for record in records if record is not None)


def merge(told: Iterable[Missing], known: Iterable[Missing]) -> tuple[Missing, ...]:
    """Return what the reasoner and the controller know to be missing, each once."""
    return _sorted([*told, *known])


def not_looked(context: Context, slot: str) -> Json:
    """Return the gap of a tool that the budget of tool calls did not reach."""
    tool = context.tools[slot]
    most = context.budget.tool_calls
    why = f"{tool.source.tool} was not asked: the budget of {most} tool calls is spent"
    return Gap(slot=slot, missing=Missing(modality=tool.modality, why=why)).model_dump(mode="json")


def _partly(record: Missing, seen: Iterable[str]) -> Missing:
    if record.modality not in seen:
        return record
    return Missing(modality=record.modality, why=f"{record.why}; other clues of it were found")


def _sorted(records: Iterable[Missing]) -> tuple[Missing, ...]:
    return tuple(sorted({*records}, key=lambda record: (record.modality, record.why)))
