"""What a served run works with: opened anew, found while it runs, opened again from its trace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from langgraph.config import get_config, get_stream_writer
from langgraph.errors import GraphBubbleUp
from pydantic import Field, ValidationError

from emer.graphs.context import Context
from emer.graphs.events import Event, Failed, Header, Paused
from emer.graphs.header import header
from emer.graphs.live import LiveRuns
from emer.graphs.running import gather, live
from emer.graphs.settings import DEFAULT, Settings, load_settings, with_subtitle
from emer.graphs.state import Json
from emer.graphs.trace import Trace, TraceWriter, read_trace
from emer.graphs.usage import usage_of
from emer.tools.clip import Clip
from emer.tools.errors import ConfigError
from emer.tools.subtitles import SubtitleCue
from emer.tools.types import Record

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
