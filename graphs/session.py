"""A run set up and carried out; Ctrl-C.

Carrying a run out: its live objects, the graph beside the caller's thread, and Ctrl-C.

What a run depends on, gathered for the first line of its trace.
"""

from __future__ import annotations

import contextvars
import hashlib
import platform
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from secrets import token_hex
from typing import Any

from langchain_core.runnables import RunnableConfig
from pydantic import JsonValue

from emer.agents.reasoner import Reasoner, Remembering, Reporting
from emer.graphs.checkpoints import Checkpoints
from emer.graphs.context import Context, Meter
from emer.graphs.controller import build
from emer.graphs.loading import choose, load_memory, load_reasoner, load_tools
from emer.graphs.settings import MASK, Settings
from emer.graphs.state import Json
from emer.graphs.trace.events import ClipFacts, Failed, Header, Interrupted
from emer.graphs.trace.jsonl import TraceWriter
from emer.tools.errors import ToolMissing
from emer.tools.evidence_store import EvidenceStore
from emer.tools.media.clip import Clip
from emer.tools.tool import Heavy, Tool

RECURSION_LIMIT = 1_000
"""LangGraph's own brake; the budgets end a run long before."""

_SLICE = 0.1

GIVE_UP = 2.0
"""Seconds an interrupted run is given to end in order."""


@dataclass(frozen=True, slots=True)
class Cast:
    """Who takes part in a run, as the settings have it."""

    settings: Settings
    """Without "auto": each slot has the tool that was taken."""
    why: dict[str, str]
    """Of each slot that was left to us, why that tool was taken."""
    tools: dict[str, Tool]
    absent: dict[str, ToolMissing]
    reasoner: Reasoner


def gather(settings: Settings) -> Cast:
    """Return the tools and the reasoner of the settings; `ConfigError` names what is wrong."""
    settings, why = choose(settings)
    tools, absent = load_tools(settings)
    reasoner = load_reasoner(settings.reasoner)
    if isinstance(reasoner, Reporting):
        reasoner.prepare()
    if isinstance(reasoner, Remembering) and settings.memory.on:
        reasoner.remember_with(load_memory(settings))
    return Cast(settings, why, tools, absent, reasoner)


def new_run() -> str:
    """Return an id for a run: its time in UTC, to the microsecond, and four random digits."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-{token_hex(2)}"


@contextmanager
def opened(
    cast: Cast, clip: Clip, trace: TraceWriter, tokens: int = 0, money: float = 0.0
) -> Iterator[tuple[Context, Checkpoints]]:
    """Give the live objects of a run, which has spent so much before; close them after."""
    with (
        live(cast, clip, trace, tokens, money) as context,
        closing(Checkpoints(cast.settings.threads)) as checkpoints,
    ):
        yield context, checkpoints


@contextmanager
def live(
    cast: Cast, clip: Clip, trace: TraceWriter, tokens: int = 0, money: float = 0.0
) -> Iterator[Context]:
    """Give the live objects of a run whose state somebody else keeps; close them after."""
    settings = cast.settings
    with closing(trace), closing(EvidenceStore(settings.evidence)) as store:
        context = Context(
            clip=clip,
            tools=cast.tools,
            absent=cast.absent,
            store=store,
            reasoner=cast.reasoner,
            trace=trace,
            budget=settings.budget,
            tool_seconds=settings.tool_seconds,
            meter=Meter(trace, tokens, money),
        )
        if isinstance(cast.reasoner, Reporting):
            cast.reasoner.report_to(context.meter.hear)
        yield context


def config_for(thread: str, settings: Settings, checkpoint: str | None = None) -> RunnableConfig:
    """Return LangGraph's config for a thread, at a checkpoint of it if one is named."""
    named = {"thread_id": thread}
    if checkpoint is not None:
        named |= {"checkpoint_ns": "", "checkpoint_id": checkpoint}
    return {
        "configurable": named,
        "max_concurrency": settings.parallel,
        "recursion_limit": RECURSION_LIMIT,
    }


def run(context: Context, checkpoints: Checkpoints, begin: Any, config: RunnableConfig) -> Json:
    """Run the graph until it ends or waits for a person, and return the last state.

    It runs beside the caller's thread, so that Ctrl-C is heard while tools are at work.
    """
    outcome: list[Json] = []
    errors: list[BaseException] = []
    done = threading.Event()

    def work() -> None:
        try:
            graph = build(checkpoints)
            outcome.append(graph.invoke(begin, config, context=context, durability="exit"))
        except BaseException as error:
            errors.append(error)
        finally:
            done.set()

    carried = contextvars.copy_context()
    runner = threading.Thread(target=carried.run, args=(work,), name="emer-run", daemon=True)
    try:
        runner.start()
        # In slices: a signal that comes just before an endless wait would not end it.
        while not done.wait(_SLICE):
            pass
    except KeyboardInterrupt:
        _interrupt(context, done)
        raise
    if errors:
        seconds, cause = context.trace.seconds, f"{type(errors[0]).__name__}: {errors[0]}"
        context.trace.write(Failed(cause=cause, seconds=seconds))
        raise errors[0]
    return outcome[0]


def _interrupt(context: Context, done: threading.Event) -> None:
    """Have the waiting nodes give up, and say in the trace that the user stopped the run."""
    context.stop.set()
    with suppress(KeyboardInterrupt):
        done.wait(GIVE_UP)
    context.trace.write(Interrupted(seconds=context.trace.seconds))


_PACKAGES = ("emer", "langgraph", "mediapipe", "numpy", "opensmile", "pocketsphinx", "av")
_SECRET = ("key", "token", "secret", "password")


def header(run_id: str, thread: str, cast: Cast, clip: Clip) -> Header:
    """Return the header of a trace."""
    settings, tools = cast.settings, cast.tools
    return Header(
        run_id=run_id,
        thread=thread,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        versions=dict(_versions()),
        git=_git(Path(__file__).resolve().parents[1]),
        settings=masked(settings.model_dump(mode="json")),
        tools={slot: tool.source for slot, tool in tools.items()},
        hardware={slot: dict(t.hardware) for slot, t in tools.items() if isinstance(t, Heavy)},
        chosen=cast.why,
        reasoner=settings.reasoner.use,
        prompts=dict(_prompts()),
        clip=facts(clip),
    )


def facts(clip: Clip) -> ClipFacts:
    """Return what the trace says of the clip."""
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
    found = [("python", platform.python_version()), ("platform", platform.platform())]
    for name in _PACKAGES:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return tuple(found)


@cache
def _prompts() -> tuple[tuple[str, str], ...]:
    root = files("emer.prompts")
    found = sorted(Path(str(root)).rglob("*.md"))
    return tuple(
        (path.relative_to(str(root)).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest())
        for path in found
    )


def _git(root: Path) -> str | None:
    """Return the commit of the checkout this runs from, None outside one."""
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
    """Return the settings without what must not be in a file that is passed on."""
    if isinstance(value, dict):
        return {key: masked(inner, key) for key, inner in value.items()}
    secret = any(name.lower() == word or name.lower().endswith(f"_{word}") for word in _SECRET)
    return MASK if secret and isinstance(value, str) else value
