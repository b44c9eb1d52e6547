"""LangGraph server.

The runs that a server has under way: the live objects of each, held by run id.

A server keeps the state of a run, which is plain JSON; what is no JSON (the clip, tools,
store, trace) stays here, in its process. A run that is not here any more is opened again
from its trace.

What a served run works with: opened anew, found while it runs, opened again from its trace.

The controller as `langgraph dev` serves it: the same nodes, asked in plain JSON.

    {"clip": "clip.mp4", "question": "Is she angry?"}

A client names a clip under the folder that is served and nothing else of this machine:
tools, model and folders come from the settings of the server. The first node opens what
the run works with, the last one closes it; between them it is found by the run's id.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, NotRequired, Required, cast

from langgraph.channels import UntrackedValue
from langgraph.config import get_config, get_stream_writer
from langgraph.errors import GraphBubbleUp
from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from pydantic import Field, ValidationError
from typing_extensions import TypedDict

from emer.graphs import controller
from emer.graphs.ask import conclude
from emer.graphs.context import Context
from emer.graphs.controller import Node, assemble
from emer.graphs.session import gather, header, live, new_run
from emer.graphs.settings import DEFAULT, Settings, load_settings, with_subtitle
from emer.graphs.state import Json, State, fresh
from emer.graphs.trace.events import Event, Failed, Header, Paused
from emer.graphs.trace.jsonl import Trace, TraceWriter, read_trace
from emer.graphs.trace.runs import usage_of
from emer.tools.errors import ConfigError
from emer.tools.media.clip import Clip
from emer.tools.media.subtitles import SubtitleCue
from emer.tools.types import Record

MOST = 8
"""Runs kept open; beyond them, those that wait longest are closed (chosen by us)."""

Open = Callable[[], AbstractContextManager[Context]]


@dataclass(slots=True)
class _Run:
    context: Context
    stack: ExitStack = field(default_factory=ExitStack)
    nodes: int = 0
    """Nodes at work on it at this moment."""


class LiveRuns:
    """Live objects by run id, safe from several threads."""

    def __init__(self) -> None:
        """Start empty."""
        self._runs: dict[str, _Run] = {}
        self._lock = threading.RLock()

    def __len__(self) -> int:
        """Return how many runs are open."""
        return len(self._runs)

    def __iter__(self) -> Iterator[str]:
        """Ids of the open runs, at this moment."""
        with self._lock:
            return iter(tuple(self._runs))

    @contextmanager
    def at_work(self, run_id: str, open_run: Open) -> Iterator[Context]:
        """Give the run's live objects, opened with `open_run` where they are not here."""
        run = self._take(run_id, open_run)
        try:
            yield run.context
        finally:
            with self._lock:
                run.nodes -= 1

    def end(self, run_id: str) -> None:
        """Close a run's live objects; nothing happens where they are closed."""
        with self._lock:
            run = self._runs.pop(run_id, None)
            if run is not None:
                run.stack.close()

    def _take(self, run_id: str, open_run: Open) -> _Run:
        with self._lock:
            run = self._runs.pop(run_id, None) or self._opened(open_run)
            self._runs[run_id] = run  # the last taken stands last
            run.nodes += 1
            return run

    def _opened(self, open_run: Open) -> _Run:
        idle = [run_id for run_id, run in self._runs.items() if not run.nodes]
        for run_id in idle[: max(0, len(self._runs) + 1 - MOST)]:
            self.end(run_id)
        stack = ExitStack()
        return _Run(stack.enter_context(open_run()), stack)


RUNS = LiveRuns()

Words = tuple[SubtitleCue, ...]


class Request(Record):
    """What a client asks, once it has been looked at."""

    clip: str = Field(min_length=1)
    question: str = DEFAULT
    subtitle: str = ""
    review: bool = Field(default=False, strict=True)


def checked(given: Json) -> Request:
    """Return the request; `ConfigError` on one line for what it lacks or should not be."""
    try:
        return Request.model_validate({name: value for name, value in given.items() if value})
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        raise ConfigError(f"{problem['loc'][0]}: {problem['msg']}") from error


def served_clip(clip: str, root: Path) -> Path:
    """Return the path of a clip under `root`; `ConfigError` for one outside, links followed."""
    home = root.resolve()
    try:
        path = (home / clip).resolve()
    except (OSError, ValueError) as error:
        raise ConfigError(f"{clip!r} is no name of a file") from error
    if not path.is_relative_to(home):
        raise ConfigError(
            f"{clip} is outside {home}, the folder that is served; "
            "EMER_SERVE_ROOT names another one"
        )
    return path


