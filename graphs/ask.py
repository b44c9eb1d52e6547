"""Ask(): a clip in, an Answer out.

What a run comes to: an explanation with its evidence, or a pause for a person.

The one call: a clip and a question in, an explanation with its evidence out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from emer.agents.rules.phrases import STOP_REASONS, render
from emer.agents.types import Decision, Explanation, Hypothesis, StopReason, Turn
from emer.graphs.answer_view import answer_html, clue_frame, labels_in_words
from emer.graphs.checkpoints import Checkpoints
from emer.graphs.context import Context
from emer.graphs.session import config_for, gather, header, new_run, opened, run
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
from emer.graphs.state import Json, fresh
from emer.graphs.trace.clue_ledger import in_order
from emer.graphs.trace.events import Finished, Paused
from emer.graphs.trace.jsonl import Listener, TraceWriter
from emer.tools.errors import ConfigError
from emer.tools.media.clip import Clip
from emer.tools.text import one_line
from emer.tools.types import Clue

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """Result of a run: the explanation, its clues and where the trace is.

    Args:
        explanation: Sentences and labels, each with the ids of its clues; empty when paused.
        clues: All clues at the end of the run, by modality and time.
        run_id: Name of the run, for `emer trace show` and `resume`.
        thread: Name of the conversation that the run belongs to.
        trace_path: JSON-lines file of the run; None where none could be written.
        stop_reason: Why the run stopped: "sure", "paused", "declined", ...
        seconds: Time that the run took.
        notes: What a reader should know: damaged frames, a fallback, a missing store.
        hypotheses: The readings that were weighed, with their scores.
        history: Earlier questions and answers of the thread.
        tokens: Tokens that language models read and wrote.
        money: Price of these tokens, in the currency of the settings.
        clip: Path of the clip.
        question: The question.

    """

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
    money: float = 0.0
    clip: str = ""
    question: str = ""

    def __repr__(self) -> str:
        """Return one line: labels with bands, clip and run."""
        labels = "paused" if self.paused else labels_in_words(self.explanation) or "no label"
        return one_line(f"<Answer: {labels}; {Path(self.clip).name}; run {self.run_id}>")

    def _repr_html_(self) -> str:
        """Return the view of a notebook: question, labels, explanation and clues."""
        footer = f"{Path(self.clip).name}, run {self.run_id}: {STOP_REASONS[self.stop_reason]}"
        return answer_html(self.question, self.explanation, self.clues, footer)

    def to_frame(self) -> DataFrame:
        """Return the clues as a pandas data frame, one row per clue.

        Columns: id, modality, tool, model, start and end (seconds; missing for the whole clip),
        person, text, confidence (0 to 1 or missing), quality (0 to 1).
        """
        return clue_frame(self.clues)

    @property
    def paused(self) -> bool:
        """Whether the run waits for a person's review; nothing is explained yet."""
        return self.stop_reason == "paused"

    @property
    def text(self) -> str:
        """The explanation as a person reads it."""
        return render(self.explanation)

    @property
    def record(self) -> Json:
        """All of it as plain JSON."""
        return {
            "run_id": self.run_id,
            "thread": self.thread,
            "trace": str(self.trace_path) if self.trace_path else None,
            "text": self.text,
            "explanation": self.explanation.model_dump(mode="json"),
            "clues": [clue.model_dump(mode="json") for clue in self.clues],
            "hypotheses": [hypothesis.model_dump(mode="json") for hypothesis in self.hypotheses],
            "stop_reason": self.stop_reason,
            "seconds": self.seconds,
            "notes": list(self.notes),
            "tokens": self.tokens,
            "money": self.money,
        }


def answer(context: Context, checkpoints: Checkpoints, final: Json, thread: str) -> Answer:
    """Return what the run has come to, and write its last event."""
    if "__interrupt__" in final:
        return _pause(context, checkpoints, final, thread)
    return conclude(context, final, thread, checkpoints.note)


def conclude(context: Context, final: Json, thread: str, note: str | None = None) -> Answer:
    """Return what a run that came to its end concludes, and write its last event."""
    decision = Decision.model_validate(final["decision"])
    explanation = Explanation.model_validate(final["explanation"])
    stop: StopReason = decision.stop_reason or "nothing_to_ask"
    notes, seconds = _notes(context, note), context.trace.seconds
    context.trace.write(
        Finished(explanation=explanation, stop_reason=stop, notes=notes, seconds=seconds)
    )
    return Answer(
        explanation=explanation,
        clues=_clues(context, final),
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
        clip=str(context.clip.path),
        question=final["question"],
    )


def _pause(context: Context, checkpoints: Checkpoints, state: Json, thread: str) -> Answer:
    """Return the answer of a run that waits; `ConfigError` if it could not be taken up again."""
    checkpoint = checkpoints.of_run(thread, state["run_id"])
    seconds = context.trace.seconds
    if checkpoint is None:
        raise ConfigError(f"the run cannot wait for a review: {checkpoints.note}")
    context.trace.write(
        Paused(
            checkpoint=checkpoint,
            clue_ids=tuple(state["known_ids"]),
            subtitle=context.clip.subtitle,
            seconds=seconds,
        )
    )
    return Answer(
        explanation=Explanation(),
        clues=_clues(context, state),
        run_id=state["run_id"],
        thread=thread,
        trace_path=context.trace.path,
        stop_reason="paused",
        seconds=seconds,
        notes=_notes(context, checkpoints.note),
        history=tuple(Turn.model_validate(turn) for turn in state["history"]),
        tokens=context.meter.tokens,
        money=context.meter.money,
        clip=str(context.clip.path),
        question=state["question"],
    )


def _clues(context: Context, state: Json) -> tuple[Clue, ...]:
    return in_order(context.ledger.named(state["known_ids"]))


def _notes(context: Context, thread: str | None) -> tuple[str, ...]:
    told = [
        *context.clip.notes,
        context.store.note,
        thread,
        *context.trace.notes,
        *context.meter.notes,
        *dict.fromkeys(context.notes),
    ]
    return tuple(note for note in told if note)


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
