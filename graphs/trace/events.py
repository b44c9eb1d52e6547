"""What happens in a run, as records: a header, then events in the order they happened.

Each is one line of a trace. `event` tells them apart; `at` is seconds since the run began.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue, TypeAdapter

from emer.agents.clue_edits import Edits
from emer.agents.types import (
    Ask,
    Conflict,
    DeclineReason,
    Explanation,
    Fallback,
    Hypothesis,
    ModelCall,
    Recollection,
    Refusal,
    StopReason,
    Turn,
)
from emer.agents.verification.verifier import Verdict
from emer.tools.media.subtitles import SubtitleCue
from emer.tools.types import Clue, Modality, Param, Record, Source, Span


class ClipFacts(Record):
    """What the trace says of the clip: where it is, its content's hash, its streams."""

    path: str
    name: str
    sha256: str
    duration: float
    video: JsonValue = None
    audio: JsonValue = None
    subtitle: str | None = None
    """The digest of the given words, None when none were given."""
    notes: tuple[str, ...] = ()


class _Event(Record):
    at: float = Field(default=0.0, ge=0)
    """Seconds since the run began."""


class _Call(_Event):
    """What all events of one tool call share."""

    slot: str
    tool: str
    modality: Modality | None
    span: Span | None = None
    round: int = 0
    question: str | None = None
    """What the tool was asked in words, if it was."""


class Header(_Event):
    """Everything a run depends on; the first line of a trace."""

    event: Literal["header"] = "header"
    schema_version: int = 1
    run_id: str
    thread: str
    started: str
    """ISO 8601, UTC."""
    versions: dict[str, str]
    git: str | None = None
    settings: JsonValue
    tools: dict[str, Source]
    hardware: dict[str, dict[str, Param]] = Field(default_factory=dict)
    """By slot, how a tool with a model runs: device, precision, batch, threads."""
    chosen: dict[str, str] = Field(default_factory=dict)
    """By slot that was left to us, what was taken and why."""
    reasoner: str
    prompts: dict[str, str]
    """Prompt file to the sha256 of its text."""
    clip: ClipFacts


class RunStarted(_Event):
    """The question, and the earlier turns of its thread."""

    event: Literal["run_started"] = "run_started"
    question: str
    history: tuple[Turn, ...] = ()
    slots: tuple[str, ...] = ()


class ToolStarted(_Call):
    """A tool was asked to look; `cached` when the evidence store already knew."""

    event: Literal["tool_started"] = "tool_started"
    why: str = ""
    cached: bool = False


class ToolFinished(_Call):
    """A tool gave these clues."""

    event: Literal["tool_finished"] = "tool_finished"
    clues: tuple[Clue, ...]
    cached: bool = False
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    """What a user should know of how it came about."""


class NothingObserved(_Call):
    """A tool worked and found nothing it could measure."""

    event: Literal["nothing_observed"] = "nothing_observed"
    why: str
    cached: bool = False
    seconds: float = 0.0
    notes: tuple[str, ...] = ()


class ToolFailure(_Call):
    """A tool broke, ran out of time or is not installed."""

    event: Literal["tool_failed"] = "tool_failed"
    cause: str
    install: str | None = None
    """The line that installs what is missing."""
    seconds: float = 0.0
    notes: tuple[str, ...] = ()


class Decided(_Event):
    """Where the reasoner stands after a round, and the asks that will be carried out."""

    event: Literal["decided"] = "decided"
    round: int
    hypotheses: tuple[Hypothesis, ...]
    conflicts: tuple[Conflict, ...] = ()
    asks: tuple[Ask, ...] = ()
    refused: tuple[Refusal, ...] = ()
    stop_reason: StopReason | None = None
    declined: DeclineReason | None = None


class ModelCalled(_Event):
    """A language model was asked."""

    event: Literal["model_called"] = "model_called"
    call: ModelCall


class FellBack(_Event):
    """The rules took a step that the model could not."""

    event: Literal["fell_back"] = "fell_back"
    step: Fallback


class Remembered(_Event):
    """What was remembered for the next decision: analogies, never evidence."""

    event: Literal["remembered"] = "remembered"
    recollection: Recollection


class Paused(_Event):
    """The run waits for a person to look at its first clues; it can be taken up any time."""

    event: Literal["paused"] = "paused"
    checkpoint: str
    """The id of the checkpoint from which the run goes on."""
    clue_ids: tuple[str, ...]
    """The clues to be looked at."""
    subtitle: tuple[SubtitleCue, ...] = ()
    """The words that were given with the clip."""
    seconds: float


class Reviewed(_Event):
    """What a person made of the clues: as a draft, for good, or earlier in the thread."""

    event: Literal["reviewed"] = "reviewed"
    stage: Literal["draft", "done", "earlier"]
    edits: Edits
    struck: tuple[str, ...] = ()
    """The clues that no longer stand."""
    clues: tuple[Clue, ...] = ()
    """The clues that the person wrote."""


class Explained(_Event):
    """The explanation as first written, or once more after the verifier's verdicts."""

    event: Literal["explained"] = "explained"
    attempt: int
    explanation: Explanation


class Verified(_Event):
    """What the verifier held of each sentence and label."""

    event: Literal["verified"] = "verified"
    attempt: int
    verdicts: Verdict


class Finished(_Event):
    """The answer."""

    event: Literal["finished"] = "finished"
    explanation: Explanation
    stop_reason: StopReason
    notes: tuple[str, ...] = ()
    seconds: float


class Interrupted(_Event):
    """The user stopped the run; what the tools gave until then is in the store."""

    event: Literal["interrupted"] = "interrupted"
    seconds: float


class Failed(_Event):
    """The run broke; never the fault of a tool."""

    event: Literal["failed"] = "failed"
    cause: str
    seconds: float


Event = Annotated[
    Header
    | RunStarted
    | ToolStarted
    | ToolFinished
    | NothingObserved
    | ToolFailure
    | Decided
    | ModelCalled
    | FellBack
    | Remembered
    | Paused
    | Reviewed
    | Explained
    | Verified
    | Finished
    | Interrupted
    | Failed,
    Field(discriminator="event"),
]

EVENT: TypeAdapter[Event] = TypeAdapter(Event)
"""Reads one line of a trace."""
