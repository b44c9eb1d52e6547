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
    return spent(budget)


def agreed(standings: Sequence[Standing]) -> bool:
    """Tell whether all channels that speak point to the leading kind of reading.

    Then there is nothing to debate.
    """
    lead, other = standings[0], rival(standings)
    spoken = {channel for s in standings for channel in s.channels}
    if len(lead.channels) < CHANNELS_NEEDED or lead.channels != spoken:
        return False
    return other is None or lead.probability - other.probability >= MARGIN


def is_sure(standings: Sequence[Standing]) -> bool:
    """Tell whether the leading family stands clear of any other kind of reading."""
    lead, other = standings[0], rival(standings)
    margin = lead.probability - (other.probability if other else 0.0)
    return lead.probability >= SURE and margin >= MARGIN and len(lead.channels) >= CHANNELS_NEEDED


def spent(budget: Budget) -> StopReason | None:
    """Return what has run out, or None while more may be asked."""
    left: dict[StopReason, float] = {
        "rounds_spent": budget.rounds,
        "tool_calls_spent": budget.tool_calls,
        "seconds_spent": budget.seconds,
        "tokens_spent": budget.tokens,
        "money_spent": 1.0 if budget.money is None else budget.money,
    }
    return next((reason for reason, amount in left.items() if amount <= 0), None)
