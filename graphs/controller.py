"""The controller as a LangGraph: its nodes, edges and stop rule.

probe -> plan -> observe* -> join -> {review ->} decide -> {observe* | explain} -> verify
      -> {explain again | finish}
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from functools import cache
from typing import Any, Literal

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command, Send, interrupt
from pydantic import ValidationError

from emer.agents import pipeline
from emer.agents.clue_edits import (
    Edits,
    check_edits,
    matches_struck,
    reviewer_clues,
    unread_notes,
)
from emer.agents.questions.answerability import decline_reason
from emer.agents.rules.planner import spent_reason, validate_asks
from emer.agents.types import (
    Ask,
    Budget,
    Decision,
    Explanation,
    Inquiry,
    Missing,
    Refusal,
    Rejection,
    StopReason,
    Turn,
)
from emer.agents.verification.verifier import settle
from emer.graphs.context import Context
from emer.graphs.observe import gap, note_absent, observe
from emer.graphs.state import (
    MAX_TURN_TEXT,
    MAX_TURNS,
    Gap,
    Job,
    Json,
    Order,
    State,
    first_problem,
)
from emer.graphs.trace.clue_ledger import by_time
from emer.graphs.trace.events import Decided, Explained, Reviewed, RunStarted, Verified
from emer.tools.errors import ConfigError
from emer.tools.types import Clue, Record

BARREN_ROUNDS = 2
"""Rounds in a row without a new clue after which the run stops."""
PARTLY = "; other clues of it were found"
"""Ends the reason of a missing modality that has clues all the same."""

# What is said in a clip concerns the user alone: no tracing service unless asked for.
os.environ.setdefault("LANGSMITH_TRACING", "false")

Graph = CompiledStateGraph[State, Context, State, State]
Node = Callable[..., Any]


def build(checkpointer: BaseCheckpointSaver[str] | None = None) -> Graph:
    """The compiled graph; its live objects are given as `context=Context(...)`.

    It is compiled once; the copies share everything but the checkpointer.
    """
    graph = copy(_compiled())
    graph.checkpointer = checkpointer
    return graph


@cache
def _compiled() -> Graph:
    graph: StateGraph[State, Context, State, State] = StateGraph(State, context_schema=Context)
    assemble(graph, lambda _, node: node)
    return graph.compile()


def assemble(graph: StateGraph[Any, Any, Any, Any], bind: Callable[[str, Node], Node]) -> None:
    """Add the controller's nodes, each wrapped by `bind`, and its edges."""
    nodes: dict[str, Node] = {
        "probe": probe,
        "plan": plan,
        "observe": call_tool,
        "join": join,
        "review": review,
        "decide": decide,
        "explain": explain,
        "verify": verify,
        "finish": finish,
    }
    for name, node in nodes.items():
        graph.add_node(name, bind(name, node))
    graph.add_edge(START, "probe")
    graph.add_edge("probe", "plan")
    graph.add_edge("observe", "join")
    graph.add_edge("review", "decide")
    graph.add_edge("explain", "verify")
    graph.add_edge("finish", END)


def probe(state: State, runtime: Runtime[Context]) -> Json:
    """Record the question and the history of the thread."""
    context = runtime.context
    history = tuple(Turn.model_validate(turn) for turn in state.get("history", []))
    slots = (*context.tools, *context.absent)
    context.trace.write(RunStarted(question=state["question"], history=history, slots=slots))
    return {"history": state.get("history", [])}


def plan(state: State, runtime: Runtime[Context]) -> Command[Literal["observe", "join"]]:
    """Send a first call to every tool, within the budget of tool calls."""
    context = runtime.context
    gaps = [note_absent(context, slot, error) for slot, error in context.absent.items()]
    jobs = [] if _declined(context, state) else [Job(slot=slot) for slot in context.tools]
    most = context.budget.tool_calls
    for job in jobs[most:]:
        tool = context.tools[job.slot]
        why = f"{tool.source.tool} was not asked: the budget of {most} tool calls is spent"
        gaps.append(gap(job.slot, tool.modality, why))
    return Command(update={"gaps": gaps}, goto=_send(state, jobs[:most]))


def call_tool(state: Order, runtime: Runtime[Context]) -> Json:
    return observe(runtime.context, Job.model_validate(state["job"]))


def join(state: State, runtime: Runtime[Context]) -> Command[Literal["review", "decide"]]:
    """Append the new clues to the known ones; count the rounds without any."""
    context, first = runtime.context, state["round"] == 0
    valid = _valid_ids(context, state)
    known = [id for id in state["known_ids"] if id in valid]
    new = [id for id in valid if id not in known]
    barren = 0 if new or first else state["barren"] + 1
    update: Json = {"known_ids": [*known, *new], "barren": barren}
    if first and (earlier := _earlier_edits(state, context)):
        update |= _apply_earlier_edits(context, update["known_ids"], earlier)
    pauses = first and state["review"] and not _declined(context, state)
    return Command(update=update, goto="review" if pauses else "decide")


