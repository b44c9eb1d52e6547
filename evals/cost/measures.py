"""From what each clip cost to the goals: few requests, short plans, prompts that are known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from emer.evals.cost.runs import Spent
from emer.evals.speed.measure import Measure, at_least, at_most

MOST_CALLS, MOST_PLANNED, LEAST_SHARED = 2.0, 10.0, 80.0
"""Requests per clip; percent of output that plans; percent of later prompts that is known."""


def measures(cascade: Sequence[Spent], always: Sequence[Spent]) -> list[Measure]:
    """Return the goals measured on the cascade, and beside them a model asked each time."""
    return [
        at_most(
            "requests per clip, the cascade",
            calls_per_clip(cascade),
            "calls",
            MOST_CALLS,
            f"the model was needed on {_needed(cascade)} of {len(cascade)} clips; asked each "
            f"time: {calls_per_clip(always):.2f}",
        ),
        at_most(
            "planner's share of the output",
            planned(cascade),
            "%",
            MOST_PLANNED,
            f"asked each time: {planned(always):.1f} %; by role {_by_role(cascade)}",
        ),
        at_least(
            "later prompts that begin as an earlier one of the run",
            shared(cascade),
            "%",
            LEAST_SHARED,
            f"asked each time: {shared(always):.1f} %; what a prefix cache can serve",
        ),
    ]


def calls_per_clip(spent: Sequence[Spent]) -> float:
    """Return the mean number of requests; repairs count."""
    return sum(len(s.calls) for s in spent) / len(spent)


def planned(spent: Sequence[Spent]) -> float:
    """Return the percentage of all output tokens that the planner wrote."""
    written = _written(spent)
    total = sum(written.values())
    return 100 * written["planner"] / total if total else 0.0


def shared(spent: Sequence[Spent]) -> float:
    """Return the percentage of later prompts' characters that an earlier prompt begins with.

    100 where no run asked twice.
    """
    pairs = [pair for s in spent for pair in s.shared]
    whole = sum(length for _, length in pairs)
    return 100 * sum(known for known, _ in pairs) / whole if whole else 100.0


def _written(spent: Sequence[Spent]) -> Counter[str]:
    found: Counter[str] = Counter()
    for call in (call for s in spent for call in s.calls):
        found[call.role] += call.tokens_out
    return found


def _needed(spent: Sequence[Spent]) -> int:
    return sum(bool(s.calls) for s in spent)


def _by_role(spent: Sequence[Spent]) -> str:
    counts = Counter(call.role for s in spent for call in s.calls)
    written = _written(spent)
    return ", ".join(f"{role} {n}x {written[role] / n:.0f}" for role, n in sorted(counts.items()))
