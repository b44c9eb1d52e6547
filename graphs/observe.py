"""One tool call: cached, bounded, recorded.

Calling something that may hang: with a time limit, and without waiting at exit.

One tool call: from the evidence store if it knows, else made, bounded and recorded.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Generic, TypeVar

from emer.agents.types import Missing
from emer.graphs.context import Context
from emer.graphs.loading import declared
from emer.graphs.state import Gap, Job, Json
from emer.graphs.trace.clue_ledger import in_order
from emer.graphs.trace.events import NothingObserved, ToolFailure, ToolFinished, ToolStarted
from emer.tools.errors import ConfigError, ToolFailed, ToolMissing, Unobservable, WeightsBroken
from emer.tools.registry import slots
from emer.tools.runtime.cancellation import Call, in_call
from emer.tools.tool import Answering, Tool
from emer.tools.types import Clue, Modality, Observation

Result = TypeVar("Result")

_SLICE = 0.05
"""Seconds between looks at whether the run was stopped."""


class TimeUp(Exception):
    """The call did not return within its limit and was abandoned."""


class Stopped(Exception):
    """The user stopped the run while the call was going on."""


class _Outcome(Generic[Result]):
    def __init__(self) -> None:
        self.done = threading.Event()
        self.value: Result | None = None
        self.error: BaseException | None = None


def call(
    work: Callable[[], Result],
    seconds: float,
    stop: threading.Event,
    nice: int = 0,
    this: Call | None = None,
) -> Result:
    """Return what `work` returns or raise what it raises, waiting at most `seconds`.

    `nice` is how far the thread steps back for others, as in Unix's nice(1). `this` hears
    what the work notes, and is given up when nobody waits any more.

    It runs in a daemon thread of its own: Python cannot end a thread, and those of an
    executor are waited for when the process exits, so a hanging tool would hold it back.
    Raises `TimeUp`, or `Stopped` once `stop` is set.
    """
    outcome: _Outcome[Result] = _Outcome()
    this = this or Call()
    given = (work, outcome, nice, this)
    threading.Thread(target=_run, args=given, name="emer-tool", daemon=True).start()
    try:
        in_time = _wait(outcome.done, seconds, stop)
    except BaseException:
        this.cancel()
        raise
    if not in_time:
        this.cancel()
        raise TimeUp(f"no result within {seconds:g} s")
    if outcome.error is not None:
        raise outcome.error
    return outcome.value  # type: ignore[return-value]


def _run(work: Callable[[], Result], outcome: _Outcome[Result], nice: int, this: Call) -> None:
    _step_back(nice)
    try:
        with in_call(this):
            outcome.value = work()
    except BaseException as error:  # SystemExit too: a tool must not end the run
        outcome.error = error
    finally:
        outcome.done.set()


def _step_back(nice: int) -> None:
    """Lower this thread's priority; on Linux alone a thread has one of its own."""
    if nice and sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)


def _wait(done: threading.Event, seconds: float, stop: threading.Event) -> bool:
    """Tell whether `done` was set in time; raise `Stopped` if `stop` was first."""
    deadline = time.monotonic() + seconds
    while not done.is_set():
        left = deadline - time.monotonic()
        if stop.is_set():
            raise Stopped
        if left <= 0:
            return False
        done.wait(min(left, _SLICE))
    return True


STEP_BACK = 10
"""How far tools at work in this process step back for one in a process of its own, which
is the longest: on two cores all four then take little longer than it does alone."""

ROOM = 150.0
"""Seconds of a clip that a tool has its time limit for; a longer clip has as much more."""


def observe(context: Context, job: Job) -> Json:
    """Carry out the job and return what it adds to the state; a broken tool adds a gap."""
    tool = context.tools[job.slot]
    facts, this = _facts(tool, job), Call()
    began = time.monotonic()
    try:
        key = context.store.key(context.clip, tool, job.span, job.question)
        known = context.store.get(key)
        cached = known is not None
        context.trace.write(ToolStarted(**facts, why=job.why, cached=cached))
        observation = known or _look(context, tool, job, this)
    except Stopped:
        raise
    except BaseException as error:  # a tool may raise anything and must not end the run
        facts |= {"seconds": _since(began), "notes": _noted(context, tool, this)}
        return _failed(context, job, error, facts)
    if not cached:
        context.store.put(key, observation)
    facts |= {"seconds": _since(began), "notes": _noted(context, tool, this), "cached": cached}
    return _report(context, job, observation, facts)