def review(state: State, runtime: Runtime[Context]) -> Json:
    """Pause until a person has reviewed the first clues, then apply the edits."""
    context, known = runtime.context, state["known_ids"]
    edits = _reviewed(context, state)
    update = _apply(context, known, edits, "done")
    earlier = _earlier_edits(state, context)
    records = [*earlier, edits.model_dump(mode="json")] if edits != Edits() else earlier
    edited = {**state.get("edited", {}), context.clip.sha256: records}
    return {**update, "struck": [*state["struck"], *update["struck"]], "edited": edited}


def decide(state: State, runtime: Runtime[Context]) -> Command[Literal["observe", "explain"]]:
    """Have the reasoner weigh the clues; send its requests to the tools, or stop."""
    context, number = runtime.context, state["round"]
    inquiry = _inquiry(context, state)
    decision = pipeline.decide(context.reasoner, inquiry)
    asks, refused = validate_asks(decision.asks, inquiry)
    stop = stop_reason(decision, asks, inquiry.budget, state["barren"])
    asks = () if stop else asks[: inquiry.budget.tool_calls]
    refused = (*decision.refused, *refused)
    decision = decision.model_copy(update={"asks": asks, "refused": refused, "stop_reason": stop})
    context.trace.write(Decided(round=number, **dict(decision)))
    update = {
        "decision": decision.model_dump(mode="json"),
        "asked": [*state["asked"], *_plain(asks)],
        "refused": [*state["refused"], *_plain(refused)],
        "round": number + 1,
    }
    if stop:
        return Command(update=update, goto="explain")
    jobs = _jobs(context, asks, number + 1, inquiry.budget.tool_calls)
    return Command(update=update, goto=_send(state, jobs))


def explain(state: State, runtime: Runtime[Context]) -> Json:
    context, inquiry = runtime.context, _inquiry(runtime.context, state)
    decision = Decision.model_validate(state["decision"])
    written = pipeline.explain(context.reasoner, inquiry, decision)
    attempt = state["attempt"] + 1
    context.trace.write(Explained(attempt=attempt, explanation=written))
    return {"explanation": written.model_dump(mode="json"), "attempt": attempt}


def verify(state: State, runtime: Runtime[Context]) -> Command[Literal["explain", "finish"]]:
    """Check each sentence against its clues; rewrite once, then settle the rest."""
    context = runtime.context
    written = Explanation.model_validate(state["explanation"])
    is_last = state["attempt"] >= pipeline.ATTEMPTS
    verdict = pipeline.examine(context.reasoner, _inquiry(context, state), written, last=is_last)
    context.trace.write(Verified(attempt=state["attempt"], verdicts=verdict))
    if verdict.rejected and not is_last:
        return Command(update={"rejected": _plain(verdict.rejected)}, goto="explain")
    clues = context.ledger.named(state["known_ids"])
    settled = settle(written, verdict, clues).model_dump(mode="json")
    return Command(update={"explanation": settled}, goto="finish")


def finish(state: State, runtime: Runtime[Context]) -> Json:
    """Append the turn to the history of the thread."""
    answer = Explanation.model_validate(state["explanation"])
    turn = Turn(
        run_id=state["run_id"],
        clip=runtime.context.clip.name,
        content=runtime.context.clip.sha256,
        question=state["question"][:MAX_TURN_TEXT],
        labels=tuple(label.name for label in answer.labels),
        text=" ".join(sentence.text for sentence in answer.sentences)[:MAX_TURN_TEXT],
    )
    return {"history": [*state["history"], turn.model_dump(mode="json")][-MAX_TURNS:]}


def _reviewed(context: Context, state: State) -> Edits:
    """A person's edits; those that do not fit are asked for again, with the problem."""
    known = state["known_ids"]
    request: Json = {"run": state["run_id"], "clues": known}
    while True:
        reply = interrupt(request)
        try:
            edits = Edits.model_validate(reply)
            check_edits(edits, context.ledger.named(known), context.clip.duration)
        except ValidationError as error:
            request = {**request, "problem": first_problem(error)}
        except ConfigError as error:
            request = {**request, "problem": str(error)}
        else:
            return edits


def _earlier_edits(state: State, context: Context) -> list[Json]:
    """Edits of this clip's clues from earlier runs of the thread."""
    return state.get("edited", {}).get(context.clip.sha256, [])


def _apply_earlier_edits(context: Context, known: list[str], records: list[Json]) -> Json:
    """Apply the edits of earlier runs of the thread; return the state's update."""
    struck: list[str] = []
    written: list[str] = []
    for record in records:
        update = _apply(context, known, Edits.model_validate(record), "earlier")
        known = update["known_ids"]
        struck += update["struck"]
        written += update["clue_ids"]
    return {"known_ids": known, "clue_ids": written, "struck": struck}


