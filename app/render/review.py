"""How a paused run looks: its clues, what a person changed so far, and how to go on."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import JsonValue
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from emer.agents.clue_edits import REVISES, Edits, reviewer_clues
from emer.app.render.answer import MODALITY_STYLE, heading, unbroken
from emer.app.render.format import one_line, span
from emer.graphs.resume import Waiting
from emer.tools.types import Clue


def waiting_page(waiting: Waiting) -> RenderableType:
    """Return what a person needs to review a run: question, clues, and the commands."""
    trace = waiting.trace
    question = trace.started.question if trace.started else ""
    told = Text(f"run {trace.header.run_id} waits for a review of its clues; go on with")
    commands = (unbroken(f"  {line}") for line in how_to_go_on(waiting))
    table = review_table(waiting.clues, waiting.edits)
    return Group(heading(trace.header, question), table, told, *commands)


def waiting_record(waiting: Waiting) -> dict[str, JsonValue]:
    """Return a paused run as JSON."""
    trace = waiting.trace
    return {
        "run_id": trace.header.run_id,
        "paused": True,
        "thread": trace.header.thread,
        "trace": str(waiting.path),
        "clip": trace.header.clip.model_dump(mode="json"),
        "question": trace.started.question if trace.started else "",
        "clues": [clue.model_dump(mode="json") for clue in waiting.clues],
        "edits": waiting.edits.model_dump(mode="json"),
        "seconds": waiting.at.seconds,
        "next": list(how_to_go_on(waiting)),
    }


def how_to_go_on(waiting: Waiting) -> tuple[str, ...]:
    """Return the commands that take the run up again."""
    run = f"emer review {waiting.trace.header.run_id}"
    id = waiting.clues[0].id if waiting.clues else "ID"
    return (
        f"{run} --accept",
        f'{run} --reject {id} --edit "ID=She smiles. @1.2-2.0" --add "audio: She laughs. @3.0-4.1"',
        f"{run} --file EDITS.json",
        f"{run}  (asks you, on a terminal)",
    )


def review_table(clues: Sequence[Clue], edits: Edits) -> RenderableType:
    """Return the clues, numbered, with what was changed beside what it was."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("", no_wrap=True, justify="right")
    table.add_column("clue", no_wrap=True)
    table.add_column("seconds", no_wrap=True, justify="right")
    table.add_column("what is displayed", overflow="fold", ratio=1)
    table.add_column("quality", justify="right")
    table.add_column("tool", no_wrap=True, style="dim")
    written = reviewer_clues(clues, edits)
    again = {str(clue.data[REVISES]): clue for clue in written if REVISES in clue.data}
    for number, clue in enumerate(clues, start=1):
        gone = clue.id in edits.struck
        table.add_row(*_row(str(number), clue, "strike dim" if gone else ""))
        if clue.id in again:
            table.add_row(*_row("", again[clue.id], "green"))
        elif gone:
            table.add_row("", "", "", Text("rejected", style="red"), "", "")
    added = [clue for clue in written if REVISES not in clue.data]
    for number, clue in enumerate(added, start=len(clues) + 1):
        table.add_row(*_row(str(number), clue, "green"))
    return table if clues or added else Text("No clues.\n", style="dim")


def _row(number: str, clue: Clue, style: str) -> tuple[Text, ...]:
    when = span(clue.span).removesuffix(" s") if clue.span else "all"
    return (
        Text(number, style="bold"),
        Text(clue.id, style=style or MODALITY_STYLE[clue.modality]),
        Text(when, style=style),
        Text(one_line(clue.text), style=style),
        Text(f"{clue.quality.score:.2f}"),
        Text(one_line(clue.source.tool)),
    )
