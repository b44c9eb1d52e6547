"""`ask()`: a clip and a question in, an explanation with its evidence out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from emer.agents.questions.question import check_length
from emer.agents.types import Decision, Explanation, StopReason, Turn
from emer.graphs.answer import Answer, ToolUse
from emer.graphs.checkpoints import Checkpoints
from emer.graphs.components import load_components
from emer.graphs.context import Context
from emer.graphs.session import config_for, open_run, run, trace_header
from emer.graphs.settings import (
    DEFAULT,
    Settings,
    ToolSpec,
    load_settings,
    with_profile,
    with_reasoner,
    with_subtitle,
    with_tools,
)
from emer.graphs.state import Json, initial_state
from emer.graphs.trace.clue_ledger import by_time
from emer.graphs.trace.events import Finished, Paused
from emer.graphs.trace.jsonl import Listener, TraceWriter
from emer.graphs.trace.runs import new_run_id
from emer.tools.errors import ConfigError
from emer.tools.media.clip import Clip
from emer.tools.text import readable
from emer.tools.weights.advice import advice


def collect_answer(context: Context, checkpoints: Checkpoints, final: Json, thread: str) -> Answer:
    """Answer of a run that ended or paused; writes the last event of its trace.

    `ConfigError` if the state of a paused run could not be saved.
    """
    if "__interrupt__" not in final:
        return final_answer(context, final, thread, checkpoints.note)
    checkpoint = checkpoints.of_run(thread, final["run_id"])
    if checkpoint is None:
        raise ConfigError(f"the run cannot wait for a review: {checkpoints.note}")
    seconds = context.trace.seconds
    context.trace.write(
        Paused(
            checkpoint=checkpoint,
            clue_ids=tuple(final["known_ids"]),
            subtitle=context.clip.subtitle,
            seconds=seconds,
        )
    )
    return replace(_answer(context, final, thread, checkpoints.note), seconds=seconds)


def final_answer(context: Context, final: Json, thread: str, note: str | None = None) -> Answer:
    """Answer of a run that ended; writes its last event.

    Args:
        context: Live objects of the run.
        final: Last state of the graph.
        thread: Name of the thread.
        note: Why the thread could not be saved, if it could not.

    """
    decision = Decision.model_validate(final["decision"])
    explanation = Explanation.model_validate(final["explanation"])
    stop: StopReason = decision.stop_reason or "nothing_to_ask"
    answer = replace(
        _answer(context, {**final, "history": final["history"][:-1]}, thread, note),
        explanation=explanation,
        stop_reason=stop,
        hypotheses=decision.hypotheses,
    )
    notes, seconds = answer.notes, answer.seconds
    context.trace.write(
        Finished(explanation=explanation, stop_reason=stop, notes=notes, seconds=seconds)
    )
    return answer


def _answer(context: Context, state: Json, thread: str, note: str | None) -> Answer:
    """The answer as a paused run has it: clues and costs, no explanation."""
    notes = [
        *context.clip.notes,
        context.store.note,
        note,
        *context.trace.notes,
        *context.meter.notes,
        *dict.fromkeys(context.notes),
    ]
    tools = _tools_for(context)
    idle = {gap["slot"] for gap in state.get("gaps") or ()}
    return Answer(
        explanation=Explanation(),
        clues=by_time(context.ledger.named(state["known_ids"])),
        run_id=state["run_id"],
        thread=thread,
        trace_path=context.trace.path,
        stop_reason="paused",
        seconds=context.trace.seconds,
        notes=tuple(note for note in notes if note),
        history=tuple(Turn.model_validate(turn) for turn in state["history"]),
        tokens=context.meter.tokens,
        money=context.meter.money,
        clip=str(context.clip.path),
        question=state["question"],
        tools=tuple(use for use in tools if use.slot not in idle),
        advice=advice([use.tool for use in tools if use.slot in context.chosen]),
    )


def _tools_for(context: Context) -> tuple[ToolUse, ...]:
    """The tools of a run for what its clip has: picture, sound or words."""
    lacking: set[str] = set() if context.clip.video else {"face", "scene"}
    if not context.clip.audio:
        lacking |= {"audio"} if context.clip.subtitle else {"audio", "text"}
    return tuple(
        ToolUse(slot=slot, tool=tool.source.tool, model=tool.source.model)
        for slot, tool in context.tools.items()
        if tool.modality not in lacking
    )


def ask(  # noqa: PLR0913  (the front door: all but two are optional and named)
    path: str | Path,
    question: str = DEFAULT,
    *,
    subtitle: str | None = None,
    tools: Mapping[str, ToolSpec] | None = None,
    profile: str | None = None,
    thread: str | None = None,
    llm: str | None = None,
    review: bool = False,
    settings: Settings | Path | None = None,
    listener: Listener | None = None,
) -> Answer:
    """Explain what emotion the person in a clip displays, and on what evidence.

    A tool that fails costs its clues only; the explanation names what is missing.

    Args:
        path: A video or sound file.
        question: What you want to know; by default, what emotion is displayed and why.
        subtitle: What is said: the words, or the path of a subtitle file.
        tools: Other tools by slot: a name ("mesh"), "none", "package.module:Class", or a table
            with arguments ({"use": "whisper", "model": "tiny"}).
        profile: The set of tools: "auto" (the strongest that is ready), "embedded" or "models".
        thread: Name of a conversation; its runs remember each other's questions and answers.
        llm: Language model that reasons ("openai:gpt-4.1-mini"); by default the rules alone.
        review: Pause after the first clues, so that a person can correct them (`resume`).
        settings: Settings, or a file of them, instead of ./emer.toml.
        listener: Function that is called with each event, after it is in the trace.

    Returns:
        The `Answer`: `text`, `explanation`, `clues`, `trace_path`, ...; `paused` with `review`.

    Raises:
        ConfigError: On one line, what cannot be done as asked; `ClipError`, a kind of it, when
            the file cannot be read.

    Example:
        >>> answer = emer.ask("clip.mp4", "Is she angry?", tools={"speech": "none"})
        >>> print(answer.text)
        >>> answer.to_frame()

    """
    question = readable(question)
    check_length(question)
    _check_is_question(question)
    chosen = _settings(settings, profile, tools or {}, llm)
    clip = Clip.open(path, subtitle, chosen.clip)
    if clip.subtitle and "speech" not in (tools or {}):
        chosen = with_subtitle(chosen, always=subtitle is not None)
    run_id = new_run_id(chosen.traces)
    thread = readable(thread or run_id)
    components = load_components(chosen)
    # Made before the trace file: what cannot run as asked raises here and leaves no file.
    header = trace_header(run_id, thread, components, clip)
    trace = TraceWriter(chosen.traces / f"{run_id}.jsonl", listener)
    with open_run(components, clip, trace) as (context, checkpoints):
        if review:
            _check_can_pause(context, checkpoints, chosen)
        checkpoints.renew(thread)
        trace.write(header)
        begin = initial_state(run_id, question, review)
        final = run(context, checkpoints, begin, config_for(thread, chosen))
        return collect_answer(context, checkpoints, final, thread)


def _settings(
    given: Settings | Path | None,
    profile: str | None,
    tools: Mapping[str, ToolSpec],
    llm: str | None,
) -> Settings:
    """Settings, or those of a file, with the arguments of `ask`."""
    if isinstance(given, Settings):
        settings = given if profile is None else with_profile(given, profile)
        settings = with_tools(settings, tools)
    else:
        settings = load_settings(given, profile=profile, tools=tools)
    return settings if llm is None else with_reasoner(settings, "llm", model=llm)


def _check_is_question(question: str) -> None:
    """Raise `ConfigError` for a question that is a file: each clip is asked alone."""
    if os.path.isfile(question):  # pathlib raises for a text that is too long
        raise ConfigError(f"the question {question!r} is a file; ask each clip on its own")


def _check_can_pause(context: Context, checkpoints: Checkpoints, settings: Settings) -> None:
    """Raise `ConfigError` before any tool works, where a paused run would be lost."""
    notes = [*context.trace.notes, *([checkpoints.note] if checkpoints.note else [])]
    if notes:
        if context.trace.path is not None:
            context.trace.path.unlink(missing_ok=True)
        raise ConfigError(
            f"a review needs a home that can be written ({notes[0]}); "
            f"set EMER_HOME to another folder than {settings.home}"
        )
