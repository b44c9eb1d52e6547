"""What the front-door tests say often: fake tools on the command line, and where they are."""

from __future__ import annotations

import os
from pathlib import Path

FAKES = ("face=Smile", "prosody=Loud", "scene=none", "speech=none")


def here() -> Path:
    """Return the folder of the fakes, where "app_fakes:Smile" can be found."""
    return Path(__file__).parent


def swaps(*tools: str) -> list[str]:
    """Return "--tool face=app_fakes:Smile" for each "face=Smile"."""
    words = []
    for tool in tools:
        slot, _, name = tool.partition("=")
        full = name if name == "none" else f"app_fakes:{name}"
        words += ["--tool", f"{slot}={full}"]
    return words


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a process, with more in it."""
    return {**os.environ, **more}
