"""Notebook view of an answer, and its clues as a data frame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from emer.agents.rules.phrases import cite, refusal_text
from emer.agents.types import Explanation
from emer.tools.text import one_line
from emer.tools.types import Clue

if TYPE_CHECKING:
    from pandas import DataFrame

COLUMNS = (
    "id", "modality", "tool", "model", "start", "end", "person", "text", "confidence", "quality",
)  # fmt: skip
"""Columns of a clue frame; `start` and `end` in seconds, none for the whole clip."""


def clue_frame(clues: Sequence[Clue]) -> DataFrame:
    """The clues as a pandas data frame with `COLUMNS`, one row per clue."""
    import pandas as pd

    rows = []
    for clue in clues:
        span = (clue.span.start, clue.span.end) if clue.span else (None, None)
        what = (clue.person, clue.text, clue.confidence, clue.quality.score)
        rows.append((clue.id, clue.modality, clue.source.tool, clue.source.model, *span, *what))
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    numbers = dict.fromkeys(("start", "end", "confidence", "quality"), "float64")
    return frame.astype(numbers)


def labels_in_words(explanation: Explanation) -> str:
    """The labels with their bands: "happy (medium), surprised (low)"."""
    return ", ".join(f"{label.name} ({label.band})" for label in explanation.labels)


def answer_html(title: str, explanation: Explanation, clues: Sequence[Clue], footer: str) -> str:
    """HTML view of an answer; every text is escaped.

    Args:
        title: The question.
        explanation: Sentences, labels, alternatives and missing modalities.
        clues: The evidence, one row of a table each.
        footer: The last line: clip, run and why the run stopped.

    """
    head = f"<p><b>{_safe(title)}</b></p>" if title else ""
    table = _table(clues) if clues else "<p>No clues.</p>"
    end = f"<p><small>{_safe(footer)}</small></p>"
    return f'<div class="emer-answer">{head}{_explanation(explanation)}{table}{end}</div>'


def _explanation(explanation: Explanation) -> str:
    if explanation.declined is not None:
        return f"<p>{_safe(refusal_text(explanation.declined))}</p>"
    labels = _safe(labels_in_words(explanation) or "none")
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
