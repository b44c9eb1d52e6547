"""The contract of a tool, and how a name in the settings becomes one.

`use` is a built-in's name ("mesh"), an installed entry point of group `emer.tools`, or
"package.module:Class"; the other keys of the same table are the class's arguments.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol, runtime_checkable

from emer.tools.errors import ConfigError, ToolMissing
from emer.tools.media.clip import Clip
from emer.tools.types import Clue, Modality, Param, Record, Source, Span

GROUP = "emer.tools"

BUILT_IN: Mapping[str, str] = {
    "pocketsphinx": "emer.tools.speech.pocketsphinx:PocketSphinx",
    "whisper": "emer.tools.speech.whisper:Whisper",
    "faster-whisper": "emer.tools.speech.faster_whisper:FasterWhisper",
    "asr": "emer.tools.speech.transformers_asr:Asr",
    "subtitle": "emer.tools.speech.subtitle:Subtitle",
    "mesh": "emer.tools.face.tool:FaceMesh",
    "blendshapes": "emer.tools.face.tool:Blendshapes",
    "deepface": "emer.tools.expression.deepface:DeepFaceEmotion",
    "egemaps": "emer.tools.prosody.egemaps:EGeMAPS",
    "speech-emotion": "emer.tools.voice.speech_emotion:SpeechEmotion",
    "camera": "emer.tools.scene.tool:Camera",
    "captioner": "emer.tools.caption.captioner:Captioner",
    "vision-api": "emer.tools.caption.vision_api:VisionApi",
}


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


def load_tool(use: str, arguments: Mapping[str, Param] | None = None) -> Tool:
    """Build the tool that `use` names; `ConfigError` says what is wrong with the name.

    `ToolMissing` passes through: a tool that is known but not installed.
    """
    made = resolve(use)(**dict(arguments or {}))
    if not isinstance(made, Tool):
        raise ConfigError(
            f"{use} is not a tool: it needs modality, description, source and "
            "observe(clip, span=None) (see emer.tools.tool.Tool)"
        )
    _ = made.source  # says at once what is missing
    return made


def resolve(use: str, built_in: Mapping[str, str] = BUILT_IN, group: str = GROUP) -> type:
    """Return the class that `use` names; `ConfigError` lists what could have been meant."""
    target = built_in.get(use) or (use if ":" in use else _installed(use, built_in, group))
    module, _, name = target.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        raise _not_importable(use, module, error) from error
    except AttributeError as error:
        raise ConfigError(f"{use}: module {module} has no {name}") from error
    if not isinstance(found, type):
        raise ConfigError(f"{use} is not a class")
    return found


def _installed(use: str, built_in: Mapping[str, str], group: str) -> str:
    installed = {point.name: point.value for point in entry_points(group=group)}
    if use not in installed:
        known = ", ".join(sorted({*built_in, *installed}))
        raise ConfigError(f"no tool is called {use!r}; known: {known}; or 'package.module:Class'")
    return installed[use]


def _not_importable(use: str, module: str, error: ModuleNotFoundError) -> Exception:
    if error.name is not None and (module == error.name or module.startswith(f"{error.name}.")):
        return ConfigError(f"{use}: no module {error.name}; is its package installed?")
    return ToolMissing(use, f"the package {error.name}", f"pip install {error.name}")


def code_digest(tool: Tool) -> str:
    """Return a hash of the code of the tool: its file, and the others of its package.

    Part of the evidence key, so that a tool under development is run again after each
    edit without a version bump. Empty where the source is not on disk.
    """
    return _code_of(type(tool))


@cache
def _code_of(kind: type) -> str:
    try:
        path = inspect.getsourcefile(kind)
        return _files_digest(Path(path), kind.__module__) if path else ""
    except (OSError, TypeError):
        return ""


def _files_digest(path: Path, module: str) -> str:
    files = sorted(path.parent.glob("*.py")) if "." in module else [path]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
