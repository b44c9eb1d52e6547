"""The LangGraph: nodes, edges, stop.

When a run stops, and which of the reasoner's asks are carried out until then.

What could not be observed, told per modality.

The controller: who looks when, and when it is enough.

probe -> plan -> observe* -> join -> {review ->} decide -> {observe* | explain} -> verify
      -> {explain once more | finish}
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
from langgraph.types import Command, Send

from emer.agents import pipeline
from emer.agents.pipeline import sorted_missing
from emer.agents.questions.declined import decline_reason
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
from emer.agents.verification.verifier import strike
from emer.graphs.context import Context
from emer.graphs.observe import note_absent, observe
from emer.graphs.review import edited, review, stand_again, standing
from emer.graphs.state import MAX_TURN_TEXT, MAX_TURNS, Gap, Job, Json, Order, State
from emer.graphs.trace.events import Decided, Explained, RunStarted, Verified
from emer.tools.tool import ToolCard
from emer.tools.types import Clue, Record

BARREN_ROUNDS = 2
"""Rounds in a row without a new clue after which asking on is pointless."""


def left_of(budget: Budget, used: Budget) -> Budget:
    """Return what remains after so many rounds, tool calls, seconds, tokens and money."""
    money = None
    if budget.money is not None:
        money = max(0.0, round(budget.money - (used.money or 0.0), 9))
    return Budget(
        rounds=max(0, budget.rounds - used.rounds),
        tool_calls=max(0, budget.tool_calls - used.tool_calls),
        seconds=max(0.0, round(budget.seconds - used.seconds, 3)),
        tokens=max(0, budget.tokens - used.tokens),
        money=money,
    )


def stop_reason(
    decision: Decision, asks: Sequence[Ask], left: Budget, barren: int
) -> StopReason | None:
    """Return why the run stops here, or None to carry out the asks.

    `asks` are those of the decision that can be carried out and have not been.
    """
    if decision.stop_reason is not None:
        return decision.stop_reason
    if not asks:
        return "nothing_to_ask"
    if barren >= BARREN_ROUNDS:
        return "no_new_clues"
    return spent_reason(left)


def jobs_for(context: Context, asks: Sequence[Ask], number: int, most: int) -> list[Job]:
    """Return the tool calls that carry out the asks in this round, at most `most`."""
    jobs = [
        Job(slot=slot, span=ask.span, round=number, why=ask.why, question=ask.question)
        for ask in asks
        for slot, tool in context.tools.items()
        if tool.source.tool == ask.tool
    ]
    return jobs[:most]


PARTLY = "; other clues of it were found"


def bare(record: Missing) -> Missing:
    """Return what is missing as it was told before other clues of its modality were found."""
    return Missing(modality=record.modality, why=record.why.removesuffix(PARTLY))


def of(gaps: Sequence[Json], clues: Sequence[Clue]) -> tuple[Missing, ...]:
    """Return what is missing; where the modality gave clues all the same, it says so."""
    records = (Gap.model_validate(gap).missing for gap in gaps)
    return partly((record for record in records if record is not None), clues)


def partly(records: Iterable[Missing], clues: Sequence[Clue]) -> tuple[Missing, ...]:
    """Return what is missing, in order, and said to be partly so where there are clues."""
    seen = {clue.modality for clue in clues}
    return sorted_missing(_partly(record, seen) for record in records)


def not_looked(context: Context, slot: str) -> Json:
    """Return the gap of a tool that the budget of tool calls did not reach."""
    tool = context.tools[slot]
    most = context.budget.tool_calls
    why = f"{tool.source.tool} was not asked: the budget of {most} tool calls is spent"
    return Gap(slot=slot, missing=Missing(modality=tool.modality, why=why)).model_dump(mode="json")


def _partly(record: Missing, seen: Iterable[str]) -> Missing:
    if record.modality not in seen:
        return record
    return Missing(modality=record.modality, why=f"{record.why}{PARTLY}")


# What a person says in a clip is nobody's business but the user's: no tracing unless asked.
os.environ.setdefault("LANGSMITH_TRACING", "false")

Graph = CompiledStateGraph[State, Context, State, State]
Node = Callable[..., Any]


def build(checkpointer: BaseCheckpointSaver[str] | None = None) -> Graph:
    """Return the compiled graph; its live objects come with `context=Context(...)`.

    It is compiled once; what is returned shares all but the checkpointer.
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
    """Put the controller's nodes, each as `bind` gives it, and edges into an empty graph."""
    graph.add_node("probe", bind("probe", probe))
    graph.add_node("plan", bind("plan", plan))
    graph.add_node("observe", bind("observe", look))
    graph.add_node("join", bind("join", join))
    graph.add_node("review", bind("review", review))
    graph.add_node("decide", bind("decide", decide))
    graph.add_node("explain", bind("explain", explain))
    graph.add_node("verify", bind("verify", verify))
    graph.add_node("finish", bind("finish", finish))
    graph.add_edge(START, "probe")
    graph.add_edge("probe", "plan")
    graph.add_edge("observe", "join")
    graph.add_edge("review", "decide")
    graph.add_edge("explain", "verify")
    graph.add_edge("finish", END)


def probe(state: State, runtime: Runtime[Context]) -> Json:
    """Say what is asked, and what the thread remembers."""
    context = runtime.context
    history = tuple(Turn.model_validate(turn) for turn in state.get("history", []))
    slots = (*context.tools, *context.absent)
    context.trace.write(RunStarted(question=state["question"], history=history, slots=slots))
    return {"history": state.get("history", [])}