def _valid_ids(context: Context, state: State) -> list[str]:
    """Ids of the clues in order, without those that a reviewer rejected."""
    ledger = context.ledger
    struck = ledger.as_observed(state["struck"])
    struck_ids = {clue.id for clue in struck}
    known = {clue.id for clue in ledger.as_observed(state["known_ids"])}
    observed = [clue for clue in ledger.named(state["clue_ids"]) if clue.id not in struck_ids]
    valid = [c.id for c in observed if c.id in known or not matches_struck(c, struck)]
    return [clue.id for clue in ledger.clues(valid)]


def _apply(
    context: Context, known: list[str], edits: Edits, stage: Literal["done", "earlier"]
) -> Json:
    clues = context.ledger.named(known)
    written = reviewer_clues(clues, edits)
    struck = [id for id in edits.struck if id in known]
    context.ledger.add(written)
    context.notes.extend(unread_notes(written))
    context.trace.write(Reviewed(stage=stage, edits=edits, struck=tuple(struck), clues=written))
    left = by_time([*(clue for clue in clues if clue.id not in struck), *written])
    return {
        "known_ids": [clue.id for clue in left],
        "clue_ids": [clue.id for clue in written],
        "struck": struck,
    }


def _inquiry(context: Context, state: State) -> Inquiry:
    """All that a reasoner may know; the name of the file is not in it."""
    clues = context.ledger.named(state["known_ids"])
    gaps = [Gap.model_validate(each) for each in state["gaps"]]
    used = Budget(
        rounds=state["round"],
        tool_calls=state["calls"],
        seconds=context.trace.seconds,
        tokens=context.meter.tokens,
        money=context.meter.money,
    )
    return Inquiry(
        question=state["question"],
        clues=clues,
        missing=mark_partly((each.missing for each in gaps if each.missing), clues),
        asked=tuple(Ask.model_validate(ask) for ask in state["asked"]),
        refused=tuple(Refusal.model_validate(refusal) for refusal in state["refused"]),
        tools=context.cards(without={each.slot for each in gaps}),  # a broken tool is not asked
        budget=remaining(context.budget, used),
        duration=context.clip.duration,
        history=_earlier(context, state),
        rejected=tuple(Rejection.model_validate(r) for r in state["rejected"]),
        struck=context.ledger.named(state["struck"]),
        language=context.language,
    )


def _earlier(context: Context, state: State) -> tuple[Turn, ...]:
    """Turns of the thread about this clip, the oldest first."""
    turns = (Turn.model_validate(turn) for turn in state["history"])
    clip = context.clip
    return tuple(turn for turn in turns if turn.is_about(clip.name, clip.sha256))


def _declined(context: Context, state: State) -> bool:
    earlier = (turn.question for turn in _earlier(context, state))
    return decline_reason(state["question"], earlier) is not None


def remaining(budget: Budget, used: Budget) -> Budget:
    """What is left of a budget, never negative."""
    left = None if budget.money is None else round(budget.money - (used.money or 0.0), 9)
    return Budget(
        rounds=max(0, budget.rounds - used.rounds),
        tool_calls=max(0, budget.tool_calls - used.tool_calls),
        seconds=max(0.0, round(budget.seconds - used.seconds, 3)),
        tokens=max(0, budget.tokens - used.tokens),
        money=None if left is None else max(0.0, left),
    )


def stop_reason(
    decision: Decision, asks: Sequence[Ask], left: Budget, barren: int
) -> StopReason | None:
    """Why the run stops after this decision; None to carry out the asks.

    Args:
        decision: The reasoner's decision.
        asks: Its asks that can be carried out and have not been.
        left: The budget that is left.
        barren: Rounds in a row without a new clue.

    """
    if decision.stop_reason is not None:
        return decision.stop_reason
    if not asks:
        return "nothing_to_ask"
    if barren >= BARREN_ROUNDS:
        return "no_new_clues"
    return spent_reason(left)


def _jobs(context: Context, asks: Sequence[Ask], number: int, most: int) -> list[Job]:
    jobs = [
        Job(slot=slot, span=ask.span, round=number, why=ask.why, question=ask.question)
        for ask in asks
        for slot, tool in context.tools.items()
        if tool.source.tool == ask.tool
    ]
    return jobs[:most]


def mark_partly(records: Iterable[Missing], clues: Sequence[Clue]) -> tuple[Missing, ...]:
    """Missing modalities in order; `PARTLY` ends the reason of one that has clues."""
    present = {clue.modality for clue in clues}
    return pipeline.sorted_missing(
        Missing(
            modality=record.modality,
            why=record.why.removesuffix(PARTLY) + (PARTLY if record.modality in present else ""),
        )
        for record in records
    )


def _plain(records: Iterable[Record]) -> list[Json]:
    return [record.model_dump(mode="json") for record in records]


def _send(state: State, jobs: list[Job]) -> Any:
    if not jobs:
        return "join"
    orders = (Order(run_id=state["run_id"], job=job.model_dump(mode="json")) for job in jobs)
    return [Send("observe", order) for order in orders]
