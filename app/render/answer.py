"""Page and JSON record of an answer: explanation with clue ids, labels and clues."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from emer.agents.rules.phrases import STOP_REASONS, cite, refusal_text
from emer.agents.types import Explanation
from emer.app.render.format import list_table, notes, seconds, span, unwrapped
from emer.graphs.trace.events import Header
from emer.tools.text import one_line, printable
from emer.tools.types import Clue

if TYPE_CHECKING:
    from emer.app.render.progress import Progress
    from emer.graphs.answer import Answer

BAND_STYLE = {"high": "bold green", "medium": "bold yellow", "low": "bold"}
MODALITY_STYLE = {"face": "magenta", "scene": "blue", "audio": "yellow", "text": "cyan"}


def answer_page(answer: Answer, progress: Progress) -> RenderableType:
    """Page of an answer, as `emer ask` prints it."""
    header, trace = progress.header, answer.trace_path
    ending = (
        f"stopped after {seconds(answer.seconds)}: {STOP_REASONS[answer.stop_reason]}",
        f"run {answer.run_id}  (emer trace show {answer.run_id})",
        f"trace {one_line(str(trace) if trace else 'not written')}",
    )
    return Group(
        *([heading(header, answer.question)] if header else []),
        explanation_table(answer.explanation),
        clue_table(answer.clues),
        *notes(answer.notes),
        *map(unwrapped, ending),
    )


def answer_record(answer: Answer, progress: Progress) -> dict[str, object]:
    """JSON record of an answer, as `emer ask --json` prints it."""
    clip = progress.header.clip if progress.header else None
    return {"clip": clip, "question": answer.question, **answer.record}


def heading(header: Header, question: str) -> RenderableType:
    """Name and length of the clip, and the question."""
    length = Text(f"  {seconds(header.clip.duration)}", style="dim")
    name = Text.assemble((one_line(header.clip.name), "bold"), length)
    return Group(name, Text(one_line(question), style="italic"), Text())


def explanation_table(explanation: Explanation) -> RenderableType:
    """Sentences by modality, labels, alternatives and missing modalities."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 1, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    if explanation.declined is not None:
        table.add_row("Declined", refusal_text(explanation.declined))
        return table
    for block, sentences in explanation.by_modality.items():
        texts = [_cited(sentence.text, sentence.clue_ids) for sentence in sentences]
        table.add_row(block.capitalize(), Text(" ").join(texts))
    table.add_row("Labels", _labels(explanation))
    if explanation.alternatives:
        others = [
            Text.assemble((one_line(a.label), "bold"), ". ", _cited(a.would_change, a.clue_ids))
            for a in explanation.alternatives
        ]
        table.add_row("Or else", Text("\n").join(others))
    if explanation.missing:
        missing = [Text(f"{m.modality}: {one_line(m.why)}") for m in explanation.missing]
        table.add_row("Missing", Text("\n").join(missing))
    return table


def clue_table(clues: Sequence[Clue]) -> RenderableType:
    """Table of clues, one row each: id, time, sentence, quality, tool."""
    if not clues:
        return Text("No clues.\n", style="dim")
    table = empty_clue_table()
    for clue in clues:
        table.add_row(*clue_cells(clue))
    return table


def empty_clue_table(*, numbered: bool = False) -> Table:
    """Table of clues without rows; `numbered` adds a column in front."""
    table = list_table()
    if numbered:
        table.add_column("", no_wrap=True, justify="right")
    table.add_column("clue", no_wrap=True)
    table.add_column("seconds", no_wrap=True, justify="right")
    table.add_column("what is displayed", overflow="fold", ratio=1)
    table.add_column("quality", justify="right")
    table.add_column("tool", no_wrap=True, style="dim")
    return table


def clue_cells(clue: Clue, style: str = "") -> tuple[Text, ...]:
    """Row of a clue; `style` is for its id, time and sentence."""
    return (
        Text(clue.id, style=style or MODALITY_STYLE[clue.modality]),
        Text(span(clue.span).removesuffix(" s") if clue.span else "all", style=style),
        Text(one_line(clue.text), style=style),
        Text(f"{clue.quality.score:.2f}"),
        Text(one_line(clue.source.tool)),
    )


def _cited(text: str, clue_ids: tuple[str, ...]) -> Text:
    cited = Text(printable(text))
    return cited.append(f" {cite(clue_ids)}", style="dim") if clue_ids else cited


def _labels(explanation: Explanation) -> Text:
    if not explanation.labels:
        return Text("none: what was observed does not carry a reading")
    lines = [
        Text.assemble(
            (one_line(label.name), BAND_STYLE[label.band]),
            f" ({label.band}) ",
            (cite(label.clue_ids), "dim"),
        )
        for label in explanation.labels
    ]
    return Text("\n").join(lines)