def plan(state: State, runtime: Runtime[Context]) -> Command[Literal["observe", "join"]]:
    """Send every tool to a first look, as far as the budget of tool calls goes."""
    context = runtime.context
    gaps = [note_absent(context, slot, error) for slot, error in context.absent.items()]
    jobs = [] if _declined(context, state) else [Job(slot=slot) for slot in context.tools]
    most = context.budget.tool_calls
    gaps += [not_looked(context, job.slot) for job in jobs[most:]]
    return Command(update={"gaps": gaps}, goto=_send(state, jobs[:most]))


def look(state: Order, runtime: Runtime[Context]) -> Json:
    """Make one tool call."""
    return observe(runtime.context, Job.model_validate(state["job"]))


def join(state: State, runtime: Runtime[Context]) -> Command[Literal["review", "decide"]]:
    """Put the new clues behind the known ones; count the rounds that brought none."""
    context, first = runtime.context, state["round"] == 0
    stand = standing(context, state)
    known = [id for id in state["known_ids"] if id in stand]
    new = [id for id in stand if id not in known]
    barren = 0 if new or first else state["barren"] + 1
    update: Json = {"known_ids": [*known, *new], "barren": barren}
    if first and (sets := edited(state, context)):
        update |= stand_again(context, update["known_ids"], sets)
    waits = first and state["review"] and not _declined(context, state)
    return Command(update=update, goto="review" if waits else "decide")


def decide(state: State, runtime: Runtime[Context]) -> Command[Literal["observe", "explain"]]:
    """Let the reasoner weigh the clues; carry out its asks, or stop and say why."""
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
        **_spent(context),
    }
    if stop:
        return Command(update=update, goto="explain")
    jobs = jobs_for(context, asks, number + 1, inquiry.budget.tool_calls)
    return Command(update=update, goto=_send(state, jobs))


def explain(state: State, runtime: Runtime[Context]) -> Json:
    """Have the explanation written."""
    context, inquiry = runtime.context, _inquiry(runtime.context, state)
    decision = Decision.model_validate(state["decision"])
    written = pipeline.explain(context.reasoner, inquiry, decision)
    attempt = state["attempt"] + 1
    context.trace.write(Explained(attempt=attempt, explanation=written))
    return {
        "explanation": written.model_dump(mode="json"),
        "attempt": attempt,
        **_spent(context),
    }


def verify(state: State, runtime: Runtime[Context]) -> Command[Literal["explain", "finish"]]:
    """Check each sentence against its clues; rewrite once, then drop what does not hold."""
    context = runtime.context
    written = Explanation.model_validate(state["explanation"])
    last = state["attempt"] >= pipeline.ATTEMPTS
    verdict = pipeline.examine(context.reasoner, _inquiry(context, state), written, last=last)
    context.trace.write(Verified(attempt=state["attempt"], verdicts=verdict))
    if verdict.rejected and not last:
        update = {"rejected": _plain(verdict.rejected), **_spent(context)}
        return Command(update=update, goto="explain")
    kept = strike(written, verdict).model_dump(mode="json")
    return Command(update={"explanation": kept, **_spent(context)}, goto="finish")


def finish(state: State, runtime: Runtime[Context]) -> Json:
    """Remember the turn in the thread."""
    answer = Explanation.model_validate(state["explanation"])
    turn = Turn(
        run_id=state["run_id"],
        clip=runtime.context.clip.path.name,
        content=runtime.context.clip.sha256,
        question=state["question"][:MAX_TURN_TEXT],
        labels=tuple(label.name for label in answer.labels),
        text=" ".join(sentence.text for sentence in answer.sentences)[:MAX_TURN_TEXT],
    )
    return {"history": [*state["history"], turn.model_dump(mode="json")][-MAX_TURNS:]}


def _inquiry(context: Context, state: State) -> Inquiry:
    """Return all that a reasoner may know; nothing of it names the file."""
    clues = _clues(context, state)
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
        missing=of(state["gaps"], clues),
        asked=tuple(Ask.model_validate(ask) for ask in state["asked"]),
        refused=tuple(Refusal.model_validate(refusal) for refusal in state["refused"]),
        tools=_askable(context, state),
        budget=left_of(context.budget, used),
        duration=context.clip.duration,
        history=_earlier(context, state),
        rejected=tuple(Rejection.model_validate(r) for r in state["rejected"]),
    )


def _earlier(context: Context, state: State) -> tuple[Turn, ...]:
    """Return the thread's turns about this clip, the oldest first."""
    turns = (Turn.model_validate(turn) for turn in state["history"])
    clip = context.clip
    return tuple(turn for turn in turns if turn.is_about(clip.path.name, clip.sha256))


def _declined(context: Context, state: State) -> bool:
    earlier = (turn.question for turn in _earlier(context, state))
    return decline_reason(state["question"], earlier) is not None


def _askable(context: Context, state: State) -> tuple[ToolCard, ...]:
    """Return the cards of the tools that worked so far: a broken one is not asked again."""
    broken = {Gap.model_validate(gap).slot for gap in state["gaps"]}
    return context.cards(without=broken)


def _clues(context: Context, state: State) -> tuple[Clue, ...]:
    return context.ledger.named(state["known_ids"])


def _spent(context: Context) -> Json:
    return {"tokens": context.meter.tokens, "money": context.meter.money}


def _plain(records: Iterable[Record]) -> list[Json]:
    return [record.model_dump(mode="json") for record in records]


def _send(state: State, jobs: list[Job]) -> Any:
    if not jobs:
        return "join"
    orders = (Order(run_id=state["run_id"], job=job.model_dump(mode="json")) for job in jobs)
    return [Send("observe", order) for order in orders]
