"""Explains the emotion that a person displays in a video clip, and shows its evidence.

    import emer

    answer = emer.ask("clip.mp4")
    print(answer.text)

`emer.ask` returns an `emer.Answer`; `emer.resume` continues a run that was paused for a review.
`emer.Tool` is the contract of a tool of your own, `emer.register` gives it a name. Each name
below is imported when it is first used, so that `import emer` and `emer --help` stay fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emer.agents.clue_edits import Addition, Edits, Rewrite
    from emer.graphs.answer import Answer
    from emer.graphs.ask import ask
    from emer.graphs.resume import resume
    from emer.tools.errors import ConfigError
    from emer.tools.media.clip import Clip
    from emer.tools.registry import register
    from emer.tools.tool import Tool
    from emer.tools.types import Clue

    __version__: str

__all__ = [
    "Addition",
    "Answer",
    "Clip",
    "Clue",
    "ConfigError",
    "Edits",
    "Rewrite",
    "Tool",
    "__version__",
    "ask",
    "register",
    "resume",
]

_MODULES = {
    "Addition": "emer.agents.clue_edits",
    "Answer": "emer.graphs.answer",
    "Clip": "emer.tools.media.clip",
    "Clue": "emer.tools.types",
    "ConfigError": "emer.tools.errors",
    "Edits": "emer.agents.clue_edits",
    "Rewrite": "emer.agents.clue_edits",
    "Tool": "emer.tools.tool",
    "ask": "emer.graphs.ask",
    "register": "emer.tools.registry",
    "resume": "emer.graphs.resume",
}
"""The module of each public name, imported at its first use (PEP 562)."""


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        value: object = version("emer")
    elif name in _MODULES:
        from importlib import import_module

        value = getattr(import_module(_MODULES[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
