"""The review node: it pauses the run and applies a person's edits to the clues."""

from __future__ import annotations

from typing import Literal

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from emer.agents.clue_edits import Edits, matches_struck, reviewer_clues
from emer.graphs.context import Context
from emer.graphs.state import Json, State
from emer.graphs.trace.clue_ledger import by_time
from emer.graphs.trace.events import Reviewed


def review(state: State, runtime: Runtime[Context]) -> Json:
    """Pause until a person has reviewed the first clues, then apply the edits."""
    context, known = runtime.context, state["known_ids"]
    edits = Edits.model_validate(interrupt({"run": state["run_id"], "clues": known}))
    update = _apply(context, known, edits, "done")
    earlier = earlier_edits(state, context)
    records = [*earlier, edits.model_dump(mode="json")] if edits != Edits() else earlier
    edited = {**state.get("edited", {}), context.clip.sha256: records}
    return {**update, "struck": [*state["struck"], *update["struck"]], "edited": edited}


def earlier_edits(state: State, context: Context) -> list[Json]:
    """Edits of this clip's clues from earlier runs of the thread."""
    return state.get("edited", {}).get(context.clip.sha256, [])


def apply_earlier_edits(context: Context, known: list[str], records: list[Json]) -> Json:
    """Apply the edits of earlier runs of the thread; return the state's update."""
    struck: list[str] = []
    written: list[str] = []
    for record in records:
        update = _apply(context, known, Edits.model_validate(record), "earlier")
        known = update["known_ids"]
        struck += update["struck"]
        written += update["clue_ids"]
    return {"known_ids": known, "clue_ids": written, "struck": struck}


def valid_ids(context: Context, state: State) -> list[str]:
    """Ids of the clues in order, without those that a reviewer rejected."""
    ledger, known = context.ledger, state["known_ids"]
    struck = ledger.named(state["struck"])
    struck_ids = {clue.id for clue in struck}
    clues = ledger.clues(id for id in state["clue_ids"] if id not in struck_ids)
    return [clue.id for clue in clues if clue.id in known or not matches_struck(clue, struck)]


def _apply(
    context: Context, known: list[str], edits: Edits, stage: Literal["done", "earlier"]
) -> Json:
    clues = context.ledger.named(known)
    written = reviewer_clues(clues, edits)
    struck = [id for id in edits.struck if id in known]
    context.ledger.add(written)
    context.trace.write(Reviewed(stage=stage, edits=edits, struck=tuple(struck), clues=written))
    left = by_time([*(clue for clue in clues if clue.id not in struck), *written])
    return {
        "known_ids": [clue.id for clue in left],
        "clue_ids": [clue.id for clue in written],
        "struck": struck,
    }
