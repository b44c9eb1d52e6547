"""One tool call: from the evidence store, or made within a time limit."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from emer.agents.types import Missing
from emer.graphs.components import declared_modality
from emer.graphs.context import Context
from emer.graphs.state import Gap, Job, Json
from emer.graphs.trace.clue_ledger import by_time
from emer.graphs.trace.events import (
    NothingObserved,
    ToolAdvanced,
    ToolFailure,
    ToolFinished,
    ToolStarted,
)
from emer.tools.errors import ConfigError, ToolFailed, ToolMissing, Unobservable, WeightsBroken
from emer.tools.registry import slots
from emer.tools.runtime.cancellation import Call, raise_if_cancelled
from emer.tools.runtime.time_limit import TimeLimitExceeded, call_with_limit
from emer.tools.text import readable
from emer.tools.tool import Answering, Tool
from emer.tools.types import Clue, Modality, Observation

NICENESS = 10
"""Niceness of tools in this process; a tool in a process of its own takes longest.

On two cores all four tools then take little longer than that one alone.
"""
LIMIT_LENGTH = 150.0
"""Length of clips, in seconds, from which the time limit of a tool grows."""


def observe(context: Context, job: Job) -> Json:
    """Carry out the job and return its update of the state; a broken tool adds a gap."""
    tool = context.tools[job.slot]
    facts: Json = {
        "slot": job.slot,
        "tool": tool.source.tool,
        "modality": tool.modality,
        "span": job.span,
        "round": job.round,
        "question": job.question,
    }
    record = Call(lambda share: context.trace.announce(ToolAdvanced(**facts, share=share)))
    began = time.monotonic()
    try:
        key = context.store.key(context.clip, tool, job.span, job.question)
        stored = context.store.get(key)
        cached = stored is not None
        context.trace.write(ToolStarted(**facts, why=job.why, cached=cached))
        observation = stored or _call_tool(context, tool, job, record)
    except BaseException as error:  # a tool may raise anything and must not end the run
        raise_if_cancelled()  # but the user may
        context.clip.check_unchanged()
        return _report_failure(context, job, error, facts | _ending(context, tool, record, began))
    context.clip.check_unchanged()  # or the store would hold this under the hash of another file
    if not cached and context.clip.is_complete():
        context.store.put(key, observation, context.clip.sha256)
    facts |= _ending(context, tool, record, began) | {"cached": cached}
    if observation.missing is None:
        context.trace.write(ToolFinished(**facts, clues=observation.clues))
        return {"clue_ids": context.ledger.add(observation.clues), "calls": 1}
    context.trace.write(NothingObserved(**facts, why=observation.missing))
    # A closer look that finds nothing is an answer, not missing evidence.
    gaps = [] if job.span else [gap(job.slot, observation.modality, observation.missing)]
    return {"gaps": gaps, "calls": 1}


def note_absent(context: Context, slot: str, error: ToolMissing) -> Json:
    """Record a slot whose package is not installed, and return its gap."""
    modality = slots().get(slot) or declared_modality(error.tool)
    why = f"{error.tool} is not ready: it needs {error.what} ({error.install})"
    facts = {"slot": slot, "tool": error.tool, "modality": modality}
    context.trace.write(ToolStarted(**facts, why="first look"))
    context.trace.write(ToolFailure(**facts, cause=_cause(error), install=error.install))
    return gap(slot, modality, why)


def gap(slot: str, modality: Modality | None, why: str) -> Json:
    """The `Gap` of a slot as plain JSON; `modality` is None where it is unknown."""
    missing = None if modality is None else Missing(modality=modality, why=why)
    return Gap(slot=slot, missing=missing).model_dump(mode="json")


def _call_tool(context: Context, tool: Tool, job: Job, record: Call) -> Observation:
    """Call the tool within its limit; the JSON round trip validates what it returns."""
    limit = context.tool_seconds * max(1.0, context.clip.duration / LIMIT_LENGTH)
    seconds = min(limit, context.seconds_left)
    if seconds <= 0:
        raise TimeLimitExceeded("the time of the run is spent")
    facts: dict[str, Any] = {"tool": tool.source.tool, "modality": tool.modality, "span": job.span}
    nice = 0 if getattr(tool, "own_process", False) else NICENESS
    try:
        found = call_with_limit(
            lambda: tuple(_clues(context, tool, job)), seconds, call=record, nice=nice
        )
    except Unobservable as error:
        return Observation(**facts, missing=str(error) or "nothing could be measured")
    clues = {clue.id: clue for clue in found}
    made = Observation(**facts, clues=by_time(clues.values()))
    return Observation.model_validate_json(made.model_dump_json())


def _clues(context: Context, tool: Tool, job: Job) -> Sequence[Clue]:
    if job.question is None or job.span is None:
        return tool.observe(context.clip, job.span)
    if not isinstance(tool, Answering):
        raise Unobservable(f"{tool.source.tool} answers no questions")
    return tool.answer(context.clip, job.span, job.question)


def _ending(context: Context, tool: Tool, record: Call, began: float) -> Json:
    """Duration and notes of a call; the notes also go to the answer."""
    context.notes.extend(f"{tool.source.tool}: {text}" for text in record.notes)
    return {"seconds": round(time.monotonic() - began, 4), "notes": record.notes}


def _report_failure(context: Context, job: Job, error: BaseException, facts: Json) -> Json:
    install = error.install if isinstance(error, ToolMissing) else None
    cause = readable(_cause(error))
    context.trace.write(ToolFailure(**facts, cause=cause, install=install))
    fix = f" ({install})" if install else ""
    where = f" (looking closer at {job.span.start:g}-{job.span.end:g} s)" if job.span else ""
    why = f"{facts['tool']} failed: {cause}{fix}{where}"
    return {"gaps": [gap(job.slot, facts["modality"], why)], "calls": 1}


def _cause(error: BaseException) -> str:
    if isinstance(error, ToolFailed):
        return error.cause
    if isinstance(error, ToolMissing):
        return f"it needs {error.what}"
    if isinstance(error, ConfigError | WeightsBroken | TimeLimitExceeded):
        return str(error)
    text = " ".join(str(error).split())[:300]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
