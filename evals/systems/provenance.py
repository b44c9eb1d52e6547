"""Code hash and model usage of a system.

What code a system is made of, so that answers of other code are not taken for its own.

What a reasoner asks of a language model while it answers on one clip.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

from emer.agents.reasoner import Reasoner, Report, Reporting
from emer.agents.types import Fallback, ModelCall
from emer.evals.systems.system import Cost
from emer.graphs.trace.runs import usage
from emer.prompts.prompt import FOLDER as PROMPTS

SUFFIXES = (".py", ".csv", ".json", ".md", ".toml")
HOUSE = PROMPTS.parent
"""The folder that our packages lie in."""


def code_of(reasoner: object) -> str:
    """Hash of what reasons: our agents, or the outsider's package; "" if unreadable."""
    if is_ours(reasoner):
        return code_of_ours("agents")
    try:
        file = inspect.getsourcefile(type(reasoner))
    except TypeError:
        return ""
    if file is None:
        return ""
    packaged = "." in type(reasoner).__module__
    return _digest((Path(file).parent if packaged else Path(file),))


def is_ours(thing: object) -> bool:
    """Whether a tool or a reasoner is one of this house."""
    return type(thing).__module__.startswith("emer.")


def code_of_ours(*packages: str) -> str:
    """Hash of packages of ours, as "tools", and of the prompts."""
    return _digest(tuple(HOUSE / package for package in packages))


@cache
def _digest(places: tuple[Path, ...]) -> str:
    hashed = hashlib.sha256()
    for path in sorted({*(p for place in places for p in _files(place)), *PROMPTS.rglob("*.md")}):
        hashed.update(path.name.encode() + path.read_bytes())
    return hashed.hexdigest()[:16]


def _files(place: Path) -> list[Path]:
    return [place] if place.is_file() else [p for p in place.rglob("*") if p.suffix in SUFFIXES]


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
    """Cost with the reported requests, tokens, money and fallbacks."""
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
