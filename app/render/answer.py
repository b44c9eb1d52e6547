"""How an answer looks: the explanation with its clue ids, the labels, the clues."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pydantic import JsonValue
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from emer.agents.rules.phrases import STOP_REASONS, cite, refusal_text
from emer.agents.types import Explanation
from emer.app.render.format import one_line, printable, seconds, span
from emer.graphs.trace.events import Header
from emer.tools.types import Clue

if TYPE_CHECKING:
    from emer.app.render.progress import Progress
    from emer.graphs.ask import Answer

BAND_STYLE = {"high": "bold green", "medium": "bold yellow", "low": "bold"}
MODALITY_STYLE = {"face": "magenta", "scene": "blue", "audio": "yellow", "text": "cyan"}


def answer_page(answer: Answer, header: Header | None, question: str) -> RenderableType:
    """Return the whole answer as it is printed by `emer ask`."""
    parts: list[RenderableType] = []
    if header is not None:
        parts.append(heading(header, question))
    parts += [explanation(answer.explanation), clue_table(answer.clues)]
    parts += [Text(f"note: {one_line(note)}", style="yellow") for note in answer.notes]
    return Group(*parts, _ending(answer))


def heading(header: Header, question: str) -> RenderableType:
    """Return the clip's name and size, and the question."""
    name = Text(one_line(header.clip.name), style="bold")
    facts = Text(f"  {seconds(header.clip.duration)}", style="dim")
    return Group(Text.assemble(name, facts), Text(one_line(question), style="italic"), Text())


def explanation(written: Explanation) -> RenderableType:
    """Return the sentences block by block, the labels, other readings and what is missing."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 1, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    if written.declined is not None:
        table.add_row("Declined", refusal_text(written.declined))
        return table
    for block, sentences in written.by_modality.items():
        said = [_cited(sentence.text, sentence.clue_ids) for sentence in sentences]
        table.add_row(block.capitalize(), Text(" ").join(said))
    table.add_row("Labels", _labels(written))
    if written.alternatives:
        other = [
            Text.assemble((one_line(a.label), "bold"), ". ", _cited(a.would_change, a.clue_ids))
            for a in written.alternatives
        ]
        table.add_row("Or else", Text("\n").join(other))
    if written.missing:
        lacks = [Text(f"{m.modality}: {one_line(m.why)}") for m in written.missing]
        table.add_row("Missing", Text("\n").join(lacks))
    return table


def clue_table(clues: Sequence[Clue]) -> RenderableType:
    """Return the clues, one row each: id, time, what was observed, quality, tool."""
    if not clues:
        return Text("No clues.\n", style="dim")
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("clue", no_wrap=True)
    table.add_column("seconds", no_wrap=True, justify="right")
    table.add_column("what is displayed", overflow="fold", ratio=1)
    table.add_column("quality", justify="right")
    table.add_column("tool", no_wrap=True, style="dim")
    for clue in clues:
        table.add_row(*_row(clue))
    return table


def bullets(lines: Iterable[Text]) -> RenderableType:
    """Return the lines set in under what stands before them."""
    return Padding(Group(*lines), (0, 0, 0, 2))


def unbroken(line: str) -> Text:
    """Return a dim line that is never wrapped: a path in it can be copied."""
    return Text(line, style="dim", no_wrap=True, overflow="ignore")


def _row(clue: Clue) -> tuple[Text, ...]:
    when = span(clue.span).removesuffix(" s") if clue.span else "all"
    return (
        Text(clue.id, style=MODALITY_STYLE[clue.modality]),
        Text(when),
        Text(one_line(clue.text)),
        Text(f"{clue.quality.score:.2f}"),
        Text(one_line(clue.source.tool)),
    )


def _cited(text: str, clue_ids: tuple[str, ...]) -> Text:
    said = Text(printable(text))
    return said.append(f" {cite(clue_ids)}", style="dim") if clue_ids else said


def _labels(written: Explanation) -> Text:
    if not written.labels:
        return Text("none: what was observed does not carry a reading")
    named = [
        Text.assemble(
            (one_line(label.name), BAND_STYLE[label.band]),
            f" ({label.band}) ",
            (cite(label.clue_ids), "dim"),
        )
        for label in written.labels
    ]
    return Text("\n").join(named)


def _ending(answer: Answer) -> RenderableType:
    where = str(answer.trace_path) if answer.trace_path else "not written"
    lines = (
        f"stopped after {seconds(answer.seconds)}: {STOP_REASONS[answer.stop_reason]}",
        f"run {answer.run_id}  (emer trace show {answer.run_id})",
        f"trace {one_line(where)}",
    )
    return Group(*(unbroken(line) for line in lines))


def answer_record(answer: Answer, heard: Progress) -> dict[str, JsonValue]:
    """Return the answer as JSON: what `emer ask --json` prints."""
    header = heard.header
    asked = {
        "clip": header.clip.model_dump(mode="json") if header else None,
        "question": heard.question,
    }
    return {**asked, **answer.record}