def note_absent(context: Context, slot: str, error: ToolMissing) -> Json:
    """Record a slot whose package is not installed, and return its gap."""
    modality = slots().get(slot) or declared(error.tool)
    why = f"{error.tool} is not ready: it needs {error.what} ({error.install})"
    facts = {"slot": slot, "tool": error.tool, "modality": modality}
    context.trace.write(ToolStarted(**facts, why="first look"))
    context.trace.write(ToolFailure(**facts, cause=_cause(error), install=error.install))
    missing = None if modality is None else Missing(modality=modality, why=why)
    return Gap(slot=slot, missing=missing).model_dump(mode="json")


def _look(context: Context, tool: Tool, job: Job, this: Call) -> Observation:
    """Call the tool within its time; what comes back has been through JSON and its checks."""
    room = max(1.0, context.clip.duration / ROOM)
    seconds = min(context.tool_seconds * room, context.seconds_left)
    if seconds <= 0:
        raise TimeUp("the time of the run is spent")
    facts: dict[str, Any] = {
        "tool": tool.source.tool,
        "modality": tool.modality,
        "span": job.span,
    }
    try:
        given = call(
            lambda: tuple(_ask(context, tool, job)),
            seconds,
            context.stop,
            0 if getattr(tool, "own_process", False) else STEP_BACK,
            this,
        )
    except Unobservable as error:
        return Observation(**facts, missing=str(error) or "nothing could be measured")
    clues = {clue.id: clue for clue in given}
    made = Observation(**facts, clues=in_order(clues.values()))
    return Observation.model_validate_json(made.model_dump_json())


def _ask(context: Context, tool: Tool, job: Job) -> Sequence[Clue]:
    """Have the tool look, or answer what it is asked."""
    if job.question is None or job.span is None:
        return tool.observe(context.clip, job.span)
    if not isinstance(tool, Answering):
        raise Unobservable(f"{tool.source.tool} answers no questions")
    return tool.answer(context.clip, job.span, job.question)


def _report(context: Context, job: Job, observation: Observation, facts: Json) -> Json:
    if observation.missing is None:
        context.trace.write(ToolFinished(**facts, clues=observation.clues))
        return {"clue_ids": context.ledger.add(observation.clues), "calls": 1}
    context.trace.write(NothingObserved(**facts, why=observation.missing))
    # A closer look that finds nothing is an answer, not missing evidence.
    gaps = [] if job.span else [_gap(job, observation.modality, observation.missing)]
    return {"gaps": gaps, "calls": 1}


def _noted(context: Context, tool: Tool, this: Call) -> tuple[str, ...]:
    """Return what the call noted, and keep it for the answer."""
    context.notes.extend(f"{tool.source.tool}: {text}" for text in this.notes)
    return this.notes


def _failed(context: Context, job: Job, error: BaseException, facts: Json) -> Json:
    install = error.install if isinstance(error, ToolMissing) else None
    cause = _cause(error)
    context.trace.write(ToolFailure(**facts, cause=cause, install=install))
    way_out = f" ({install})" if install else ""
    why = f"{facts['tool']} failed: {cause}{way_out}"
    return {"gaps": [_gap(job, facts["modality"], why)], "calls": 1}


def _gap(job: Job, modality: Modality, why: str) -> Json:
    where = f" (looking closer at {job.span.start:g}-{job.span.end:g} s)" if job.span else ""
    missing = Missing(modality=modality, why=f"{why}{where}")
    return Gap(slot=job.slot, missing=missing).model_dump(mode="json")


def _cause(error: BaseException) -> str:
    """Return what went wrong on one line."""
    if isinstance(error, ToolFailed):
        return error.cause
    if isinstance(error, ToolMissing):
        return f"it needs {error.what}"
    if isinstance(error, ConfigError | WeightsBroken | TimeUp):
        return str(error)
    text = " ".join(str(error).split())[:300]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _facts(tool: Tool, job: Job) -> Json:
    return {
        "slot": job.slot,
        "tool": tool.source.tool,
        "modality": tool.modality,
        "span": job.span,
        "round": job.round,
        "question": job.question,
    }


def _since(began: float) -> float:
    return round(time.monotonic() - began, 4)
