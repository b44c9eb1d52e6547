"""A run carried out: live objects, the graph in its thread, Ctrl-C, the header."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterator
from concurrent.futures import Future, wait
from contextlib import closing, contextmanager, suppress
from contextvars import copy_context
from datetime import UTC, datetime
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from pydantic import JsonValue

from emer.agents.reasoner import Reporting
from emer.graphs.checkpoints import Checkpoints
from emer.graphs.components import Components
from emer.graphs.context import Context, Meter
from emer.graphs.controller import build
from emer.graphs.settings import Settings
from emer.graphs.state import Json
from emer.graphs.trace.events import ClipFacts, Failed, Header, Interrupted
from emer.graphs.trace.jsonl import TraceWriter
from emer.graphs.trace.runs import Usage
from emer.graphs.trace.stored_settings import signed
from emer.graphs.trust import MASK
from emer.prompts.prompt import FOLDER as PROMPTS
from emer.tools.evidence_store import EvidenceStore
from emer.tools.media.clip import Clip
from emer.tools.runtime.cancellation import in_call
from emer.tools.runtime.private_files import narrow_home
from emer.tools.runtime.time_limit import start_daemon
from emer.tools.text import readable
from emer.tools.tool import Heavy

RECURSION_LIMIT = 1_000
"""LangGraph's own limit; the budgets end a run long before."""
INTERRUPT_SECONDS = 0.5
"""Time that an interrupted run has to end in order."""
_POLL_SECONDS = 0.1
_PACKAGES = ("emer", "langgraph", "mediapipe", "numpy", "opensmile", "pocketsphinx", "av")
_SECRET = ("key", "token", "secret", "password")


@contextmanager
def open_run(
    components: Components, clip: Clip, trace: TraceWriter, spent: Usage | None = None
) -> Iterator[tuple[Context, Checkpoints]]:
    """Open the live objects of a run and its checkpoints, and close them afterwards.

    Args:
        components: Tools and reasoner.
        clip: The clip.
        trace: The trace, open for writing.
        spent: Usage of language models before the run was paused.

    """
    with (
        open_context(components, clip, trace, spent) as context,
        closing(Checkpoints(components.settings.threads)) as checkpoints,
    ):
        yield context, checkpoints


@contextmanager
def open_context(
    components: Components, clip: Clip, trace: TraceWriter, spent: Usage | None = None
) -> Iterator[Context]:
    """Open the live objects of a run whose state is stored elsewhere; see `open_run`."""
    settings, reasoner = components.settings, components.reasoner
    narrow_home(settings.home)
    with closing(trace), closing(EvidenceStore(settings.evidence)) as store:
        context = Context(
            clip=clip,
            tools=components.tools,
            absent=components.absent,
            chosen=components.reasons,
            store=store,
            reasoner=reasoner,
            trace=trace,
            budget=settings.budget,
            tool_seconds=settings.tool_seconds,
            language=settings.language,
            meter=Meter(trace, spent),
            notes=[*settings.notes],
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

    def work() -> Json:
        with in_call(context.call):
            return build(checkpoints).invoke(begin, config, context=context, durability="exit")

    result: Future[Json] | None = None
    try:
        result = start_daemon(partial(copy_context().run, work), "emer-run")
        # In slices: a signal that comes just before an endless wait would not end it.
        while not result.done():
            wait([result], _POLL_SECONDS)
    except KeyboardInterrupt:
        context.call.cancel()
        with suppress(KeyboardInterrupt):
            wait([result] if result else [], INTERRUPT_SECONDS)
        context.trace.write(Interrupted(seconds=context.trace.seconds))
        raise
    if error := result.exception():
        cause = f"{type(error).__name__}: {error}"
        context.trace.write(Failed(cause=cause, seconds=context.trace.seconds))
        raise error
    return result.result()


def trace_header(run_id: str, thread: str, components: Components, clip: Clip) -> Header:
    """Signed header of a trace: everything the run depends on.

    Args:
        run_id: Id of the run.
        thread: Name of its thread.
        components: Tools, reasoner and settings.
        clip: The clip.

    """
    settings, tools = components.settings, components.tools
    header = Header(
        run_id=run_id,
        thread=thread,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        versions=_versions(),
        git=_commit(Path(__file__).resolve().parents[1] / ".git"),
        settings=masked(settings.model_dump(mode="json")),
        tools={slot: tool.source for slot, tool in tools.items()},
        hardware={slot: dict(t.hardware) for slot, t in tools.items() if isinstance(t, Heavy)},
        chosen=components.reasons,
        reasoner=settings.reasoner.use,
        prompts=_prompt_hashes(),
        clip=ClipFacts(
            path=readable(str(clip.path.resolve())),
            name=clip.name,
            sha256=clip.sha256,
            duration=clip.duration,
            video=clip.video.model_dump(mode="json") if clip.video else None,
            audio=clip.audio.model_dump(mode="json") if clip.audio else None,
            subtitle=clip.subtitle_digest if clip.subtitle else None,
            notes=clip.notes,
        ),
        places=settings.places,
    )
    return signed(header)


@cache
def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version(), "platform": platform.platform()}
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    return versions


@cache
def _prompt_hashes() -> dict[str, str]:
    return {
        path.relative_to(PROMPTS).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(PROMPTS.rglob("*.md"))
    }


def _commit(git: Path) -> str | None:
    """Commit of the checkout with this .git folder; None without one."""
    try:
        head = (git / "HEAD").read_text().strip()
        name = head.removeprefix("ref: ")
        if name == head:
            return head
        if (git / name).is_file():
            return (git / name).read_text().strip()
        packed = (git / "packed-refs").read_text().splitlines()
        return next((line.split()[0] for line in packed if line.endswith(f" {name}")), None)
    except OSError:
        return None


def masked(value: JsonValue, name: str = "") -> JsonValue:
    """The settings with secrets masked: a trace may be shared."""
    if isinstance(value, dict):
        return {key: masked(inner, key) for key, inner in value.items()}
    secret = any(name.lower() == word or name.lower().endswith(f"_{word}") for word in _SECRET)
    return MASK if secret and isinstance(value, str) else value
