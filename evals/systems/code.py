"""What code a reasoner is made of, so that answers of other code are not taken for its own."""

from __future__ import annotations

import hashlib
import inspect
from functools import cache
from pathlib import Path

from emer.prompts.prompt import FOLDER as PROMPTS

SUFFIXES = (".py", ".csv", ".json", ".md", ".toml")


def code_of(thing: object) -> str:
    """Return a hash of the files of an object's package and of our prompts; "" if unreadable."""
    try:
        file = inspect.getsourcefile(type(thing))
    except TypeError:
        return ""
    if file is None:
        return ""
    packaged = "." in type(thing).__module__
    return _digest(Path(file).parent if packaged else Path(file))


@cache
def _digest(place: Path) -> str:
    files = [place] if place.is_file() else [p for p in place.rglob("*") if p.suffix in SUFFIXES]
    hashed = hashlib.sha256()
    for path in sorted([*files, *PROMPTS.rglob("*.md")]):
        hashed.update(path.name.encode() + path.read_bytes())
    return hashed.hexdigest()[:16]
