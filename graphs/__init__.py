"""Runs of the agent: the controller, its settings and state, answers and traces."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emer.graphs.answer import Answer
    from emer.graphs.settings import Settings, load_settings

__all__ = ["Answer", "Settings", "load_settings"]

_MODULES = {"Answer": "answer", "Settings": "settings", "load_settings": "settings"}
"""The module of each name, imported at its first use: LangGraph takes a second."""


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
