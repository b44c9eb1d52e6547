"""When a run stops, and which of the reasoner's asks are carried out until then."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from emer.agents.types import Ask, Budget, Decision, StopReason
from emer.graphs.context import Context
from emer.graphs.state import Job
from emer.tools.types import Span

BARREN_ROUNDS = 2
"""Rounds in a row without a new clue after which asking on is pointless."""


def left_of(budget: Budget, rounds: int, calls: int, seconds: float) -> Budget:
    """Return what remains after so many rounds, tool calls and seconds."""
    return Budget(
        rounds=max(0, budget.rounds - rounds),
        tool_calls=max(0, budget.tool_calls - calls),
        seconds=max(0.0, round(budget.seconds - seconds, 3)),
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
    if not (left.rounds and left.tool_calls and left.seconds):
        return "budget"
    return None


def worth_asking(
    asks: Sequence[Ask], asked: Collection[Ask], tools: Collection[str], duration: float
) -> tuple[Ask, ...]:
    """Return the asks to known tools, inside the clip, each once and never a second time."""
    seen = {(ask.tool, ask.span) for ask in asked}
    kept: list[Ask] = []
    for ask in asks:
        span = _inside(ask.span, duration)
        if span is None or ask.tool not in tools or (ask.tool, span) in seen:
            continue
        seen.add((ask.tool, span))
        kept.append(Ask(tool=ask.tool, span=span, why=ask.why))
    return tuple(kept)


def jobs_for(context: Context, asks: Sequence[Ask], number: int, most: int) -> list[Job]:
    """Return the tool calls that carry out the asks in this round, at most `most`."""
    jobs = [
        Job(slot=slot, span=ask.span, round=number, why=ask.why)
        for ask in asks
        for slot, tool in context.tools.items()
        if tool.source.tool == ask.tool
    ]
    return jobs[:most]


def _inside(span: Span, duration: float) -> Span | None:
    start, end = min(span.start, duration), min(span.end, duration)
    return Span(start=round(start, 3), end=round(end, 3)) if end > start else None
