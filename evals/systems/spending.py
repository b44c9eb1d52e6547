"""What a reasoner asks of a language model while it answers on one clip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from emer.agents.reasoner import Reasoner, Report, Reporting
from emer.agents.types import Fallback, ModelCall
from emer.evals.systems.system import Cost
from emer.graphs.usage import usage

_REPORTS: ContextVar[list[Report] | None] = ContextVar("reports", default=None)
"""Of each thread its own: clips are answered side by side by one reasoner."""


@contextmanager
def reports_of(reasoner: Reasoner) -> Iterator[list[Report]]:
    """Yield a list that fills with what the reasoner reports in this thread meanwhile."""
    if isinstance(reasoner, Reporting):
        reasoner.report_to(_hear)
    found: list[Report] = []
    token = _REPORTS.set(found)
    try:
        yield found
    finally:
        _REPORTS.reset(token)


def with_spending(cost: Cost, reports: Sequence[Report]) -> Cost:
    """Return the cost with the reported requests, tokens, money and fallbacks."""
    calls = [report for report in reports if isinstance(report, ModelCall)]
    fallbacks = [report for report in reports if isinstance(report, Fallback)]
    found = usage(calls, fallbacks)
    spent = {
        "requests": found.requests,
        "tokens": found.tokens_in + found.tokens_out,
        "money": found.money,
        "fallbacks": len(fallbacks),
    }
    return cost.model_copy(update=spent)


def _hear(report: Report) -> None:
    found = _REPORTS.get()
    if found is not None:
        found.append(report)
