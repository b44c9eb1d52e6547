"""From words on the command line, or a file, to what a person changes in the clues."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from emer.agents.revision import Addition, Edits, Rewrite
from emer.tools.errors import ConfigError
from emer.tools.types import MODALITIES, Modality, Span

T = TypeVar("T")

_SPAN = r"(?P<start>\d+(?:\.\d+)?)\s*(?:-|\u2013|to)\s*(?P<end>\d+(?:\.\d+)?)\s*s?\s*$"
_TIMED = re.compile(rf"^(?P<text>.*?)\s*@\s*{_SPAN}", re.DOTALL)
_TIME = re.compile(rf"^\s*@?\s*{_SPAN}")


def read_edits(
    reject: Sequence[str], edit: Sequence[str], add: Sequence[str], file: Path | None
) -> Edits:
    """Return all edits as one; `ConfigError` shows how the one that is wrong should look."""
    given = Edits(
        reject=tuple(dict.fromkeys(reject)),
        edit=tuple(map(read_rewrite, edit)),
        add=tuple(map(read_addition, add)),
    )
    return given if file is None else read_file(file).and_then(given)


def read_rewrite(text: str) -> Rewrite:
    """Return the edit that "ID=TEXT", "ID=TEXT @1.2-2.0" or "ID=@1.2-2.0" stands for."""
    clue, equals, rest = text.partition("=")
    said, span = split_time(rest)
    if not (equals and clue.strip() and (said or span)):
        raise ConfigError(
            f'--edit {text!r} is not ID=TEXT; write it like "f1a2b3c4d=She smiles. @1.2-2.0"'
        )
    return told(f"--edit {clue}", lambda: Rewrite(clue=clue.strip(), text=said or None, span=span))


def read_addition(text: str) -> Addition:
    """Return the clue that "MODALITY: TEXT" or "MODALITY: TEXT @1.2-2.0" stands for."""
    kind, colon, rest = text.partition(":")
    said, span = split_time(rest)
    if not (colon and said):
        raise ConfigError(
            f'--add {text!r} is not MODALITY: TEXT; write it like "face: She smiles. @1.2-2.0"'
        )
    modality = read_modality(kind)
    return told(f"--add {kind}", lambda: Addition(modality=modality, text=said, span=span))


def read_modality(text: str) -> Modality:
    """Return the modality that is meant; `ConfigError` lists those there are."""
    plain = text.strip().casefold()
    named = next((known for known in MODALITIES if known == plain), None)
    if named is None:
        raise ConfigError(f"{plain!r} is no modality; known: {', '.join(MODALITIES)}")
    return named


def split_time(text: str) -> tuple[str, Span | None]:
    """Return the text and the span that stands behind it as "@1.2-2.0", if one does."""
    found = _TIMED.match(text)
    return (found["text"].strip(), _span(found)) if found else (text.strip(), None)


def read_time(text: str) -> Span | None:
    """Return the span that "1.2-2.0" stands for, None for an empty text."""
    found = _TIME.match(text)
    if found is None and text.strip():
        raise ConfigError(f"{text.strip()!r} is no time; write it like 1.2-2.0")
    return _span(found) if found else None


def read_file(path: Path) -> Edits:
    """Return the edits of a JSON file: {"reject": [ID], "edit": [...], "add": [...]}."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    return told(f"{path} holds no edits", lambda: Edits.model_validate_json(text))


def told(what: str, make: Callable[[], T]) -> T:
    """Return the record that is made; `ConfigError` says on one line what is wrong with it."""
    try:
        return make()
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise ConfigError(": ".join(filter(None, (what, where, problem["msg"])))) from error


def _span(found: re.Match[str]) -> Span:
    start, end = float(found["start"]), float(found["end"])
    if end < start:
        raise ConfigError(f"{start:g}-{end:g} s ends before it starts")
    return Span(start=start, end=end)
