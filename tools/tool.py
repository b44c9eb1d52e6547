"""The contract of a tool, and its optional abilities: model, address, answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from emer.tools.media.clip import Clip
from emer.tools.types import Clue, Modality, Param, Record, Source, Span


@runtime_checkable
class Tool(Protocol):
    """A specialist that observes a clip and reports clues.

    Weights are loaded at the first `observe`, never at construction, so that listing tools
    is cheap. A tool may be called from several threads; it guards its own model.
    """

    modality: Modality
    description: str
    """One sentence on what it observes, for the planner and for `emer tools list`."""

    @property
    def source(self) -> Source:
        """Name, version, model and parameters that change the result."""
        ...

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """Clues about the clip, or about `span` of it in more detail.

        With a span, report what happens inside it, at the full frame rate, measured
        against the rest of the clip; what extends beyond it may be reported in full. Raise
        `Unobservable(reason)` when there is nothing to measure, which is missing evidence;
        return nothing where the clip lacks what the tool looks for and that is no loss (no
        subtitle in the picture). `ToolMissing`: a package or weights are absent. Any other
        exception becomes a `ToolFailed` event.
        Deterministic, unless the class declares `deterministic = False`.
        """
        ...


@runtime_checkable
class Heavy(Protocol):
    """A tool with a model in memory; `source` raises `ToolMissing` without weights."""

    @property
    def hardware(self) -> Mapping[str, Param]:
        """Device, precision, batch and threads, none of which changes the result."""
        ...

    def load(self) -> None:
        """Load the model now; `ToolMissing` or `ToolFailed` where that cannot be."""
        ...

    def unload(self) -> None:
        """Release the model; the next `observe` loads it again."""
        ...


@runtime_checkable
class Remote(Protocol):
    """A tool that sends frames, sound or words to an address.

    `auto` never chooses it, and settings that are not trusted cannot.
    """

    def reach(self) -> str:
        """Name of the server that answers a request without a clip; else `ToolFailed`."""
        ...


@runtime_checkable
class Answering(Protocol):
    """A tool that also takes questions, as long as `answers` is true."""

    answers: bool
    """Whether its present model takes questions; never raises."""

    def answer(self, clip: Clip, span: Span, question: str) -> Sequence[Clue]:
        """Clues that answer the question about the span; raises as `Tool.observe` does."""
        ...


class ToolCard(Record):
    """Description of a tool for the planner."""

    name: str
    modality: Modality
    description: str
    answers: bool = False
    """Whether it takes questions."""


def card(tool: Tool) -> ToolCard:
    return ToolCard(
        name=tool.source.tool,
        modality=tool.modality,
        description=tool.description,
        answers=isinstance(tool, Answering) and tool.answers,
    )
