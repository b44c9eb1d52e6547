"""When to stop: sure enough, nothing to ask, the budget spent, or nothing to go on."""

from __future__ import annotations

from collections.abc import Sequence

from emer.agents.fusion import Standing
from emer.agents.labels import rival
from emer.agents.types import Ask, Budget, StopReason

SURE, MARGIN, CHANNELS_NEEDED = 0.8, 0.25, 2
"""Probability, lead over the next kind of reading, and independent channels."""


def stop_reason(
    standings: Sequence[Standing], asks: Sequence[Ask], budget: Budget
) -> StopReason | None:
    """Return why to stop, or None to carry the asks out."""
    if not standings or not standings[0].supports:
        return "no_evidence"
    if is_sure(standings):
        return "sure"
    if not asks:
        return "nothing_to_ask"
    return "budget" if is_spent(budget) else None


def is_sure(standings: Sequence[Standing]) -> bool:
    """Tell whether the leading family stands clear of any other kind of reading."""
    lead, other = standings[0], rival(standings)
    margin = lead.probability - (other.probability if other else 0.0)
    return lead.probability >= SURE and margin >= MARGIN and len(lead.channels) >= CHANNELS_NEEDED


def is_spent(budget: Budget) -> bool:
    """Tell whether nothing more may be asked."""
    return budget.rounds == 0 or budget.tool_calls == 0 or budget.seconds <= 0