@contextmanager
def begun(run_id: str, request: Request) -> Iterator[Context]:
    """Give the live objects of a new run to its first node."""
    with _at_work(run_id, lambda: _new(run_id, request), ()) as context:
        yield context


@contextmanager
def under_way(run_id: str, known: tuple[str, ...] = ()) -> Iterator[Context]:
    """Give the live objects of a run to a later node; `known` are the clues there are."""
    with _at_work(run_id, lambda: _again(run_id), known) as context:
        yield context


def thread_of(run_id: str) -> str:
    """Return the server's name for the thread that a node works in."""
    return str(get_config().get("configurable", {}).get("thread_id") or run_id)


@contextmanager
def _at_work(
    run_id: str, opening: Callable[[], AbstractContextManager[Context]], known: tuple[str, ...]
) -> Iterator[Context]:
    """Give the live objects; when a node breaks, say so in the trace and close them.

    A node that waits for a person says so, too, and the objects stay.
    """
    with RUNS.at_work(run_id, opening) as context:
        try:
            yield context
        except GraphBubbleUp:
            context.trace.write(_pause(context, known))
            raise
        except BaseException as error:
            cause = f"{type(error).__name__}: {error}"
            context.trace.write(Failed(cause=cause, seconds=context.trace.seconds))
            RUNS.end(run_id)
            raise


def _pause(context: Context, known: tuple[str, ...]) -> Paused:
    """Return the event of a run that waits; the server, not our home, holds its checkpoint."""
    words, seconds = context.clip.subtitle, context.trace.seconds
    return Paused(checkpoint="", clue_ids=known, subtitle=words, seconds=seconds)


@contextmanager
def _new(run_id: str, request: Request) -> Iterator[Context]:
    words = " ".join(request.subtitle.split())
    given = (SubtitleCue(span=None, text=words),) if words else None
    settings, clip = _chosen(request.clip, given)
    cast = gather(settings)
    begins = header(run_id, thread_of(run_id), cast, clip)
    trace = TraceWriter(settings.traces / f"{run_id}.jsonl", _stream)
    with live(cast, clip, trace) as context:
        trace.write(begins)
        yield context


@contextmanager
def _again(run_id: str) -> Iterator[Context]:
    """Give the live objects of a run that this process has closed, or never had."""
    path = load_settings().traces / f"{run_id}.jsonl"
    if not path.is_file():
        raise ConfigError(f"run {run_id} has left no trace to go on from; ask again")
    trace = read_trace(path)
    settings, clip = _chosen(trace.header.clip.path, _words(trace))
    words = clip.subtitle_digest if clip.subtitle else None
    if (clip.sha256, words) != (trace.header.clip.sha256, trace.header.clip.subtitle):
        raise ConfigError(f"run {run_id} cannot go on: its clip or words changed; ask again")
    used, seconds = usage_of(trace), max(event.at for event in (trace.header, *trace.events))
    writer = TraceWriter.reopen(path, seconds, _stream)
    tokens = used.tokens_in + used.tokens_out
    with live(gather(settings), clip, writer, tokens, used.money or 0.0) as context:
        context.ledger.add(trace.observed)
        yield context


def _words(trace: Trace) -> Words | None:
    """Return the words that were given with the clip, if the run paused and kept them."""
    return trace.paused.subtitle or None if trace.paused else None


def _chosen(clip: str, words: Words | None) -> tuple[Settings, Clip]:
    """Return the server's settings and the clip, opened, with the words that are said in it."""
    settings = load_settings()
    opened = Clip.open(served_clip(clip, settings.serve_root), words)
    if opened.subtitle:
        settings = with_subtitle(settings, always=words is not None)
    return settings, opened


def _stream(event: Event) -> None:
    """Tell the client of each event of the trace but its header, which is of this machine."""
    if not isinstance(event, Header):
        get_stream_writer()(event.model_dump(mode="json"))


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
        return {**begin, **controller.probe(whole, runtime.override(context=context))}


def _end(state: Served, runtime: Runtime[Any]) -> Json:
    """Do what the last node of any run does, then tell the answer and close everything."""
    with under_way(state["run_id"]) as context:
        update = controller.finish(state, runtime.override(context=context))
        found = conclude(context, {**state, **update}, thread_of(state["run_id"]))
    RUNS.end(state["run_id"])
    told = {name: value for name, value in found.record.items() if name != "trace"}
    return {**update, "review": False, "answer": told}


graph = build()
