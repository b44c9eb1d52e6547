"""Counterfactuals: a run reasoned again from its stored clues, with some left out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import JsonValue

from emer.agents.clue_edits import REVIEWER, REVISES
from emer.agents.pipeline import reason
from emer.agents.questions.question import check_length
from emer.agents.reasoner import Reasoner, Report, Reporting
from emer.agents.types import Budget, Fallback, Inquiry, Missing, ModelCall
from emer.graphs import controller
from emer.graphs.components import load_reasoner
from emer.graphs.settings import Settings, load_settings, with_reasoner
from emer.graphs.trace.diff import Diff, Outcome, clue_counts, compare, effects
from emer.graphs.trace.jsonl import Trace
from emer.graphs.trace.runs import Usage, usage
from emer.graphs.trace.stored_settings import restore
from emer.tools.errors import ConfigError
from emer.tools.types import MODALITIES, Clue, Record


class WhatIf(Record):
    """A run reasoned again twice: with all its clues, and with some left out."""

    run_id: str
    reasoner: str
    without: tuple[str, ...]
    removed: tuple[Clue, ...]
    everything: Outcome
    rest: Outcome
    changes: Diff
    usage: Usage = Usage()
    """Calls of language models on both sides."""


def whatif(
    trace: Trace,
    without: Sequence[str] = (),
    without_clues: Sequence[str] = (),
    *,
    llm: str | None = None,
    rules: bool = False,
    settings: Settings | Path | None = None,
    trust: bool = False,
) -> WhatIf:
    """What would change without some tools, modalities or single clues; no tool runs.

    Both sides are reasoned again, so that they differ only in the clues. Neither uses the
    memory: with fewer clues the run itself, as an exemplar, would count as another clip.

    Args:
        trace: The run.
        without: Slots, tools and modalities to leave out; "reviewer" is a person's changes.
        without_clues: Ids of clues to leave out.
        llm: Language model that reasons, instead of the reasoner of the run.
        rules: Whether the rules reason, instead of the reasoner of the run.
        settings: Settings, or a file of them, for secrets that the trace masks.
        trust: Take the reasoner of a trace from elsewhere as it is.

    Raises:
        ConfigError: An unknown name, with the known ones.

    """
    if not (without or without_clues):
        raise ConfigError("say what to leave out: --without face, --without-clue ID")
    if not trace.clues:
        raise ConfigError(f"run {trace.header.run_id} holds no clues to reason from")
    chosen = whatif_settings(trace, llm, rules=rules, settings=settings, trust=trust)
    clues = _rest(trace, without, without_clues)
    reasoner = _BudgetedReasoner(load_reasoner(chosen.reasoner), chosen.budget)
    everything = reasoner.outcome(_inquiry(trace, trace.clues))
    rest = reasoner.outcome(_inquiry(trace, clues))
    changes = compare(everything, rest)
    removed, restored = changes.clues_only_a, changes.clues_only_b
    removal = "Nothing of it is among the clues, so nothing changes."
    if removed or restored:
        back = f"; as before the review: {clue_counts(restored)}" if restored else ""
        removal = f"Left out: {clue_counts(removed)}{back}."
    return WhatIf(
        run_id=trace.header.run_id,
        reasoner=chosen.reasoner.use,
        without=(*without, *without_clues),
        removed=removed,
        everything=everything,
        rest=rest,
        changes=changes.model_copy(update={"because": (removal, *effects(changes))}),
        usage=reasoner.usage,
    )


class _BudgetedReasoner:
    def __init__(self, reasoner: Reasoner, budget: Budget) -> None:
        self._reasoner, self._budget = reasoner, budget
        self._reports: list[Report] = []
        if isinstance(reasoner, Reporting):
            reasoner.prepare()
            reasoner.report_to(self._reports.append)

    @property
    def usage(self) -> Usage:
        return usage(
            (report for report in self._reports if isinstance(report, ModelCall)),
            (report for report in self._reports if isinstance(report, Fallback)),
        )

    def outcome(self, inquiry: Inquiry) -> Outcome:
        result = reason(self._reasoner, inquiry, self._left)
        return Outcome(
            clues=inquiry.clues,
            hypotheses=result.decision.hypotheses,
            stop_reason=result.decision.stop_reason,
            explanation=result.explanation,
        )

    def _left(self) -> Budget:
        spent = self.usage
        used = Budget(
            rounds=0, tool_calls=0, seconds=spent.seconds, tokens=spent.tokens, money=spent.money
        )
        return controller.remaining(self._budget, used)


def whatif_settings(
    trace: Trace,
    llm: str | None = None,
    *,
    rules: bool = False,
    settings: Settings | Path | None = None,
    trust: bool = False,
) -> Settings:
    """Settings with the reasoner and budget of the trace; arguments as of `whatif`."""
    if llm is not None and rules:
        raise ConfigError("either --llm or --rules: one reasoner at a time")
    current = settings if isinstance(settings, Settings) else load_settings(settings)
    stored = trace.header.settings if isinstance(trace.header.settings, dict) else {}
    parts: dict[str, JsonValue] = {n: v for n, v in stored.items() if n in ("reasoner", "budget")}
    reasoner = parts.get("reasoner")
    if rules:
        parts.pop("reasoner", None)
    elif llm is not None and isinstance(reasoner, dict):
        parts["reasoner"] = {n: v for n, v in reasoner.items() if n != "model"}
    chosen = restore(trace.header, current, home=current.home, trust=trust, parts=parts)
    if llm is not None:
        return with_reasoner(chosen, "llm", model=llm)
    return with_reasoner(chosen, "rules") if rules else chosen


def _rest(trace: Trace, without: Sequence[str], ids: Sequence[str]) -> tuple[Clue, ...]:
    """The clues that are left; `ConfigError` for an unknown id or name."""
    known = [clue.id for clue in trace.clues]
    for id in ids:
        if id not in known:
            raise ConfigError(f"there is no clue {id!r}; the run has {', '.join(known)}")
    named = {name.strip().casefold() for name in without}
    tools = _tools(trace, named)
    by_id = {clue.id: clue for clue in trace.observed}
    pool = trace.clues
    if REVIEWER.tool in named:  # the clues as they were before the review
        pool = tuple(clue for clue in trace.observed if clue.source != REVIEWER)
    return tuple(
        clue
        for clue in pool
        if clue.id not in ids
        and clue.modality not in named
        and not {c.source.tool for c in _origins(clue, by_id)} & tools
    )


def _tools(trace: Trace, named: set[str]) -> set[str]:
    """Tools of the named slots and tools; `ConfigError` lists the known names."""
    slots = {slot: source.tool for slot, source in trace.header.tools.items()}
    known = {*slots, *slots.values(), *(c.source.tool for c in trace.observed)}
    unknown = sorted(named - known - set(MODALITIES))
    if unknown:
        names = ", ".join(sorted({*known, *MODALITIES}))
        raise ConfigError(f"{unknown[0]!r} is nothing to leave out; there is: {names}")
    return {slots.get(name, name) for name in named} - set(MODALITIES)


def _origins(clue: Clue, by_id: dict[str, Clue]) -> list[Clue]:
    """A clue, and the clues that it rewrites."""
    before = by_id.get(str(clue.data.get(REVISES)))
    return [clue] if before is None else [clue, *_origins(before, by_id)]


def _inquiry(trace: Trace, clues: tuple[Clue, ...]) -> Inquiry:
    check_length(trace.question)
    clip = trace.header.clip
    removed = {clue.modality for clue in trace.clues} - {clue.modality for clue in clues}
    missing = trace.explanation.missing if trace.explanation else ()
    left_out = (Missing(modality=m, why="left out, to see what changes") for m in sorted(removed))
    history = trace.started.history if trace.started else ()
    return Inquiry(
        question=trace.question,
        clues=clues,
        missing=controller.mark_partly((*missing, *left_out), clues),
        duration=clip.duration,
        history=tuple(turn for turn in history if turn.is_about(clip.name, clip.sha256)),
        struck=trace.struck,
        language=trace.explanation.language if trace.explanation else "auto",
    )
