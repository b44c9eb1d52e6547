"""The answer of a run: text, JSON, notebook view, and its clues as a data frame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from emer.agents.rules.phrases import STOP_REASONS, cite, refusal_text, render
from emer.agents.types import Explanation, Hypothesis, StopReason, Turn
from emer.graphs.state import Json
from emer.tools.text import one_line
from emer.tools.types import Clue

if TYPE_CHECKING:
    from pandas import DataFrame

COLUMNS = (
    "id", "modality", "tool", "model", "start", "end", "person", "text", "confidence", "quality",
)  # fmt: skip
"""Columns of a clue frame; `start` and `end` in seconds, none for the whole clip."""


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
        """One line: labels with bands, clip and run."""
        labels = "paused" if self.paused else _labels(self.explanation) or "no label"
        return one_line(f"<Answer: {labels}; {Path(self.clip).name}; run {self.run_id}>")

    def _repr_html_(self) -> str:
        """Notebook view: question, labels, explanation and clues; texts are escaped."""
        title = f"<p><b>{_safe(self.question)}</b></p>" if self.question else ""
        table = _table(self.clues) if self.clues else "<p>No clues.</p>"
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
    def text(self) -> str:
        """The explanation as plain text."""
        return render(self.explanation)

    @property
    def record(self) -> Json:
        """The answer as plain JSON."""
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


def _labels(explanation: Explanation) -> str:
    """The labels with their bands: "happy (medium), surprised (low)"."""
    return ", ".join(f"{label.name} ({label.band})" for label in explanation.labels)


def _explanation(explanation: Explanation) -> str:
    if explanation.declined is not None:
        return f"<p>{_safe(refusal_text(explanation.declined))}</p>"
    labels = _safe(_labels(explanation) or "none")
    rows = [("Labels", f"<b>{labels}</b>")]
    for block, sentences in explanation.by_modality.items():
        cited = (_cited(sentence.text, sentence.clue_ids) for sentence in sentences)
        rows.append((block.capitalize(), " ".join(cited)))
    for other in explanation.alternatives:
        reading = _cited(f"{other.label}. {other.would_change}", other.clue_ids)
        rows.append(("Or else", reading))
    rows += [("Missing", _safe(f"{gap.modality}: {gap.why}")) for gap in explanation.missing]
    return "".join(f"<p><i>{name}</i> {text}</p>" for name, text in rows)


def _cited(text: str, clue_ids: tuple[str, ...]) -> str:
    return f"{_safe(text)} <small>{_safe(cite(clue_ids))}</small>"


def _table(clues: Sequence[Clue]) -> str:
    head = _row("th", ("clue", "seconds", "what is displayed", "quality", "tool"))
    rows = []
    for clue in clues:
        span = f"{clue.span.start:.1f}-{clue.span.end:.1f}" if clue.span else "all"
        quality = f"{clue.quality.score:.2f}"
        rows.append(_row("td", (clue.id, span, clue.text, quality, clue.source.tool)))
    return f"<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"


def _row(tag: str, cells: Iterable[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{_safe(cell)}</{tag}>" for cell in cells) + "</tr>"


def _safe(text: str) -> str:
    return escape(one_line(text))
