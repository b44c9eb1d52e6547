"""The controller as `langgraph dev` serves it: plain JSON in and out.

    {"clip": "clip.mp4", "question": "Is she angry?"}

A client names a clip in the served folder and nothing else of this machine: tools, model and
folders come from the settings of the server. The server stores the state of a run, which is
JSON; the live objects (clip, tools, store, trace) stay in this process, by run id. The first
node opens them, the last one closes them; a run without them is opened again from its trace.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
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
from emer.graphs.ask import final_answer
from emer.graphs.components import load_components
from emer.graphs.context import Context
from emer.graphs.controller import Node, assemble
from emer.graphs.session import open_context, trace_header
from emer.graphs.settings import DEFAULT, Settings, load_settings, with_subtitle
from emer.graphs.state import Json, State, initial_state
from emer.graphs.trace.events import Event, Failed, Header, Paused
from emer.graphs.trace.jsonl import TraceWriter, read_trace
from emer.graphs.trace.runs import new_run_id, usage_of
from emer.tools.errors import ConfigError
from emer.tools.media.clip import Clip
from emer.tools.media.subtitles import SubtitleCue
from emer.tools.types import Record

MOST_OPEN = 8
"""Most open runs; beyond it the longest idle ones are closed (chosen by us)."""

OpenContext = Callable[[], AbstractContextManager[Context]]


@dataclass(slots=True)
class _LiveRun:
    context: Context
    stack: ExitStack
    nodes: int = 0
    """Nodes that use it at this moment."""


class LiveRuns(dict[str, _LiveRun]):
    """Live objects by run id, safe from several threads; the last used one is last."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.RLock()

    @contextmanager
    def use(self, run_id: str, open_context: OpenContext) -> Iterator[Context]:
        """Live objects of a run, opened with `open_context` if they are not open."""
        with self._lock:
            run = self.pop(run_id, None) or self._open(open_context)
            self[run_id] = run
            run.nodes += 1
        try:
            yield run.context
        finally:
            with self._lock:
                run.nodes -= 1

    def close(self, run_id: str) -> None:
        """Close the live objects of a run, if they are open."""
        with self._lock:
            run = self.pop(run_id, None)
            if run is not None:
                run.stack.close()

    def _open(self, open_context: OpenContext) -> _LiveRun:
        idle = [run_id for run_id, run in self.items() if not run.nodes]
        for run_id in idle[: max(0, len(self) + 1 - MOST_OPEN)]:
            self.close(run_id)
        stack = ExitStack()
        return _LiveRun(stack.enter_context(open_context()), stack)


RUNS = LiveRuns()


class ClientInput(TypedDict):
    """Input of the served graph."""

    clip: Required[str]
    """A file in the served folder (`serve_root` of the settings)."""
    question: NotRequired[str]
    subtitle: NotRequired[str]
    """The spoken words, never the name of a file."""
    review: NotRequired[bool]
    """Whether the run is interrupted after the first clues, for a person's edits."""


class ServedState(State):
    """State of a served run: that of any run, its input and its answer."""

    clip: str
    subtitle: Annotated[str, UntrackedValue]
    """Of this request alone: a thread does not carry words from one clip to the next."""
    answer: Json | None


class ClientOutput(TypedDict):
    """Output of the served graph."""

    run_id: str
    answer: Json | None
    """The record of an `Answer`: text, explanation, clues and costs."""


class ClientRequest(Record):
    """Validated input of a client."""

    clip: str = Field(min_length=1)
    question: str = DEFAULT
    subtitle: str = ""
    review: bool = Field(default=False, strict=True)


def served_clip(clip: str, root: Path) -> Path:
    """Path of a clip in `root`; `ConfigError` for one outside, links followed."""
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


def build() -> CompiledStateGraph[Any, Any, Any, Any]:
    """The compiled graph; the server adds the checkpointer."""
    graph: StateGraph[Any, Any, Any, Any] = StateGraph(
        ServedState, input_schema=ClientInput, output_schema=ClientOutput
    )
    assemble(graph, _bind)
    return graph.compile(name="emer")


def _bind(name: str, node: Node) -> Node:
    """The node with the live objects of its run."""
    if name in ("probe", "finish"):
        return _begin if name == "probe" else _end

    @wraps(node)
    def bound(state: Mapping[str, Any], runtime: Runtime[Any]) -> Any:
        run_id, known = state["run_id"], tuple(state.get("known_ids", ()))
        with _live(run_id, lambda: _reopened(run_id), known) as context:
            return node(state, runtime.override(context=context))

    return bound


