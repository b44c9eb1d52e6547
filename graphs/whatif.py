"""Counterfactuals: what a reasoner makes of a run's stored clues when some are left out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import JsonValue

from emer.agents.clue_edits import REVIEWER, REVISES
from emer.agents.pipeline import reason
from emer.agents.reasoner import Reasoner, Report, Reporting
from emer.agents.types import Budget, Fallback, Inquiry, Missing, ModelCall
from emer.graphs import controller
from emer.graphs.controller import left_of
from emer.graphs.loading import load_reasoner
from emer.graphs.settings import Settings, load_settings, restore, with_reasoner
from emer.graphs.trace.diff import Diff, Outcome, compare, counted, effect
from emer.graphs.trace.jsonl import Trace
from emer.graphs.trace.runs import Usage, usage
from emer.tools.errors import ConfigError
from emer.tools.types import MODALITIES, Clue, Record

RULES = "rules"


class WhatIf(Record):
    """A run reasoned anew twice, with everything and with something left out."""

    run_id: str
    reasoner: str
    without: tuple[str, ...]
    removed: tuple[Clue, ...]
    everything: Outcome
    rest: Outcome
    changes: Diff
    usage: Usage = Usage()
    """What both took of a language model."""


def whatif(
    trace: Trace,
    without: Sequence[str] = (),
    without_clues: Sequence[str] = (),
    *,
    llm: str | None = None,
    rules: bool = False,
    settings: Settings | Path | None = None,
) -> WhatIf:
    """Return what would change if tools, modalities or single clues had not been there.

    No tool runs. Both sides are reasoned anew by the run's own reasoner (or by the model
    `llm`, or the rules), so that they differ in what is left out alone. "reviewer" leaves
    out what a person changed. Memory is left out of both sides: with fewer clues the run
    itself, if it was kept, would count as another clip. `ConfigError` names what there is
    instead of an unknown name.
    """
    if not (without or without_clues):
        raise ConfigError("say what to leave out: --without face, --without-clue ID")
    if not trace.clues:
        raise ConfigError(f"run {trace.header.run_id} holds no clues to reason from")
    chosen = _chosen(trace, llm, rules, settings)
    kept = _kept(trace, without, _ids(trace, without_clues))
    thinker = _Thinker(load_reasoner(chosen.reasoner), chosen.budget)
    whole = thinker.outcome(trace, trace.clues)
    rest = thinker.outcome(trace, kept)
    found = compare(whole, rest)
    return WhatIf(
        run_id=trace.header.run_id,
        reasoner=chosen.reasoner.use,
        without=(*without, *without_clues),
        removed=found.clues_only_a,
        everything=whole,
        rest=rest,
        changes=found.model_copy(update={"because": (_told(found), *effect(found))}),
        usage=usage(thinker.calls, thinker.fallbacks),
    )


def _told(found: Diff) -> str:
    """Return what was left out in words."""
    if not (found.clues_only_a or found.clues_only_b):
        return "Nothing of it is among the clues, so nothing changes."
    back = f"; as before the review: {counted(found.clues_only_b)}" if found.clues_only_b else ""
    return f"Left out: {counted(found.clues_only_a)}{back}."


class _Thinker:
    """A reasoner, and what it spends of the run's budget."""

    def __init__(self, reasoner: Reasoner, budget: Budget) -> None:
        self.calls: list[ModelCall] = []
        self.fallbacks: list[Fallback] = []
        self._reasoner, self._budget = reasoner, budget
        if isinstance(reasoner, Reporting):
            reasoner.prepare()
            reasoner.report_to(self._hear)

    def outcome(self, trace: Trace, clues: Sequence[Clue]) -> Outcome:
        found = reason(self._reasoner, _inquiry(trace, clues), self._left)
        return Outcome(
            clues=tuple(clues),
            hypotheses=found.decision.hypotheses,
            stop_reason=found.decision.stop_reason,
            explanation=found.explanation,
        )

    def _hear(self, report: Report) -> None:
        if isinstance(report, ModelCall):
            self.calls.append(report)
        elif isinstance(report, Fallback):
            self.fallbacks.append(report)

    def _left(self) -> Budget:
        tokens = sum(call.tokens_in + call.tokens_out for call in self.calls)
        money = sum(call.money or 0.0 for call in self.calls)
        seconds = sum(call.seconds for call in self.calls)
        used = Budget(rounds=0, tool_calls=0, seconds=seconds, tokens=tokens, money=money)
        return left_of(self._budget, used)


