"""The one call: a clip and a question in, an explanation with its evidence out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from emer.graphs.answer import Answer, answer
from emer.graphs.checkpoints import Checkpoints
from emer.graphs.context import Context
from emer.graphs.header import header
from emer.graphs.running import config_for, gather, new_run, opened, run
from emer.graphs.settings import (
    DEFAULT,
    Settings,
    Wanted,
    load_settings,
    swap,
    with_profile,
    with_reasoner,
    with_subtitle,
)
from emer.graphs.state import fresh
from emer.graphs.trace import Listener, TraceWriter
from emer.tools.clip import Clip
from emer.tools.errors import ConfigError

__all__ = ["Answer", "ask"]


def ask(  # noqa: PLR0913  (the front door: all but two are optional and named)
    path: str | Path,
    question: str = DEFAULT,
    *,
    subtitle: str | None = None,
    tools: Mapping[str, Wanted] | None = None,
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
        subtitle: What is said: the words, or the path of an .srt or .vtt file.
        tools: Other tools by slot: a name ("mesh"), "none", "package.module:Class", or a table
            with arguments ({"use": "whisper", "model": "tiny"}).
        profile: The set of tools: "embedded", "models", or "auto" (the strongest that is ready).
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
    chosen = _settings(settings, profile, tools)
    if llm is not None:
        chosen = with_reasoner(chosen, "llm", model=llm)
    clip = Clip.open(path, subtitle)
    if clip.subtitle and "speech" not in (tools or {}):
        chosen = with_subtitle(chosen, always=subtitle is not None)
    run_id = new_run()
    thread = thread or run_id
    cast = gather(chosen)
    begins = header(run_id, thread, cast, clip)  # what cannot run as asked is said before a trace
    trace = TraceWriter(chosen.traces / f"{run_id}.jsonl", listener)
    with opened(cast, clip, trace) as (context, checkpoints):
        if review:
            _check_it_can_wait(context, checkpoints, chosen)
        trace.write(begins)
        begin = fresh(run_id, question, review)
        final = run(context, checkpoints, begin, config_for(thread, chosen))
        return answer(context, checkpoints, final, thread)


def _settings(
    given: Settings | Path | None, profile: str | None, tools: Mapping[str, Wanted] | None
) -> Settings:
    if not isinstance(given, Settings):
        return load_settings(given, profile=profile, tools=tools)
    return swap(given if profile is None else with_profile(given, profile), tools or {})


def _check_it_can_wait(context: Context, checkpoints: Checkpoints, settings: Settings) -> None:
    """Raise `ConfigError` before any tool works, where a paused run would be lost."""
    notes = [*context.trace.notes, *([checkpoints.note] if checkpoints.note else [])]
    if notes:
        if context.trace.path is not None:
            context.trace.path.unlink(missing_ok=True)
        raise ConfigError(
            f"a review needs a home that can be written ({notes[0]}); "
            f"set EMER_HOME to another folder than {settings.home}"
        )
