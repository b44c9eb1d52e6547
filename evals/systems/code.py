"""What code a system is made of, so that answers of other code are not taken for its own."""

from __future__ import annotations

import hashlib
import inspect
from functools import cache
from pathlib import Path

from emer.prompts.prompt import FOLDER as PROMPTS

SUFFIXES = (".py", ".csv", ".json", ".md", ".toml")
HOUSE = PROMPTS.parent
"""The folder that our packages lie in."""


def code_of(reasoner: object) -> str:
    """Return a hash of what reasons: our agents, or the outsider's package; "" if unreadable."""
    if is_ours(reasoner):
        return code_of_ours("agents")
    try:
        file = inspect.getsourcefile(type(reasoner))
    except TypeError:
        return ""
    if file is None:
        return ""
    packaged = "." in type(reasoner).__module__
    return _digest((Path(file).parent if packaged else Path(file),))


def is_ours(thing: object) -> bool:
    """Tell whether a tool or a reasoner is one of this house."""
    return type(thing).__module__.startswith("emer.")


def code_of_ours(*packages: str) -> str:
    """Return a hash of packages of ours, as "tools", and of the prompts."""
    return _digest(tuple(HOUSE / package for package in packages))


@cache
def _digest(places: tuple[Path, ...]) -> str:
    hashed = hashlib.sha256()
    for path in sorted({*(p for place in places for p in _files(place)), *PROMPTS.rglob("*.md")}):
        hashed.update(path.name.encode() + path.read_bytes())
    return hashed.hexdigest()[:16]


def _files(place: Path) -> list[Path]:
    return [place] if place.is_file() else [p for p in place.rglob("*") if p.suffix in SUFFIXES]
