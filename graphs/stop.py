"""When a run stops, and which of the reasoner's asks are carried out until then."""

from __future__ import annotations

from collections.abc import Sequence

from emer.agents.stop import spent
from emer.agents.types import Ask, Budget, Decision, StopReason
from emer.graphs.context import Context
from emer.graphs.state import Job

BARREN_ROUNDS = 2
"""Rounds in a row without a new clue after which asking on is pointless."""


def left_of(budget: Budget, used: Budget) -> Budget:
    """Return what remains after so many rounds, tool calls, seconds, tokens and money."""
    money = None
    if budget.money is not None:
        money = max(0.0, round(budget.money - (used.money or 0.0), 9))
    return Budget(
        rounds=max(0, budget.rounds - used.rounds),
        tool_calls=max(0, budget.tool_calls - used.tool_calls),
        seconds=max(0.0, round(budget.seconds - used.seconds, 3)),
        tokens=max(0, budget.tokens - used.tokens),
        money=money,
    )


def stop_reason(
    decision: Decision, asks: Sequence[Ask], left: Budget, barren: int
) -> StopReason | None:
    """Return why the run stops here, or None to carry out the asks.

    `asks` are those of the decision that can be carried out and have not been.
    """
    if decision.stop_reason is not None:
        return decision.stop_reason
    if not asks:
        return "nothing_to_ask"
    if barren >= BARREN_ROUNDS:
        return "no_new_clues"
    return spent(left)


def jobs_for(context: Context, asks: Sequence[Ask], number: int, most: int) -> list[Job]:
    """Return the tool calls that carry out the asks in this round, at most `most`."""
    jobs = [
        Job(slot=slot, span=ask.span, round=number, why=ask.why, question=ask.question)
        for ask in asks
        for slot, tool in context.tools.items()
        if tool.source.tool == ask.tool
    ]
    return jobs[:most]
