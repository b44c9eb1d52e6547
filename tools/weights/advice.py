"""What one command would improve: recommended weights, or their package."""

from __future__ import annotations

from collections.abc import Collection
from importlib.util import find_spec

from emer.tools.types import Record
from emer.tools.weights.catalogue import RECOMMENDED, recommended
from emer.tools.weights.locate import locate

PACKAGES = {"faster-whisper": "faster_whisper"}
"""Modules that tools of recommended weights need beyond `pip install emer`."""
INSTALL = f"pip install 'emer[{RECOMMENDED}]'"
PULL = f"emer models pull {RECOMMENDED}"


class Advice(Record):
    """A command line, and what the tools that it makes ready add."""

    command: str
    gain: str


def lacks_package(tool: str) -> bool:
    """Whether the package that runs a tool of recommended weights is not installed."""
    return tool in PACKAGES and find_spec(PACKAGES[tool]) is None


def advice(tools: Collection[str]) -> Advice | None:
    """Command that would replace weak tools by recommended ones, if one would.

    `tools` are those in use that "auto" chose. Of weights that are here, with their package, but
    not in use, nothing is said: the reason is another one.
    """
    gains: list[str] = []
    to_install = to_pull = False
    for weights in recommended():
        gained = [gain for tool, gain in weights.gain.items() if tool in tools]
        package = lacks_package(weights.tool)
        absent = not locate(weights).usable
        if gained and (package or absent):
            gains += gained
            to_install |= package
            to_pull |= absent
    commands = [INSTALL] * to_install + [PULL] * to_pull
    return Advice(command=" && ".join(commands), gain=" and ".join(gains)) if gains else None
