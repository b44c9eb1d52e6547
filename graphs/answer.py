"""The answer of a run: text, JSON, notebook view, and its clues as a data frame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import TypeAdapter

from emer.agents.clue_edits import Edits
from emer.agents.rules.passages import Part, answer_line, cited, heading, markers, passages, render
from emer.agents.rules.phrases import STOP_REASONS
from emer.agents.types import Explanation, Hypothesis, StopReason, Turn
from emer.graphs.state import Json
from emer.graphs.trace.events import ClipFacts
from emer.tools.text import one_line
from emer.tools.types import Clue, Record
from emer.tools.weights.advice import Advice
from emer.tools.weights.catalogue import of_tool

if TYPE_CHECKING:
    from pandas import DataFrame

COLUMNS = (
    "id", "modality", "tool", "model", "start", "end", "person", "text", "confidence", "quality",
)  # fmt: skip
"""Columns of a clue frame; `start` and `end` in seconds, none for the whole clip."""


PARTS = {"speech": "words", "face": "faces"}
"""What the slots observe that the line about the tools names."""
WEAK = {"pocketsphinx": "English only, weak"}


class ToolUse(Record):
    """A tool of a run."""

    slot: str
    tool: str
    model: str | None


class AnswerRecord(Record):
    """An answer as JSON; `docs/answer.schema.json` is the schema of it."""

    schema_version: Literal[1] = 1
    file: str
    """Path of the clip, as it was given."""
    clip: ClipFacts | None = None
    question: str
    answer: str
    """The answer to the question in one sentence."""
    text: str
    """Answer and explanation as plain text; its markers are those of `markers`."""
    explanation: Explanation
    markers: dict[str, str]
    """Marker ("f1") by the id of each cited clue."""
    clues: tuple[Clue, ...]
    hypotheses: tuple[Hypothesis, ...]
    stop_reason: StopReason
    run_id: str
    thread: str
    trace: str | None
    """JSON-lines file of the run; none where none could be written."""
    seconds: float
    notes: tuple[str, ...]
    tokens: int
    money: float
    tools: tuple[ToolUse, ...] = ()
    """The tools that did not fail and had something to observe."""
    advice: Advice | None = None
    """The command that would make better tools ready, if one would."""


class PausedRecord(Record):
    """A run that waits for a review, as JSON."""

    schema_version: Literal[1] = 1
    run_id: str
    paused: Literal[True] = True
    thread: str
    trace: str
    clip: ClipFacts
    question: str
    clues: tuple[Clue, ...]
    edits: Edits
    """Edits of an unfinished review."""
    seconds: float
    next: tuple[str, ...]
    """Commands that resume the run."""


class FailureRecord(Record):
    """A clip of several that has no answer, as JSON."""

    file: str
    error: str


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
        tools: The tools that did not fail and had something to observe, by slot.
        advice: The command that would make better tools ready, if one would.

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
    tools: tuple[ToolUse, ...] = ()
    advice: Advice | None = None

    def __repr__(self) -> str:
        """One line: labels with bands, clip and run."""
        labels = "paused" if self.paused else _labels(self.explanation) or "no label"
        return one_line(f"<Answer: {labels}; {Path(self.clip).name}; run {self.run_id}>")

    def _repr_html_(self) -> str:
        """Notebook view: question, labels, explanation and clues; texts are escaped."""
        title = f"<p><b>{_safe(self.question)}</b></p>" if self.question else ""
        table = _table(self.clues, markers(self.explanation)) if self.clues else "<p>No clues.</p>"
        footer = f"{Path(self.clip).name}, run {self.run_id}: {STOP_REASONS[self.stop_reason]}"
        end = f"<p><small>{_safe(footer)}</small></p>"
        return f'<div class="emer-answer">{title}{_explanation(self.explanation)}{table}{end}</div>'

    def to_frame(self) -> DataFrame:
        """The clues as a pandas data frame, one row per clue.

        Columns: id, modality, tool, model, start and end (seconds; missing for the whole clip),
        person, text, confidence (0 to 1 or missing), quality (0 to 1).
        """
        import pandas as pd

        rows = []
        for clue in self.clues:
            span = (clue.span.start, clue.span.end) if clue.span else (None, None)
            what = (clue.person, clue.text, clue.confidence, clue.quality.score)
            rows.append((clue.id, clue.modality, clue.source.tool, clue.source.model, *span, *what))
        frame = pd.DataFrame(rows, columns=list(COLUMNS))
        numbers = dict.fromkeys(("start", "end", "confidence", "quality"), "float64")
        return frame.astype(numbers)

    @property
    def paused(self) -> bool:
        """Whether the run waits for a review; nothing is explained yet."""
        return self.stop_reason == "paused"

    @property
    def line(self) -> str:
        """The answer to the question in one sentence."""
        return answer_line(self.explanation).text

    @property
    def tools_line(self) -> str:
        """Who recognised words and faces, and what one command would improve."""
        parts = [f"{PARTS[u.slot]} by {_named(u)}" for u in self.tools if u.slot in PARTS]
        line = ", ".join(sorted(parts, reverse=True))
        if self.advice is not None:
            line += ": " if parts else ""
            line += f"`{self.advice.command}` {self.advice.gain}"
        return f"{line[:1].upper()}{line[1:]}." if line else ""

    @property
    def text(self) -> str:
        """The answer and its explanation as plain text; "[f1]" marks the first face clue."""
        return render(self.explanation)

    @property
    def record(self) -> AnswerRecord:
        """The answer as `emer ask --json` prints it."""
        return AnswerRecord(
            file=self.clip,
            question=self.question,
            answer=self.line,
            text=self.text,
            explanation=self.explanation,
            markers=markers(self.explanation),
            clues=self.clues,
            hypotheses=self.hypotheses,
            stop_reason=self.stop_reason,
            run_id=self.run_id,
            thread=self.thread,
            trace=str(self.trace_path) if self.trace_path else None,
            seconds=self.seconds,
            notes=self.notes,
            tokens=self.tokens,
            money=self.money,
            tools=self.tools,
            advice=self.advice,
        )


def answer_schema() -> Json:
    """JSON Schema of `emer ask --json`: an answer, a pause, or a list."""
    printed: TypeAdapter[object] = TypeAdapter(
        AnswerRecord | PausedRecord | tuple[AnswerRecord | FailureRecord, ...]
    )
    return printed.json_schema(mode="serialization")


def _named(use: ToolUse) -> str:
    """A tool with its weakness, or with its model where it has several."""
    what = WEAK.get(use.tool) or (use.model if len(of_tool(use.tool)) > 1 else None)
    return f"{use.tool} ({what})" if what else use.tool


def _labels(explanation: Explanation) -> str:
    """The labels with their bands: "happy (medium), surprised (low)"."""
    return ", ".join(f"{label.name} ({label.band})" for label in explanation.labels)


def _explanation(explanation: Explanation) -> str:
    names = markers(explanation)

    def shown(part: Part) -> str:
        return f"{_safe(part.text)}<small>{_safe(cited(part, names))}</small>"

    paragraphs = []
    for passage in passages(explanation):
        text = ("; " if passage.kind == "labels" else " ").join(map(shown, passage.parts))
        if passage.kind == "labels":
            text = f"<i>{_safe(heading(passage.kind, explanation))}:</i> {text}"
        strong = f"<b>{text}</b>" if passage.kind == "answer" else text
        paragraphs.append(f"<p>{strong}</p>")
    return "".join(paragraphs)


def _table(clues: Sequence[Clue], names: Mapping[str, str]) -> str:
    """The clues, folded in until they are asked for."""
    head = _row("th", ("", "clue", "seconds", "what is displayed", "quality", "tool"))
    rows = []
    for clue in clues:
        span = f"{clue.span.start:.1f}-{clue.span.end:.1f}" if clue.span else "all"
        quality = f"{clue.quality.score:.2f}"
        marker = names.get(clue.id, "")
        rows.append(_row("td", (marker, clue.id, span, clue.text, quality, clue.source.tool)))
    table = f"<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"
    return f"<details><summary>{len(clues)} clues</summary>{table}</details>"


def _row(tag: str, cells: Iterable[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{_safe(cell)}</{tag}>" for cell in cells) + "</tr>"


def _safe(text: str) -> str:
    return escape(one_line(text))
