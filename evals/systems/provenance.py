"""Provenance of answers: a hash of the code, and the usage of language models.

Answers of other code are thus not taken for a system's own.
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
PACKAGE = PROMPTS.parent
"""The folder of emer's packages."""


def code_of(reasoner: object) -> str:
    """Hash of a reasoner's code: our agents, or the foreign package; "" if unreadable."""
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
    """Whether a tool or a reasoner belongs to emer."""
    return type(thing).__module__.startswith("emer.")


def code_of_ours(*packages: str) -> str:
    """Hash of packages of ours, as "tools", and of the prompts."""
    return _digest(tuple(PACKAGE / package for package in packages))


@cache
def _digest(places: tuple[Path, ...]) -> str:
    hashed = hashlib.sha256()
    for path in sorted({*(p for place in places for p in _files(place)), *PROMPTS.rglob("*.md")}):
        hashed.update(path.name.encode() + path.read_bytes())
    return hashed.hexdigest()[:16]


def _files(place: Path) -> list[Path]:
    return [place] if place.is_file() else [p for p in place.rglob("*") if p.suffix in SUFFIXES]


_REPORTS: ContextVar[list[Report] | None] = ContextVar("reports", default=None)
"""One list per thread: one reasoner answers several clips at once."""


@contextmanager
def reports_of(reasoner: Reasoner) -> Iterator[list[Report]]:
    """Yield a list of what the reasoner reports in this thread within the block."""
    if isinstance(reasoner, Reporting):
        reasoner.report_to(_record)
    reports: list[Report] = []
    token = _REPORTS.set(reports)
    try:
        yield reports
    finally:
        _REPORTS.reset(token)


def with_usage(cost: Cost, reports: Sequence[Report]) -> Cost:
    """Cost with the reported requests, tokens, money and fallbacks."""
    calls = [report for report in reports if isinstance(report, ModelCall)]
    fallbacks = [report for report in reports if isinstance(report, Fallback)]
    total = usage(calls, fallbacks)
    fields = {
        "requests": total.requests,
        "tokens": total.tokens_in + total.tokens_out,
        "money": total.money,
        "fallbacks": len(fallbacks),
    }
    return cost.model_copy(update=fields)


def _record(report: Report) -> None:
    if (reports := _REPORTS.get()) is not None:
        reports.append(report)
