"""Page and JSON record of a paused run: clues, edits, and how to resume it."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import JsonValue
from rich.console import Group, RenderableType
from rich.text import Text

from emer.agents.clue_edits import REVISES, Edits, reviewer_clues
from emer.app.render.answer import clue_cells, empty_clue_table, heading
from emer.app.render.format import unwrapped
from emer.graphs.resume import PausedRun
from emer.tools.types import Clue


def paused_page(paused: PausedRun) -> RenderableType:
    """Page of a paused run: question, clues, and the commands that resume it."""
    trace = paused.trace
    hint = Text(f"run {trace.header.run_id} waits for a review of its clues; go on with")
    commands = (unwrapped(f"  {line}") for line in _commands(paused))
    table = review_table(paused.clues, paused.edits)
    return Group(heading(trace.header, trace.question), table, hint, *commands)


def paused_record(paused: PausedRun) -> dict[str, JsonValue]:
    """JSON record of a paused run."""
    trace = paused.trace
    return {
        "run_id": trace.header.run_id,
        "paused": True,
        "thread": trace.header.thread,
        "trace": str(paused.path),
        "clip": trace.header.clip.model_dump(mode="json"),
        "question": trace.question,
        "clues": [clue.model_dump(mode="json") for clue in paused.clues],
        "edits": paused.edits.model_dump(mode="json"),
        "seconds": paused.pause.seconds,
        "next": [*_commands(paused)],
    }


def _commands(paused: PausedRun) -> list[str]:
    run = f"emer review {paused.trace.header.run_id}"
    id = paused.clues[0].id if paused.clues else "ID"
    return [
        f"{run} --accept",
        f'{run} --reject {id} --edit "ID=She smiles. @1.2-2.0" --add "audio: She laughs. @3.0-4.1"',
        f"{run} --file EDITS.json",
        f"{run}  (asks you, on a terminal)",
    ]


def review_table(clues: Sequence[Clue], edits: Edits) -> RenderableType:
    """Numbered table of the clues, each with its edit below it."""
    table = empty_clue_table(numbered=True)
    written = reviewer_clues(clues, edits)
    rewrites = {str(clue.data[REVISES]): clue for clue in written if REVISES in clue.data}
    for number, clue in enumerate(clues, start=1):
        struck = clue.id in edits.struck
        table.add_row(_number(number), *clue_cells(clue, "strike dim" if struck else ""))
        if clue.id in rewrites:
            table.add_row("", *clue_cells(rewrites[clue.id], "green"))
        elif struck:
            table.add_row("", "", "", Text("rejected", style="red"), "", "")
    added = [clue for clue in written if REVISES not in clue.data]
    for number, clue in enumerate(added, start=len(clues) + 1):
        table.add_row(_number(number), *clue_cells(clue, "green"))
    return table if clues or added else Text("No clues.\n", style="dim")


def _number(number: int) -> Text:
    return Text(str(number), style="bold")
