"""The controller: who looks when, and when it is enough.

probe -> plan -> observe* -> join -> {review ->} decide -> {observe* | explain} -> verify
      -> {explain once more | finish}
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from copy import copy
from functools import cache
from typing import Any, Literal

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command, Send

from emer.agents import reasoning
from emer.agents.scope import beyond
from emer.agents.sifting import sift
from emer.agents.types import Ask, Budget, Decision, Explanation, Inquiry, Refusal, Rejection, Turn
from emer.agents.verifier import strike
from emer.graphs import missing
from emer.graphs.context import Context
from emer.graphs.events import Decided, Explained, RunStarted, Verified
from emer.graphs.observe import note_absent, observe
from emer.graphs.review import edited, review, stand_again, standing
from emer.graphs.state import MAX_TURN_TEXT, MAX_TURNS, Gap, Job, Json, Order, State
from emer.graphs.stop import jobs_for, left_of, stop_reason
from emer.tools.tool import ToolCard
from emer.tools.types import Clue, Record

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
    gaps += [missing.not_looked(context, job.slot) for job in jobs[most:]]
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
    decision = reasoning.decide(context.reasoner, inquiry)
    asks, refused = sift(decision.asks, inquiry)
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
    written = reasoning.explain(context.reasoner, inquiry, decision)
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
    last = state["attempt"] >= reasoning.ATTEMPTS
    verdict = reasoning.examine(context.reasoner, _inquiry(context, state), written, last=last)
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
        missing=missing.of(state["gaps"], clues),
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
    return beyond(state["question"], earlier) is not None


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
