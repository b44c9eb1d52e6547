"""The controller as `langgraph dev` serves it: plain JSON in and out.

    {"clip": "clip.mp4", "question": "Is she angry?"}

A client names a clip in the served folder and nothing else of this machine: tools, model and
folders come from the settings of the server. The server stores the state of a run, which is
JSON; the live objects (clip, tools, store, trace) stay in this process, by run id. The first
node opens them, the last one closes them; a run without them is opened again from its trace.

A client can write any state of its thread, start any node and resume with any value: every node
checks what it gets (`checked_state`), and goes on with a run only in the thread it was begun in.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
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
from pydantic import Field, JsonValue, ValidationError
from typing_extensions import TypedDict

from emer.agents.types import LONGEST_QUESTION
from emer.graphs import controller
from emer.graphs.ask import final_answer
from emer.graphs.components import load_components
from emer.graphs.context import Context
from emer.graphs.controller import Node, assemble
from emer.graphs.session import open_context, trace_header
from emer.graphs.settings import DEFAULT, Settings, load_settings, with_subtitle
from emer.graphs.state import (
    Json,
    OrderRecord,
    State,
    StateRecord,
    checked_state,
    first_problem,
    initial_state,
)
from emer.graphs.trace.events import Event, Failed, Header, Paused
from emer.graphs.trace.jsonl import TraceWriter, read_trace
from emer.graphs.trace.runs import new_run_id, usage_of
from emer.tools.errors import ConfigError
from emer.tools.media.clip import Clip
from emer.tools.media.subtitles import MOST_WORDS, SubtitleCue
from emer.tools.types import Record

MOST_OPEN = 8
"""Most open runs; beyond it the longest idle ones are closed (chosen by us)."""

MOST_NAME = 1_000
"""Characters of the name of a clip (chosen by us)."""

OpenContext = Callable[[], AbstractContextManager[Context]]


@dataclass(slots=True)
class _LiveRun:
    context: Context
    stack: ExitStack
    thread: str
    """The server's name of the thread in which the run was begun."""
    nodes: int = 0
    """Nodes that use it at this moment."""


class LiveRuns(dict[str, _LiveRun]):
    """Live objects by run id, safe from several threads; the last used one is last."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.RLock()

    @contextmanager
    def use(self, run_id: str, thread: str, open_context: OpenContext) -> Iterator[Context]:
        """Live objects of a thread's run, opened with `open_context` if they are not."""
        with self._lock:
            run = self.get(run_id) or self._open(thread, open_context)
            if run.thread != thread:
                raise ConfigError(f"run {run_id} is not one of this thread")
            self.pop(run_id, None)
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

    def _open(self, thread: str, open_context: OpenContext) -> _LiveRun:
        idle = [run_id for run_id, run in self.items() if not run.nodes]
        for run_id in idle[: max(0, len(self) + 1 - MOST_OPEN)]:
            self.close(run_id)
        stack = ExitStack()
        return _LiveRun(stack.enter_context(open_context()), stack, thread)


RUNS = LiveRuns()

OPTIONAL = {"edited"}
"""Fields that a state begins without."""
SLACK = 0.5
"""Seconds that a closer look may reach beyond the clip, for rounding (chosen by us)."""


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

    clip: str = Field(min_length=1, max_length=MOST_NAME)
    question: str = Field(default=DEFAULT, max_length=LONGEST_QUESTION)
    subtitle: str = Field(default="", max_length=MOST_WORDS)
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
            f"{clip!r} is outside the folder that is served; EMER_SERVE_ROOT names another one"
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
    """The node with a checked state and the live objects of its run."""
    ends: dict[str, Node] = {"probe": _begin, "finish": _end}
    served = ends.get(name) or _with_context(name, node)

    @wraps(ends.get(name, node))  # LangGraph reads the input of a node from its signature
    def bound(state: Mapping[str, Any], runtime: Runtime[Any]) -> Any:
        with _one_line_errors():
            return served(state, runtime)

    return bound


@contextmanager
def _one_line_errors() -> Iterator[None]:
    """Errors of a client's values as one line, without the folders of this machine."""
    try:
        yield
    except ValidationError as error:
        raise ConfigError(first_problem(error)) from None
    except ConfigError as error:
        settings, text = load_settings(), str(error)
        for folder in (settings.serve_root.resolve(), settings.home):
            text = text.replace(f"{folder}/", "").replace(str(folder), folder.name)
        raise ConfigError(text) from None


