"""The controller as `langgraph dev` serves it: the same nodes, asked in plain JSON.

    {"clip": "clip.mp4", "question": "Is she angry?"}

A client names a clip under the folder that is served and nothing else of this machine:
tools, model and folders come from the settings of the server. The first node opens what
the run works with, the last one closes it; between them it is found by the run's id.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import wraps
from typing import Annotated, Any, NotRequired, Required, cast

from langgraph.channels import UntrackedValue
from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from typing_extensions import TypedDict

from emer.graphs import explain
from emer.graphs.answer import conclude
from emer.graphs.explain import Node, assemble
from emer.graphs.running import new_run
from emer.graphs.sessions import RUNS, begun, checked, thread_of, under_way
from emer.graphs.state import Json, State, fresh


class Asked(TypedDict):
    """What a client asks."""

    clip: Required[str]
    """A file under the served folder (`serve_root` of the settings)."""
    question: NotRequired[str]
    subtitle: NotRequired[str]
    """The words that are said, never the name of a file."""
    review: NotRequired[bool]
    """Whether the run is interrupted once the first clues are in, for a person's edits."""


class Served(State):
    """The state of a served run: that of any run, what was asked and what came of it."""

    clip: str
    subtitle: Annotated[str, UntrackedValue]
    """Of this request alone: a thread does not carry words from one clip to the next."""
    answer: Json | None


class Told(TypedDict):
    """What a client is told in the end."""

    run_id: str
    answer: Json | None
    """The record of an `Answer`: text, explanation, clues and what they cost."""


def build() -> CompiledStateGraph[Any, Any, Any, Any]:
    """Return the compiled graph; whoever serves it brings the checkpointer."""
    graph: StateGraph[Any, Any, Any, Any] = StateGraph(
        Served, input_schema=Asked, output_schema=Told
    )
    assemble(graph, _bind)
    return graph.compile(name="emer")


def _bind(name: str, node: Node) -> Node:
    """Return the node with the live objects of its run."""
    own: dict[str, Node] = {"probe": _begin, "finish": _end}
    if name in own:
        return own[name]

    @wraps(node)
    def bound(state: Mapping[str, Any], runtime: Runtime[Any]) -> Any:
        with under_way(state["run_id"], tuple(state.get("known_ids", ()))) as context:
            return node(state, runtime.override(context=context))

    return bound


def _begin(state: Served, runtime: Runtime[Any]) -> Json:
    """Open what the run works with, then do what the first node of any run does."""
    names = ("clip", "question", "subtitle", "review")
    asked = checked({name: state.get(name) for name in names})
    begin = fresh(new_run(), asked.question, asked.review) | {"answer": None}
    with begun(begin["run_id"], asked) as context:
        whole = cast(State, {**state, **begin})
        return {**begin, **explain.probe(whole, runtime.override(context=context))}


def _end(state: Served, runtime: Runtime[Any]) -> Json:
    """Do what the last node of any run does, then tell the answer and close everything."""
    with under_way(state["run_id"]) as context:
        update = explain.finish(state, runtime.override(context=context))
        found = conclude(context, {**state, **update}, thread_of(state["run_id"]))
    RUNS.end(state["run_id"])
    told = {name: value for name, value in found.record.items() if name != "trace"}
    return {**update, "review": False, "answer": told}


graph = build()
