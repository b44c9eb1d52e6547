"""A run carried out: live objects, the graph in its thread, Ctrl-C, the header."""

from __future__ import annotations

import contextvars
import hashlib
import platform
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from secrets import token_hex
from typing import Any

from langchain_core.runnables import RunnableConfig
from pydantic import JsonValue

from emer.agents.reasoner import Reporting
from emer.graphs.checkpoints import Checkpoints
from emer.graphs.components import Components
from emer.graphs.context import Context, Meter
from emer.graphs.controller import build
from emer.graphs.settings import MASK, Settings
from emer.graphs.state import Json
from emer.graphs.trace.events import ClipFacts, Failed, Header, Interrupted
from emer.graphs.trace.jsonl import TraceWriter
from emer.tools.evidence_store import EvidenceStore
from emer.tools.media.clip import Clip
from emer.tools.tool import Heavy

RECURSION_LIMIT = 1_000
"""LangGraph's own limit; the budgets end a run long before."""
INTERRUPT_SECONDS = 2.0
"""Time that an interrupted run has to end in order."""
_POLL_SECONDS = 0.1
_PACKAGES = ("emer", "langgraph", "mediapipe", "numpy", "opensmile", "pocketsphinx", "av")
_SECRET = ("key", "token", "secret", "password")


def new_run_id() -> str:
    """Id of a new run: its time in UTC, to the microsecond, and four random digits."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-{token_hex(2)}"


@contextmanager
def open_run(
    components: Components, clip: Clip, trace: TraceWriter, tokens: int = 0, money: float = 0.0
) -> Iterator[tuple[Context, Checkpoints]]:
    """Open the live objects of a run and its checkpoints, and close them afterwards.

    Args:
        components: Tools and reasoner.
        clip: The clip.
        trace: The trace, open for writing.
        tokens: Tokens that the run spent before it was paused.
        money: Money that the run spent before it was paused.

    """
    with (
        open_context(components, clip, trace, tokens, money) as context,
        closing(Checkpoints(components.settings.threads)) as checkpoints,
    ):
        yield context, checkpoints


@contextmanager
def open_context(
    components: Components, clip: Clip, trace: TraceWriter, tokens: int = 0, money: float = 0.0
) -> Iterator[Context]:
    """Open the live objects of a run whose state is stored elsewhere; see `open_run`."""
    settings, reasoner = components.settings, components.reasoner
    with closing(trace), closing(EvidenceStore(settings.evidence)) as store:
        context = Context(
            clip=clip,
            tools=components.tools,
            absent=components.absent,
            store=store,
            reasoner=reasoner,
            trace=trace,
            budget=settings.budget,
            tool_seconds=settings.tool_seconds,
            meter=Meter(trace, tokens, money),
        )
        if isinstance(reasoner, Reporting):
            reasoner.report_to(context.meter.record)
        yield context


def config_for(thread: str, settings: Settings, checkpoint: str | None = None) -> RunnableConfig:
    """LangGraph's config for a thread, at one of its checkpoints if an id is given."""
    configurable = {"thread_id": thread}
    if checkpoint is not None:
        configurable |= {"checkpoint_ns": "", "checkpoint_id": checkpoint}
    return {
        "configurable": configurable,
        "max_concurrency": settings.parallel,
        "recursion_limit": RECURSION_LIMIT,
    }


def run(context: Context, checkpoints: Checkpoints, begin: Any, config: RunnableConfig) -> Json:
    """Run the graph until it ends or pauses, and return its last state.

    It runs in a thread of its own, so that Ctrl-C takes effect while tools work.

    Args:
        context: Live objects of the run.
        checkpoints: Where the state is saved.
        begin: First update of the state, or LangGraph's `Command` that resumes a paused run.
        config: Thread and limits; see `config_for`.

    """
    states: list[Json] = []
    errors: list[BaseException] = []
    done = threading.Event()

    def work() -> None:
        try:
            graph = build(checkpoints)
            states.append(graph.invoke(begin, config, context=context, durability="exit"))
        except BaseException as error:
            errors.append(error)
        finally:
            done.set()

    variables = contextvars.copy_context()
    runner = threading.Thread(target=variables.run, args=(work,), name="emer-run", daemon=True)
    try:
        runner.start()
        # In slices: a signal that comes just before an endless wait would not end it.
        while not done.wait(_POLL_SECONDS):
            pass
    except KeyboardInterrupt:
        context.stop.set()
        with suppress(KeyboardInterrupt):
            done.wait(INTERRUPT_SECONDS)
        context.trace.write(Interrupted(seconds=context.trace.seconds))
        raise
    if errors:
        seconds, cause = context.trace.seconds, f"{type(errors[0]).__name__}: {errors[0]}"
        context.trace.write(Failed(cause=cause, seconds=seconds))
        raise errors[0]
    return states[0]


def trace_header(run_id: str, thread: str, components: Components, clip: Clip) -> Header:
    """Header of a trace: everything the run depends on.

    Args:
        run_id: Id of the run.
        thread: Name of its thread.
        components: Tools, reasoner and settings.
        clip: The clip.

    """
    settings, tools = components.settings, components.tools
    return Header(
        run_id=run_id,
        thread=thread,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        versions=dict(_versions()),
        git=_commit(Path(__file__).resolve().parents[1]),
        settings=masked(settings.model_dump(mode="json")),
        tools={slot: tool.source for slot, tool in tools.items()},
        hardware={slot: dict(t.hardware) for slot, t in tools.items() if isinstance(t, Heavy)},
        chosen=components.reasons,
        reasoner=settings.reasoner.use,
        prompts=dict(_prompt_hashes()),
        clip=_clip_facts(clip),
    )


def _clip_facts(clip: Clip) -> ClipFacts:
    return ClipFacts(
        path=str(clip.path.resolve()),
        name=clip.path.name,
        sha256=clip.sha256,
        duration=clip.duration,
        video=clip.video.model_dump(mode="json") if clip.video else None,
        audio=clip.audio.model_dump(mode="json") if clip.audio else None,
        subtitle=clip.subtitle_digest if clip.subtitle else None,
        notes=clip.notes,
    )


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    versions = [("python", platform.python_version()), ("platform", platform.platform())]
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):
            versions.append((name, version(name)))
    return tuple(versions)


@cache
def _prompt_hashes() -> tuple[tuple[str, str], ...]:
    root = Path(str(files("emer.prompts")))
    return tuple(
        (path.relative_to(root).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(root.rglob("*.md"))
    )


def _commit(root: Path) -> str | None:
    """Commit of the checkout that this module is in; None outside a checkout."""
    try:
        head = (root / ".git" / "HEAD").read_text().strip()
        if not head.startswith("ref: "):
            return head
        name = head.removeprefix("ref: ")
        loose = root / ".git" / name
        if loose.is_file():
            return loose.read_text().strip()
        packed = (root / ".git" / "packed-refs").read_text().splitlines()
        return next((line.split()[0] for line in packed if line.endswith(f" {name}")), None)
    except OSError:
        return None


def masked(value: JsonValue, name: str = "") -> JsonValue:
    """The settings with secrets masked: a trace may be shared."""
    if isinstance(value, dict):
        return {key: masked(inner, key) for key, inner in value.items()}
    secret = any(name.lower() == word or name.lower().endswith(f"_{word}") for word in _SECRET)
    return MASK if secret and isinstance(value, str) else value