def _checked(state: Mapping[str, Any], kind: type[Record], needed: Iterable[str]) -> Any:
    try:
        return checked_state(state, kind, tuple(needed))
    except ValueError as error:
        raise ConfigError(f"{error}; ask in a new thread") from None


def _with_context(name: str, node: Node) -> Node:
    def bound(state: Mapping[str, Any], runtime: Runtime[Any]) -> Any:
        kind: type[Record] = OrderRecord if name == "observe" else StateRecord
        checked = _checked(state, kind, kind.model_fields.keys() - OPTIONAL)
        run_id, known = checked["run_id"], tuple(checked.get("known_ids", ()))
        with _live(run_id, lambda: _reopened(run_id), known) as context:
            _check_references(checked, context)
            return node(checked, runtime.override(context=context))

    return bound


def _check_references(state: Json, context: Context) -> None:
    """Raise `ConfigError` for a clue or a tool that the run does not have."""
    cited = [state.get(name) for name in ("decision", "explanation")]
    lists = [state.get(name, []) for name in ("known_ids", "clue_ids", "struck")]
    context.ledger.named(id for ids in (*lists, *_cited(cited)) for id in ids)
    if (job := state.get("job")) is None:
        return
    if job["slot"] not in context.tools:
        raise ConfigError(f"this run has no tool for {job['slot']!r}")
    if (span := job.get("span")) and span["end"] > context.clip.duration + SLACK:
        raise ConfigError(f"{span['start']:g}-{span['end']:g} s is not inside the clip")


def _cited(value: JsonValue) -> Iterator[list[str]]:
    """The lists of clue ids in a decision or an explanation."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in ("clue_ids", "supports", "contradicts"):
                yield cast(list[str], inner)
            else:
                yield from _cited(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _cited(inner)


def _begin(state: ServedState, runtime: Runtime[Any]) -> Json:
    """Open the live objects, then run the controller's first node."""
    fields = {name: state.get(name) for name in ClientRequest.model_fields}
    request = ClientRequest.model_validate({name: v for name, v in fields.items() if v})
    kept: Json = {name: value for name, value in state.items() if name in ("history", "edited")}
    earlier = _checked(kept, StateRecord, ())
    begin = initial_state(new_run_id(load_settings().traces), request.question, request.review) | {
        "answer": None
    }
    run_id = begin["run_id"]
    with _live(run_id, lambda: _opened(run_id, request)) as context:
        whole = cast(State, {**earlier, **begin})
        return {**begin, **controller.probe(whole, runtime.override(context=context))}


def _end(state: ServedState, runtime: Runtime[Any]) -> Json:
    """Run the controller's last node, then write the answer and close everything."""
    whole = _checked(state, StateRecord, StateRecord.model_fields.keys() - OPTIONAL)
    run_id = whole["run_id"]
    with _live(run_id, lambda: _reopened(run_id)) as context:
        _check_references(whole, context)
        update = controller.finish(whole, runtime.override(context=context))
        answer = final_answer(context, {**whole, **update}, _thread(run_id))
    RUNS.close(run_id)
    record = answer.record.model_dump(mode="json", exclude={"trace", "file"})
    return {**update, "review": False, "answer": record}


@contextmanager
def _live(run_id: str, open_context: OpenContext, known: tuple[str, ...] = ()) -> Iterator[Context]:
    """Live objects of a run; a pause or a failure of the node is written to its trace.

    After a failure they are closed, after a pause they stay. `known` are the ids of its clues.
    """
    with RUNS.use(run_id, _thread(run_id), open_context) as context:
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
    traces = load_settings().traces.resolve()
    path = traces / f"{run_id}.jsonl"
    if not path.is_file() or path.resolve().parent != traces:
        raise ConfigError(f"run {run_id} has left no trace to go on from; ask again")
    trace = read_trace(path)
    if (trace.header.run_id, trace.header.thread) != (run_id, _thread(run_id)):
        raise ConfigError(f"run {run_id} is not one of this thread")
    if trace.finished is not None:
        raise ConfigError(f"run {run_id} is finished; ask again")
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
