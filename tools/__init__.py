"""Perception: the clip, the tools that observe it, and their clues."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING

from emer.tools.errors import ConfigError, ToolFailed, ToolMissing, Unobservable

if TYPE_CHECKING:
    from emer.tools.media.clip import Clip
    from emer.tools.registry import load_tool, register
    from emer.tools.tool import Tool
    from emer.tools.types import Clue, Quality, Source, Span

# Set before any tool imports onnxruntime, whose releases from 1.32 on send usage events to
# Microsoft from the import on, and leave a session file in the folder for temporary files.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__all__ = [
    "Clip",
    "Clue",
    "ConfigError",
    "Quality",
    "Source",
    "Span",
    "Tool",
    "ToolFailed",
    "ToolMissing",
    "Unobservable",
    "load_tool",
    "register",
]

_MODULES = {
    "Clip": "media.clip",
    "load_tool": "registry",
    "register": "registry",
    "Tool": "tool",
    **dict.fromkeys(("Clue", "Quality", "Source", "Span"), "types"),
}
"""The module of each name that is imported at its first use (PEP 562)."""


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