def _begin(state: ServedState, runtime: Runtime[Any]) -> Json:
    """Open the live objects, then run the controller's first node."""
    try:
        request = ClientRequest.model_validate(
            {n: value for n in ClientRequest.model_fields if (value := state.get(n))}
        )
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        raise ConfigError(f"{problem['loc'][0]}: {problem['msg']}") from error
    run_id = new_run_id(load_settings().traces)
    begin = initial_state(run_id, request.question, request.review) | {"answer": None}
    with _live(run_id, lambda: _opened(run_id, request)) as context:
        whole = cast(State, {**state, **begin})
        return {**begin, **controller.probe(whole, runtime.override(context=context))}


def _end(state: ServedState, runtime: Runtime[Any]) -> Json:
    """Run the controller's last node, then write the answer and close everything."""
    run_id = state["run_id"]
    with _live(run_id, lambda: _reopened(run_id)) as context:
        update = controller.finish(state, runtime.override(context=context))
        answer = final_answer(context, {**state, **update}, _thread(run_id))
    RUNS.close(run_id)
    record = {name: value for name, value in answer.record.items() if name != "trace"}
    return {**update, "review": False, "answer": record}


@contextmanager
def _live(run_id: str, open_context: OpenContext, known: tuple[str, ...] = ()) -> Iterator[Context]:
    """Live objects of a run; a pause or a failure of the node is written to its trace.

    After a failure they are closed, after a pause they stay. `known` are the ids of its clues.
    """
    with RUNS.use(run_id, open_context) as context:
        try:
            yield context
        except GraphBubbleUp:
            words, now = context.clip.subtitle, context.trace.seconds
            # The server holds the checkpoint, under an id of its own.
            context.trace.write(Paused(checkpoint="", clue_ids=known, subtitle=words, seconds=now))
            raise
        except BaseException as error:
            cause = f"{type(error).__name__}: {error}"
            context.trace.write(Failed(cause=cause, seconds=context.trace.seconds))
            RUNS.close(run_id)
            raise


@contextmanager
def _opened(run_id: str, request: ClientRequest) -> Iterator[Context]:
    words = " ".join(request.subtitle.split())
    subtitle = (SubtitleCue(span=None, text=words),) if words else None
    settings, clip = _settings_and_clip(request.clip, subtitle)
    components = load_components(settings)
    header = trace_header(run_id, _thread(run_id), components, clip)
    trace = TraceWriter(settings.traces / f"{run_id}.jsonl", _stream)
    with open_context(components, clip, trace) as context:
        trace.write(header)
        yield context


@contextmanager
def _reopened(run_id: str) -> Iterator[Context]:
    """Live objects of a run that this process has closed, or never had."""
    path = load_settings().traces / f"{run_id}.jsonl"
    if not path.is_file():
        raise ConfigError(f"run {run_id} has left no trace to go on from; ask again")
    trace = read_trace(path)
    subtitle = trace.paused.subtitle or None if trace.paused else None
    settings, clip = _settings_and_clip(trace.header.clip.path, subtitle)
    words = clip.subtitle_digest if clip.subtitle else None
    if (clip.sha256, words) != (trace.header.clip.sha256, trace.header.clip.subtitle):
        raise ConfigError(f"run {run_id} cannot go on: its clip or words changed; ask again")
    writer = TraceWriter.reopen(path, trace.seconds, _stream)
    with open_context(load_components(settings), clip, writer, usage_of(trace)) as context:
        context.ledger.add(trace.observed)
        yield context


def _settings_and_clip(
    clip: str, subtitle: tuple[SubtitleCue, ...] | None
) -> tuple[Settings, Clip]:
    settings = load_settings()
    opened = Clip.open(served_clip(clip, settings.serve_root), subtitle, settings.clip)
    if opened.subtitle:
        settings = with_subtitle(settings, always=subtitle is not None)
    return settings, opened


def _thread(run_id: str) -> str:
    """The server's name of the thread that a node works in."""
    return str(get_config().get("configurable", {}).get("thread_id") or run_id)


def _stream(event: Event) -> None:
    """Send an event to the client, except the header, which is about this machine."""
    if not isinstance(event, Header):
        get_stream_writer()(event.model_dump(mode="json"))


graph = build()
