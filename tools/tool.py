"""The contract of a tool, and what a tool may be able to do besides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from emer.tools.media.clip import Clip
from emer.tools.types import Clue, Modality, Param, Record, Source, Span


@runtime_checkable
class Tool(Protocol):
    """A specialist that watches or listens and writes down clues.

    Weights load at the first `observe`, never at construction, so that listing tools
    is cheap. A tool may be called from several threads; it guards its own model.
    """

    modality: Modality
    description: str
    """One sentence: what it observes, for the planner and for `emer tools list`."""

    @property
    def source(self) -> Source:
        """Name, version, model and result-changing parameters: part of the cache key."""
        ...

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """Return clues about the clip, or a closer look at `span` of it.

        With a span, report what happens inside it, at the full frame rate, measured
        against the rest of the clip; what reaches out of it may be told whole. Raise
        `Unobservable(reason)` when there is nothing to measure, `ToolMissing` when a
        package or weight is absent. Any other exception becomes a `ToolFailed` event.
        Deterministic, unless declared not (`deterministic = False`).
        """
        ...


@runtime_checkable
class Heavy(Protocol):
    """A tool whose model fills memory: it says how it runs, and can be loaded and let go.

    Its `source` raises `ToolMissing` when its packages or weights are absent.
    """

    @property
    def hardware(self) -> Mapping[str, Param]:
        """Device, precision, batch and threads: how it runs, which changes no result."""
        ...

    def load(self) -> None:
        """Load the model now; `ToolMissing` or `ToolFailed` where that cannot be."""
        ...

    def unload(self) -> None:
        """Let go of the model; the next look loads it again."""
        ...


@runtime_checkable
class Remote(Protocol):
    """A tool whose model is behind an address: it can ask whether anybody is there."""

    def reach(self) -> str:
        """Return in few words who answered; nothing of a clip is sent.

        `ToolFailed` says on one line what is wrong.
        """
        ...


@runtime_checkable
class Answering(Protocol):
    """A tool that may also be asked something in words, as long as `answers` is true."""

    answers: bool
    """Whether it can, with the model that it has; never raises."""

    def answer(self, clip: Clip, span: Span, question: str) -> Sequence[Clue]:
        """Return clues that answer the question for the span; raises as `Tool.observe` does."""
        ...


class ToolCard(Record):
    """What a planner may know of a tool: its name, modality and description."""

    name: str
    modality: Modality
    description: str
    answers: bool = False
    """Whether it can be asked something in words."""


def card(tool: Tool) -> ToolCard:
    """Return the tool's card."""
    return ToolCard(
        name=tool.source.tool,
        modality=tool.modality,
        description=tool.description,
        answers=isinstance(tool, Answering) and tool.answers,
    )
