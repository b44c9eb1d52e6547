"""Events of a run as records: the header first, then one per line of the trace.

`event` is the discriminator; `at` is seconds since the run began.
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
    """The clip: its path, the hash of its content, its streams."""

    path: str
    name: str
    sha256: str
    duration: float
    video: JsonValue = None
    audio: JsonValue = None
    subtitle: str | None = None
    """Digest of the given words, None without them."""
    notes: tuple[str, ...] = ()


class _Event(Record):
    at: float = Field(default=0.0, ge=0)
    """Seconds since the run began."""


class _Call(_Event):
    slot: str
    tool: str
    modality: Modality | None
    span: Span | None = None
    round: int = 0
    question: str | None = None
    """A question in words, if the tool got one."""


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
    """By slot of a tool with a model: device, precision, batch, threads."""
    chosen: dict[str, str] = Field(default_factory=dict)
    """By slot that was "auto": the tool and the reason."""
    reasoner: str
    prompts: dict[str, str]
    """Sha256 by prompt file."""
    clip: ClipFacts
    places: dict[str, str] = Field(default_factory=dict)
    """Folder in which each "module:Class" of the settings is found, unless it is installed."""
    signature: str | None = None
    """Signature by the key of the user whose run it is."""


class RunStarted(_Event):
    """The question, and the earlier turns of its thread."""

    event: Literal["run_started"] = "run_started"
    question: str
    history: tuple[Turn, ...] = ()
    slots: tuple[str, ...] = ()


class ToolStarted(_Call):
    """A tool call began; `cached` if the evidence store had its result."""

    event: Literal["tool_started"] = "tool_started"
    why: str = ""
    cached: bool = False


class ToolAdvanced(_Call):
    """Share of a tool call's work that is done; for listeners, no line of the trace."""

    event: Literal["tool_advanced"] = "tool_advanced"
    share: float = Field(ge=0, le=1)


class ToolFinished(_Call):
    """A tool call ended with clues."""

    event: Literal["tool_finished"] = "tool_finished"
    clues: tuple[Clue, ...]
    cached: bool = False
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    """Notes for the user."""


class NothingObserved(_Call):
    """A tool call ended without anything it could measure."""

    event: Literal["nothing_observed"] = "nothing_observed"
    why: str
    cached: bool = False
    seconds: float = 0.0
    notes: tuple[str, ...] = ()


class ToolFailure(_Call):
    """A tool failed, exceeded its time limit or is not installed."""

    event: Literal["tool_failed"] = "tool_failed"
    cause: str
    install: str | None = None
    """The line that installs what is missing."""
    seconds: float = 0.0
    notes: tuple[str, ...] = ()


class Decided(_Event):
    """Decision after a round, with the asks that will be carried out."""

    event: Literal["decided"] = "decided"
    round: int
    hypotheses: tuple[Hypothesis, ...]
    conflicts: tuple[Conflict, ...] = ()
    asks: tuple[Ask, ...] = ()
    refused: tuple[Refusal, ...] = ()
    stop_reason: StopReason | None = None
    declined: DeclineReason | None = None


class ModelCalled(_Event):
    """A request to a language model."""

    event: Literal["model_called"] = "model_called"
    call: ModelCall


class FellBack(_Event):
    """A step that the rules took because the model failed."""

    event: Literal["fell_back"] = "fell_back"
    step: Fallback


class Remembered(_Event):
    """Analogies retrieved from the memory for the next decision."""

    event: Literal["remembered"] = "remembered"
    recollection: Recollection


class Paused(_Event):
    """The run waits for a review of its first clues; it can be resumed at any time."""

    event: Literal["paused"] = "paused"
    checkpoint: str
    """Id of the checkpoint from which the run resumes."""
    clue_ids: tuple[str, ...]
    """The clues to review."""
    subtitle: tuple[SubtitleCue, ...] = ()
    """Words given with the clip."""
    seconds: float


class Reviewed(_Event):
    """Edits of a reviewer: a draft, final, or from earlier in the thread."""

    event: Literal["reviewed"] = "reviewed"
    stage: Literal["draft", "done", "earlier"]
    edits: Edits
    struck: tuple[str, ...] = ()
    """Clues that the edits reject."""
    clues: tuple[Clue, ...] = ()
    """Clues that the reviewer wrote."""


class Explained(_Event):
    """The first explanation, or its revision after the verifier's verdicts."""

    event: Literal["explained"] = "explained"
    attempt: int
    explanation: Explanation


class Verified(_Event):
    """Verdicts on each sentence and label."""

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
    """The user stopped the run; finished observations are in the store."""

    event: Literal["interrupted"] = "interrupted"
    seconds: float


class Failed(_Event):
    """The run failed; a tool alone never causes it."""

    event: Literal["failed"] = "failed"
    cause: str
    seconds: float


Event = Annotated[
    Header
    | RunStarted
    | ToolStarted
    | ToolAdvanced
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
