"""Exceptions, as one tree.

EmerError
├── ConfigError      the user can correct it: one line, exit code 2, no traceback
│   └── ClipError    the file cannot be read as a clip
├── ToolMissing      a tool's package or weights are absent; carries the install line
├── WeightsBroken    weights are present but cannot be loaded: truncated, or another format
├── ToolFailed       a tool failed on a clip: an event, and an absence of clues
└── Unobservable     a tool ran and there was nothing it could measure; carries the reason
"""

from __future__ import annotations

from pathlib import Path


class EmerError(Exception):
    """Base class of every error raised on purpose."""


class ConfigError(EmerError):
    """An invalid request; the message says how to correct it."""


class ClipError(ConfigError):
    """A file that cannot be read as a clip; the message names the file."""


class ToolMissing(EmerError):
    """A tool whose package or weights are absent; `install` is the exact command."""

    def __init__(self, tool: str, what: str, install: str) -> None:
        super().__init__(f"{tool} needs {what}: {install}")
        self.tool, self.what, self.install = tool, what, install


class WeightsBroken(EmerError):
    """Weights that are present but cannot be loaded.

    `path` is the file or folder, `cause` what is wrong, `fix` what to do.
    """

    def __init__(self, tool: str, path: Path, cause: str, fix: str) -> None:
        super().__init__(f"{tool} cannot load {path}: {cause}; {fix}")
        self.tool, self.path, self.cause, self.fix = tool, path, cause, fix


class ToolFailed(EmerError):
    """A tool that raised or ran out of time on a clip."""

    def __init__(self, tool: str, clip: str, cause: str) -> None:
        super().__init__(f"{tool} failed on {clip}: {cause}")
        self.tool, self.clip, self.cause = tool, clip, cause


class Unobservable(EmerError):
    """Nothing to measure, with the reason: "the clip has no audio track".

    The reason is shown as missing evidence, never as an emotion and never as a clue.
    """
