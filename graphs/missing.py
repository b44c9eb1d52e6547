"""What could not be observed, told per modality."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from emer.agents.reasoning import in_order
from emer.agents.types import Missing
from emer.graphs.context import Context
from emer.graphs.state import Gap, Json
from emer.tools.types import Clue

PARTLY = "; other clues of it were found"


def bare(record: Missing) -> Missing:
    """Return what is missing as it was told before other clues of its modality were found."""
    return Missing(modality=record.modality, why=record.why.removesuffix(PARTLY))


def of(gaps: Sequence[Json], clues: Sequence[Clue]) -> tuple[Missing, ...]:
    """Return what is missing; where the modality gave clues all the same, it says so."""
    records = (Gap.model_validate(gap).missing for gap in gaps)
    return partly((record for record in records if record is not None), clues)


def partly(records: Iterable[Missing], clues: Sequence[Clue]) -> tuple[Missing, ...]:
    """Return what is missing, in order, and said to be partly so where there are clues."""
    seen = {clue.modality for clue in clues}
    return in_order(_partly(record, seen) for record in records)


def not_looked(context: Context, slot: str) -> Json:
    """Return the gap of a tool that the budget of tool calls did not reach."""
    tool = context.tools[slot]
    most = context.budget.tool_calls
    why = f"{tool.source.tool} was not asked: the budget of {most} tool calls is spent"
    return Gap(slot=slot, missing=Missing(modality=tool.modality, why=why)).model_dump(mode="json")


def _partly(record: Missing, seen: Iterable[str]) -> Missing:
    if record.modality not in seen:
        return record
    return Missing(modality=record.modality, why=f"{record.why}{PARTLY}")
