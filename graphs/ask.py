"""The one call: a clip and a question in, an explanation with its evidence out."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import cast

from langchain_core.runnables import RunnableConfig

from emer.agents.reasoner import Reporting
from emer.agents.text import render
from emer.agents.types import Decision, Explanation, Hypothesis, StopReason, Turn
from emer.graphs.checkpoints import Checkpoints
from emer.graphs.choosing import choose
from emer.graphs.context import Context
from emer.graphs.events import Failed, Finished, Interrupted
from emer.graphs.explain import build
from emer.graphs.header import header
from emer.graphs.loading import load_reasoner, load_tools
from emer.graphs.meter import Meter
from emer.graphs.settings import (
    DEFAULT,
    Settings,
    load_settings,
    swap,
    with_profile,
    with_reasoner,
    with_subtitle,
)
from emer.graphs.state import Json, State, fresh
from emer.graphs.trace import Listener, TraceWriter
from emer.tools.clip import Clip
from emer.tools.evidence import EvidenceStore
from emer.tools.types import Clue

RECURSION_LIMIT = 1_000
"""LangGraph's own brake; the budgets end a run long before."""

_SLICE = 0.1

GIVE_UP = 2.0
"""Seconds an interrupted run is given to end in order."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An explanation, every clue of the run, and where its trace is."""

    explanation: Explanation
    clues: tuple[Clue, ...]
    run_id: str
    thread: str
    trace_path: Path | None
    stop_reason: StopReason
    seconds: float
    notes: tuple[str, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    history: tuple[Turn, ...] = ()
    tokens: int = 0
    """Read and written by language models."""
    money: float = 0.0
    """What that cost, at the prices of the settings."""

    @property
    def text(self) -> str:
        """The explanation as a person reads it."""
        return render(self.explanation)


def ask(  # noqa: PLR0913  (the front door: all but two are optional and named)
    path: str | Path,
    question: str = DEFAULT,
    *,
    subtitle: str | None = None,
    tools: Mapping[str, str] | None = None,
    profile: str | None = None,
    thread: str | None = None,
    llm: str | None = None,
    settings: Settings | Path | None = None,
    listener: Listener | None = None,
) -> Answer:
    """Explain what emotion the clip's person displays, and on what evidence.

    `tools` puts other tools into slots ("face": "mesh", "none" or "package.module:Class").
    `llm` names the model that reasons ("openai:gpt-4.1-mini"), instead of the rules alone.
    Runs with the same `thread` remember each other's questions and answers. `listener`
    hears of each event once it is in the trace.
    Raises `ConfigError` (or `ClipError`) on one line for what the user can mend. A tool
    that breaks costs its clues only.
    """
    chosen = _settings(settings, profile, tools)
    if llm is not None:
        chosen = with_reasoner(chosen, "llm", model=llm)
    clip = Clip.open(path, subtitle)
    if clip.subtitle and "speech" not in (tools or {}):
        chosen = with_subtitle(chosen, always=subtitle is not None)
    run_id = f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-{token_hex(2)}"
    thread = thread or run_id
    ready = choose(chosen)
    found, absent = load_tools(ready.settings)
    reasoner = load_reasoner(chosen.reasoner)
    if isinstance(reasoner, Reporting):
        reasoner.prepare()
    with (
        closing(TraceWriter(chosen.traces / f"{run_id}.jsonl", listener)) as trace,
        closing(EvidenceStore(chosen.evidence)) as store,
        closing(Checkpoints(chosen.threads)) as checkpoints,
    ):
        trace.write(header(run_id, thread, ready, found, clip))
        context = Context(
            clip=clip,
            tools=found,
            absent=absent,
            store=store,
            reasoner=reasoner,
            trace=trace,
            budget=chosen.budget,
            tool_seconds=chosen.tool_seconds,
            meter=Meter(trace),
        )
        if isinstance(reasoner, Reporting):
            reasoner.report_to(context.meter.hear)
        final = _run(context, checkpoints, fresh(run_id, question), _config(thread, chosen))
        return _answer(context, checkpoints, final, thread)


def _settings(
    given: Settings | Path | None, profile: str | None, tools: Mapping[str, str] | None
) -> Settings:
    if not isinstance(given, Settings):
        return load_settings(given, profile=profile, tools=tools)
    return swap(given if profile is None else with_profile(given, profile), tools or {})


def _config(thread: str, settings: Settings) -> RunnableConfig:
    return {
        "configurable": {"thread_id": thread},
        "max_concurrency": settings.parallel,
        "recursion_limit": RECURSION_LIMIT,
    }


def _run(context: Context, checkpoints: Checkpoints, begin: Json, config: RunnableConfig) -> Json:
    """Run the graph to its end and return the last state.

    It runs beside the caller's thread, so that Ctrl-C is heard while tools are at work.
    """
    outcome: list[Json] = []
    errors: list[BaseException] = []
    done = threading.Event()

    def work() -> None:
        try:
            given = cast(State, begin)
            graph = build(checkpoints)
            outcome.append(graph.invoke(given, config, context=context, durability="exit"))
        except BaseException as error:
            errors.append(error)
        finally:
            done.set()

    carried = contextvars.copy_context()
    runner = threading.Thread(target=carried.run, args=(work,), name="emer-run", daemon=True)
    try:
        runner.start()
        # In slices: a signal that comes just before an endless wait would not end it.
        while not done.wait(_SLICE):
            pass
    except KeyboardInterrupt:
        _interrupt(context, done)
        raise
    if errors:
        seconds, cause = context.trace.seconds, f"{type(errors[0]).__name__}: {errors[0]}"
        context.trace.write(Failed(cause=cause, seconds=seconds))
        raise errors[0]
    return outcome[0]


def _interrupt(context: Context, done: threading.Event) -> None:
    """Have the waiting nodes give up, and say in the trace that the user stopped the run."""
    context.stop.set()
    with suppress(KeyboardInterrupt):
        done.wait(GIVE_UP)
    context.trace.write(Interrupted(seconds=context.trace.seconds))


def _answer(context: Context, checkpoints: Checkpoints, final: Json, thread: str) -> Answer:
    decision = Decision.model_validate(final["decision"])
    explanation = Explanation.model_validate(final["explanation"])
    stop: StopReason = decision.stop_reason or "nothing_to_ask"
    told = [
        *context.clip.notes,
        context.store.note,
        checkpoints.note,
        *context.trace.notes,
        *context.meter.notes,
        *dict.fromkeys(context.notes),
    ]
    notes = tuple(note for note in told if note)
    seconds = context.trace.seconds
    context.trace.write(
        Finished(explanation=explanation, stop_reason=stop, notes=notes, seconds=seconds)
    )
    return Answer(
        explanation=explanation,
        clues=context.ledger.clues(final["clue_ids"]),
        run_id=final["run_id"],
        thread=thread,
        trace_path=context.trace.path,
        stop_reason=stop,
        seconds=seconds,
        notes=notes,
        hypotheses=decision.hypotheses,
        history=tuple(Turn.model_validate(turn) for turn in final["history"][:-1]),
        tokens=context.meter.tokens,
        money=context.meter.money,
    )
