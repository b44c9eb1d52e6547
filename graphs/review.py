"""A person between the clues and the reasoner: the node that waits, and what it carries out."""

from __future__ import annotations

from typing import Literal

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from emer.agents.clue_edits import Edits, matches_struck, reviewer_clues
from emer.graphs.context import Context
from emer.graphs.state import Json, State
from emer.graphs.trace.clue_ledger import in_order
from emer.graphs.trace.events import Reviewed


def review(state: State, runtime: Runtime[Context]) -> Json:
    """Wait until a person has looked at the first clues; go on with what they make of them."""
    context, known = runtime.context, state["known_ids"]
    edits = Edits.model_validate(interrupt({"run": state["run_id"], "clues": known}))
    update = carry_out(context, known, edits, "done")
    kept = edited(state, context)
    sets = [*kept, edits.model_dump(mode="json")] if edits != Edits() else kept
    everywhere = {**state.get("edited", {}), context.clip.sha256: sets}
    return {**update, "struck": [*state["struck"], *update["struck"]], "edited": everywhere}


def edited(state: State, context: Context) -> list[Json]:
    """Return the edits that were made to this clip's clues earlier in the thread."""
    return state.get("edited", {}).get(context.clip.sha256, [])


def stand_again(context: Context, known: list[str], sets: list[Json]) -> Json:
    """Return the update after which the thread's earlier edits hold for a new run, too."""
    struck: list[str] = []
    written: list[str] = []
    for record in sets:
        update = carry_out(context, known, Edits.model_validate(record), "earlier")
        known = update["known_ids"]
        struck += update["struck"]
        written += update["clue_ids"]
    return {"known_ids": known, "clue_ids": written, "struck": struck}


def carry_out(
    context: Context, known: list[str], edits: Edits, stage: Literal["done", "earlier"]
) -> Json:
    """Put a person's clues into the ledger, say so in the trace, and return the update."""
    clues = context.ledger.named(known)
    written = reviewer_clues(clues, edits)
    struck = [id for id in edits.struck if id in known]
    context.ledger.add(written)
    context.trace.write(Reviewed(stage=stage, edits=edits, struck=tuple(struck), clues=written))
    left = in_order([*(clue for clue in clues if clue.id not in struck), *written])
    return {
        "known_ids": [clue.id for clue in left],
        "clue_ids": [clue.id for clue in written],
        "struck": struck,
    }


def standing(context: Context, state: State) -> list[str]:
    """Return the ids of the clues that stand, in order, without what a person struck out."""
    ledger, known = context.ledger, state["known_ids"]
    struck = ledger.named(state["struck"])
    gone = {clue.id for clue in struck}
    clues = ledger.clues(id for id in state["clue_ids"] if id not in gone)
    return [c.id for c in clues if c.id in known or not matches_struck(c, struck)]