def _chosen(
    trace: Trace, llm: str | None, rules: bool, settings: Settings | Path | None
) -> Settings:
    """Return the settings that count here: the reasoner and its budget, as in the trace."""
    if llm is not None and rules:
        raise ConfigError("either --llm or --rules: one reasoner at a time")
    today = settings if isinstance(settings, Settings) else load_settings(settings)
    told = trace.header.settings
    known = told if isinstance(told, dict) else {}
    kept: dict[str, JsonValue] = {n: v for n, v in known.items() if n in ("reasoner", "budget")}
    chosen = restore(kept, today.home, today)
    if llm is not None:
        return with_reasoner(chosen, "llm", model=llm)
    return with_reasoner(chosen, RULES) if rules else chosen


def _ids(trace: Trace, given: Sequence[str]) -> frozenset[str]:
    """Return the clues that are meant; `ConfigError` for an id that stands for none."""
    known = [clue.id for clue in trace.clues]
    for id in given:
        if id not in known:
            raise ConfigError(f"there is no clue {id!r}; the run has {', '.join(known)}")
    return frozenset(given)


def _kept(trace: Trace, without: Sequence[str], ids: frozenset[str]) -> tuple[Clue, ...]:
    """Return the clues that are left."""
    named = {name.strip().casefold() for name in without}
    tools = _tools(trace, named)
    by_id = {clue.id: clue for clue in trace.observed}
    pool = trace.clues
    if REVIEWER.tool in named:  # as if nobody had reviewed them
        pool = tuple(clue for clue in trace.observed if clue.source != REVIEWER)
    return tuple(
        clue
        for clue in pool
        if clue.id not in ids
        and clue.modality not in named
        and not {c.source.tool for c in _origins(clue, by_id)} & tools
    )


def _tools(trace: Trace, named: set[str]) -> set[str]:
    """Return the tools of the slots and tools that are named; `ConfigError` lists what is known."""
    slots = {slot: source.tool for slot, source in trace.header.tools.items()}
    known = {*slots, *slots.values(), *(c.source.tool for c in trace.observed)}
    strangers = sorted(named - known - set(MODALITIES))
    if strangers:
        there = ", ".join(sorted({*known, *MODALITIES}))
        raise ConfigError(f"{strangers[0]!r} is nothing to leave out; there is: {there}")
    return {slots.get(name, name) for name in named} - set(MODALITIES)


def _origins(clue: Clue, by_id: dict[str, Clue]) -> list[Clue]:
    """Return a clue, and the one before a person put it differently."""
    before = by_id.get(str(clue.data.get(REVISES)))
    return [clue] if before is None else [clue, *_origins(before, by_id)]


def _inquiry(trace: Trace, clues: Sequence[Clue]) -> Inquiry:
    """Return what the run's reasoner was told, with these clues instead."""
    started = trace.started
    left = {clue.modality for clue in clues}
    gone = {clue.modality for clue in trace.clues} - left
    told = [controller.bare(record) for record in _missing(trace)]
    told += [Missing(modality=m, why="left out, to see what changes") for m in sorted(gone)]
    return Inquiry(
        question=started.question if started else "",
        clues=tuple(clues),
        missing=controller.partly(told, clues),
        duration=trace.header.clip.duration,
        history=tuple(
            turn
            for turn in (started.history if started else ())
            if turn.is_about(trace.header.clip.name, trace.header.clip.sha256)
        ),
    )


def _missing(trace: Trace) -> tuple[Missing, ...]:
    return trace.explanation.missing if trace.explanation else ()
